"""A scripted model that speaks the chat-completions stream, and logs what is really asked of it.

    python fake_openai.py LOG

Prints `READY <port>` and ends when its standard input is closed. What it does stands in the newest user
message, in double square brackets: `[[tag=a words=20 gap=0.05 tool=slow_tool secs=2 calls=1 after=5]]`

    tag      named in every line of the log          words, gap   how many words, seconds between them
    tool     then call this tool ...                 secs, calls  ... for so many seconds, so many at once
    after    words after the tool's result           hang=1       then say nothing for ever
    status   answer with this HTTP status            cut=1        break the connection after the words
    think    so many words of reasoning first
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from typing import Any, TextIO

Script = dict[str, str]
_SAID = ("user", "assistant", "tool")


class Model:
    """One log, any number of connections."""

    def __init__(self, log: TextIO) -> None:
        self._log = log
        self._calls = 0

    def note(self, what: str, tag: str, **more: object) -> None:
        line = {"t": time.time(), "who": "model", "what": what, "tag": tag, **more}
        self._log.write(json.dumps(line) + "\n")
        self._log.flush()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = await _request(reader)
            script, answered = _script(request["messages"])
            self._calls += 1
            tag = script.get("tag", "")
            self.note("start", tag, call=self._calls, messages=_shape(request["messages"]))
            speaking = asyncio.create_task(self._speak(writer, script, answered, self._calls))
            gone = asyncio.create_task(reader.read())
            await asyncio.wait({speaking, gone}, return_when=asyncio.FIRST_COMPLETED)
            self.note("end" if speaking.done() and not speaking.exception() else "cut", tag, call=self._calls)
            for task in (speaking, gone):
                task.cancel()
            await asyncio.gather(speaking, gone, return_exceptions=True)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _speak(self, writer: asyncio.StreamWriter, script: Script, answered: bool, call: int) -> None:
        status = int(script.get("status", 200))
        writer.write(f"HTTP/1.1 {status} X\r\nconnection: close\r\n".encode())
        if status != 200:
            body = b'{"error":{"message":"as scripted"}}'
            writer.write(b"content-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
            return
        writer.write(b"content-type: text/event-stream\r\n\r\n")
        gap = float(script.get("gap", 0.05))
        if not answered:
            await self._say(writer, "reasoning_content", "thought", int(script.get("think", 0)), gap)
        count = script.get("after", 3) if answered else script.get("words", 5)
        await self._say(writer, "content", "after" if answered else "word", int(count), gap)
        if "cut" in script:
            raise ConnectionError("as scripted")
        if "hang" in script:
            await asyncio.Event().wait()
        calls_tool = "tool" in script and not answered
        if calls_tool:
            _send(
                writer, {"tool_calls": [_call(script, call, i) for i in range(int(script.get("calls", 1)))]}
            )
        _send(writer, {}, "tool_calls" if calls_tool else "stop")
        writer.write(b"data: [DONE]\n\n")
        await writer.drain()

    async def _say(self, writer: asyncio.StreamWriter, field: str, word: str, count: int, gap: float) -> None:
        for number in range(count):
            _send(writer, {field: f"{word}{number} "})
            await writer.drain()
            await asyncio.sleep(gap)


def _send(writer: asyncio.StreamWriter, delta: dict[str, Any], finish: str | None = None) -> None:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    chunk = {
        "id": "c",
        "object": "chat.completion.chunk",
        "created": 0,
        "model": "scripted",
        "choices": [choice],
    }
    writer.write(b"data: " + json.dumps(chunk).encode() + b"\n\n")


def _call(script: Script, call: int, index: int) -> dict[str, Any]:
    arguments = json.dumps({"seconds": float(script.get("secs", 1)), "tag": script.get("tag", "")})
    function = {"name": script["tool"], "arguments": arguments}
    return {"index": index, "id": f"call_{call}_{index}", "type": "function", "function": function}


async def _request(reader: asyncio.StreamReader) -> dict[str, Any]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    length = re.search(r"content-length: (\d+)", head)
    body = await (reader.readexactly(int(length[1])) if length else _chunked(reader))
    parsed: dict[str, Any] = json.loads(body)
    return parsed


async def _chunked(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while size := int(await reader.readline(), 16):
        body += await reader.readexactly(size)
        await reader.readline()
    await reader.readline()
    return body


def _text(content: object) -> str:
    if isinstance(content, list):
        return "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return str(content or "")


def _script(messages: list[dict[str, Any]]) -> tuple[Script, bool]:
    """The newest script in a user message, and whether a tool has answered since."""
    for index in range(len(messages) - 1, -1, -1):
        found = re.findall(r"\[\[(.*?)\]\]", _text(messages[index].get("content")))
        if messages[index].get("role") == "user" and found:
            answered = any(m.get("role") == "tool" for m in messages[index:])
            return dict(pair.split("=", 1) for pair in found[-1].split()), answered
    return {}, False


def _shape(messages: list[dict[str, Any]]) -> list[list[str]]:
    """Who said what, for asking what the backend remembered."""
    return [[str(m.get("role")), _text(m.get("content"))[:400]] for m in messages if m.get("role") in _SAID]


async def main(log: TextIO) -> None:
    server = await asyncio.start_server(Model(log).serve, "127.0.0.1", 0, limit=1 << 24)
    print("READY", server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    with open(sys.argv[1], "a", encoding="utf-8") as file:
        asyncio.run(main(file))
