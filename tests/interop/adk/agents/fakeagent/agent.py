"""A real ADK agent with a scripted model: every token and every tool call is logged with its time.

The prompt is the script, `VERB name=value ...`: say, think, tool, par, err, raise, hang, noagg, swallow,
thread, xfer. `n` tokens of `d` seconds each; tools take `s` seconds; `tag` names the log's lines.
"""

from __future__ import annotations

import asyncio
import json
import os
import threading
import time
from collections.abc import AsyncGenerator, Callable
from typing import Any

from google.adk.agents import LlmAgent
from google.adk.models import BaseLlm, LlmRequest, LlmResponse
from google.adk.tools import FunctionTool, LongRunningFunctionTool
from google.genai import types

Reply = AsyncGenerator[LlmResponse, None]


def log(tag: str, who: str, what: str, name: str = "", given: list[tuple[str, str]] | None = None) -> None:
    """One line: when, for which prompt, and what a model, a tool, or a word of the model did."""
    line = {"t": time.time(), "who": who, "what": what, "tag": tag, "name": name, "given": given or []}
    with open(os.environ["FAKE_LOG"], "a", encoding="utf-8") as out:
        out.write(json.dumps(line) + "\n")


class Script(dict[str, str]):
    """The words `name=value` of a prompt; `verb` is its first word."""

    def __init__(self, prompt: str) -> None:
        words = prompt.split() or ["say"]
        super().__init__(word.split("=", 1) for word in words[1:] if "=" in word)
        self.verb, self.tag = words[0], self.get("tag", "")

    def number(self, name: str, default: float) -> float:
        return float(self.get(name, default))


def part(text: str, thought: bool = False) -> types.Part:
    return types.Part(text=text, thought=True) if thought else types.Part(text=text)


def response(*parts: types.Part, partial: bool) -> LlmResponse:
    usage = types.GenerateContentResponseUsageMetadata(prompt_token_count=11, candidates_token_count=5)
    return LlmResponse(
        content=types.Content(role="model", parts=list(parts)),
        partial=partial,
        finish_reason=None if partial else types.FinishReason.STOP,
        usage_metadata=None if partial else usage,
    )


async def words(script: Script, stem: str = "w", count: float = 0, thought: bool = False) -> Reply:
    for number in range(int(count or script.number("n", 5))):
        log(script.tag, "word", "said")
        yield response(part(f"{stem}{number} ", thought), partial=True)
        await asyncio.sleep(script.number("d", 0.02))


async def say(script: Script, stem: str = "w") -> Reply:
    said = ""
    async for delta in words(script, stem):
        said += delta.content.parts[0].text
        yield delta
    yield response(part(said), partial=False)


async def think(script: Script) -> Reply:
    thoughts = said = ""
    async for delta in words(script, "thought", thought=True):
        thoughts += delta.content.parts[0].text
        yield delta
    async for delta in words(script, "ans"):
        said += delta.content.parts[0].text
        yield delta
    yield response(part(thoughts, True), part(said), partial=False)


def call(script: Script, name: str) -> types.Part:
    args: dict[str, Any] = {"seconds": script.number("s", 0.5), "tag": script.tag}
    return types.Part(function_call=types.FunctionCall(name=name, args=args))


async def tool(script: Script) -> Reply:
    async for delta in words(script, "check", count=2):
        yield delta
    yield response(part("check0 check1 "), call(script, script.get("name", "slow_tool")), partial=False)


async def par(script: Script) -> Reply:
    yield response(call(script, "quick_tool"), call(script, "slow_tool"), partial=False)


async def err(script: Script) -> Reply:
    async for delta in words(script, count=3):
        yield delta
    yield LlmResponse(error_code="SAFETY", error_message="blocked by fake policy")


async def fail(script: Script) -> Reply:
    async for delta in words(script, count=3):
        yield delta
    raise RuntimeError("fake upstream 503")


async def noagg(script: Script) -> Reply:
    async for delta in words(script):
        yield delta


async def hang(script: Script) -> Reply:
    if script.get("first", "1") == "1":
        yield response(part("one "), partial=True)
    await asyncio.sleep(script.number("s", 60))


async def swallow(script: Script) -> Reply:
    """Eats the first cancel that hits it."""
    eaten = False
    for number in range(int(script.number("n", 5))):
        log(script.tag, "word", "said")
        yield response(part(f"w{number} "), partial=True)
        try:
            await asyncio.sleep(script.number("d", 0.02))
        except asyncio.CancelledError:
            if eaten:
                raise
            eaten = True
    yield response(part("swallowed"), partial=False)


