"""A real AG-UI server: pydantic-ai's adapter with a scripted model, under uvicorn, and a log of all calls.

    python server.py LOG            (in its own virtual environment: `python -m tests.interop.install ag-ui`)

Prints `READY <port>` and ends when its standard input is closed. POST /agent runs, POST /runs/{run_id}/cancel
cancels by a CancellationToken, which is the application's own to offer: the protocol has no such route. What
the model does stands in the newest user message: `[[tag=a words=20 gap=0.05 tool=slow_tool secs=2 after=5]]`.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import socket
import sys
import time
from collections.abc import AsyncIterator
from typing import Any, TextIO

import uvicorn
from pydantic_ai import Agent, CancellationToken, DeferredToolRequests
from pydantic_ai.messages import (
    ModelMessage,
    ModelResponse,
    TextPart,
    ToolReturnPart,
    UserPromptPart,
)
from pydantic_ai.models.function import AgentInfo, DeltaToolCall, FunctionModel
from pydantic_ai.ui.ag_ui import AGUIAdapter
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

LOG: TextIO
TOKENS: dict[str, CancellationToken] = {}
CALLS = itertools.count(1)


def note(who: str, what: str, tag: str, **more: object) -> None:
    LOG.write(json.dumps({"t": time.time(), "who": who, "what": what, "tag": tag, **more}) + "\n")
    LOG.flush()


async def speak(
    messages: list[ModelMessage], info: AgentInfo
) -> AsyncIterator[str | dict[int, DeltaToolCall]]:
    """The model: words, maybe a tool call, and words after its result."""
    script, answered = script_in(messages)
    tag, how = script.get("tag", ""), "cut"
    note("model", "start", tag, given=shape(messages))
    try:
        count = int(script.get("after", 3) if answered else script.get("words", 5))
        for number in range(count):
            yield f"{'after' if answered else 'word'}{number} "
            await asyncio.sleep(float(script.get("gap", 0.05)))
        if "tool" in script and not answered:
            given = json.dumps({"seconds": float(script.get("secs", 1)), "tag": tag})
            yield {0: DeltaToolCall(script["tool"], given, tool_call_id=f"call_{next(CALLS)}")}
        how = "end"
    finally:
        note("model", how, tag)


agent = Agent(FunctionModel(stream_function=speak), output_type=[str, DeferredToolRequests])


@agent.tool_plain
async def slow_tool(seconds: float, tag: str) -> str:
    """Work that can be cancelled."""
    note("tool", "start", tag, name="slow_tool")
    try:
        await asyncio.sleep(seconds)
    except asyncio.CancelledError:
        note("tool", "cut", tag, name="slow_tool")
        raise
    note("tool", "end", tag, name="slow_tool")
    return "done"


@agent.tool_plain
def deaf_tool(seconds: float, tag: str) -> str:
    """Work in a thread, which nothing can cut."""
    note("tool", "start", tag, name="deaf_tool")
    time.sleep(seconds)
    note("tool", "end", tag, name="deaf_tool")
    return "done"


@agent.tool_plain(requires_approval=True)
def asked_tool(seconds: float, tag: str) -> str:
    """Work that a person has to allow."""
    note("tool", "start", tag, name="asked_tool")
    note("tool", "end", tag, name="asked_tool")
    return "done"


def script_in(messages: list[ModelMessage]) -> tuple[dict[str, str], bool]:
    """The newest script in a user's message, and whether a tool has answered since."""
    answered = False
    for message in reversed(messages):
        for part in reversed(message.parts):
            answered = answered or isinstance(part, ToolReturnPart)
            found = (
                re.findall(r"\[\[(.*?)\]\]", str(part.content)) if isinstance(part, UserPromptPart) else []
            )
            if found:
                return dict(pair.split("=", 1) for pair in found[-1].split()), answered
    return {}, answered


def shape(messages: list[ModelMessage]) -> list[list[str]]:
    """Who said what, for asking what was remembered."""
    said = []
    for message in messages:
        role = "assistant" if isinstance(message, ModelResponse) else "user"
        said += [
            [role, str(part.content)[:400]]
            for part in message.parts
            if isinstance(part, UserPromptPart | TextPart)
        ]
    return said


async def run(request: Request) -> Response:
    run_id = json.loads(await request.body())["runId"]
    token = TOKENS[run_id] = CancellationToken()

    async def over(result: Any) -> None:
        TOKENS.pop(run_id, None)

    return await AGUIAdapter.dispatch_request(
        request, agent=agent, cancellation_token=token, on_complete=over, include_usage=True
    )


async def cancel(request: Request) -> Response:
    token = TOKENS.pop(request.path_params["run_id"], None)
    if token is None:
        return JSONResponse({"detail": "no such run"}, 404)
    token.cancel()
    return JSONResponse({"status": "cancelling"}, 202)


async def main() -> None:
    routes = [
        Route("/agent", run, methods=["POST"]),
        Route("/runs/{run_id}/cancel", cancel, methods=["POST"]),
    ]
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    sock.listen(128)  # from here on nobody is refused
    config = uvicorn.Config(Starlette(routes=routes), log_level="warning", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    print("READY", sock.getsockname()[1], flush=True)

    async def end() -> None:
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
        server.should_exit = True

    ending = asyncio.create_task(end())
    await server.serve([sock])
    ending.cancel()


if __name__ == "__main__":
    with open(sys.argv[1], "a", encoding="utf-8") as LOG:
        asyncio.run(main())