async def thread(script: Script) -> Reply:
    """The model runs in a thread of its own, which nobody can stop."""
    queue: asyncio.Queue[int | None] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def produce() -> None:
        for number in range(int(script.number("n", 5))):
            time.sleep(script.number("d", 0.02))
            log(script.tag, "word", "said")
            loop.call_soon_threadsafe(queue.put_nowait, number)
        loop.call_soon_threadsafe(queue.put_nowait, None)

    threading.Thread(target=produce, daemon=True).start()
    said = ""
    while (number := await queue.get()) is not None:
        said += f"w{number} "
        yield response(part(f"w{number} "), partial=True)
    yield response(part(said), partial=False)


async def transfer(script: Script) -> Reply:
    args = {"agent_name": "child"}
    yield response(
        types.Part(function_call=types.FunctionCall(name="transfer_to_agent", args=args)), partial=False
    )


SCRIPTS: dict[str, Callable[[Script], Reply]] = {
    "say": say, "think": think, "tool": tool, "par": par, "err": err, "raise": fail, "noagg": noagg,
    "hang": hang, "swallow": swallow, "thread": thread, "xfer": transfer,
}  # fmt: skip


def seen(request: LlmRequest) -> list[tuple[str, str]]:
    """What the model is given of the conversation: role and text of each message."""
    return [
        (content.role or "", "".join(one.text or "" for one in content.parts or []))
        for content in request.contents
    ]


def prompt_of(request: LlmRequest) -> str:
    """The person's last message; what other agents said is given to a model as a user's "For context:"."""
    texts = [
        "".join(one.text or "" for one in content.parts or [])
        for content in request.contents
        if content.role == "user"
    ]
    return [text for text in texts if text and not text.startswith("For context:")][-1]


class FakeLlm(BaseLlm):
    model: str = "fake-words-001"
    child: bool = False

    async def generate_content_async(self, llm_request: LlmRequest, stream: bool = False) -> Reply:
        script = Script(prompt_of(llm_request))
        log(script.tag, "model", "start", self.model, seen(llm_request))
        end = "cut"
        try:
            async for answer in self._answer(script, llm_request):
                yield answer
            end = "end"
        finally:
            log(script.tag, "model", end, self.model)

    def _answer(self, script: Script, request: LlmRequest) -> Reply:
        last = request.contents[-1].parts or []
        if any(one.function_response for one in last) and script.verb != "xfer":
            return say(script, "after-tool")
        if script.verb == "xfer" and self.child:
            return say(script)
        return SCRIPTS.get(script.verb, say)(script)


async def slow_tool(seconds: float, tag: str) -> dict[str, float]:
    """Takes its time, and can be cut."""
    log(tag, "tool", "start", "slow_tool")
    end = "cut"
    try:
        await asyncio.sleep(seconds)
        end = "end"
    finally:
        log(tag, "tool", end, "slow_tool")
    return {"slept": seconds}


def block_tool(seconds: float, tag: str) -> dict[str, float]:
    """Blocks the server's event loop, and cannot be cut."""
    log(tag, "tool", "start", "block_tool")
    time.sleep(seconds)
    log(tag, "tool", "end", "block_tool")
    return {"blocked": seconds}


def quick_tool(seconds: float, tag: str) -> dict[str, bool]:
    """Is done at once."""
    log(tag, "tool", "start", "quick_tool")
    log(tag, "tool", "end", "quick_tool")
    return {"ok": True}


def fail_tool(seconds: float, tag: str) -> dict[str, bool]:
    """Breaks."""
    raise ValueError("tool broke")


def confirm_tool(seconds: float, tag: str) -> dict[str, bool]:
    """Needs a person's yes."""
    log(tag, "tool", "start", "confirm_tool")
    log(tag, "tool", "end", "confirm_tool")
    return {"done": True}


def long_tool(seconds: float, tag: str) -> None:
    """Waits for someone outside: it has no answer of its own."""
    log(tag, "tool", "start", "long_tool")


child = LlmAgent(name="child", model=FakeLlm(child=True), instruction="fake", description="takes over")
root_agent = LlmAgent(
    name="fakeagent",
    model=FakeLlm(),
    instruction="fake",
    sub_agents=[child],
    tools=[
        slow_tool,
        block_tool,
        quick_tool,
        fail_tool,
        FunctionTool(confirm_tool, require_confirmation=True),
        LongRunningFunctionTool(long_tool),
    ],
)
