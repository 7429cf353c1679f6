"""The scripted tools: quick ones, failing ones, some that swallow a cancel, some that block a thread."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import suppress

from backend_stub import events as ev
from backend_stub.cancel import LeftBehind, RunCancelled, settle
from backend_stub.events import ToolEnd
from backend_stub.run import Run
from backend_stub.steps import Call

CUT = "The tool was cut by a stop before it had a result."
_GATE_LIMIT_S = 120.0  # a blocked thread never outlives a forgotten gate for long


async def use_tools(run: Run, calls: list[tuple[Call, ev.CallReady]]) -> None:
    """Run the calls of one turn side by side. Raises RunCancelled once all that can be cut has been."""
    outcomes = await settle([_use(run, part, ready.call) for part, ready in calls])
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome


async def _use(run: Run, part: Call, call: str) -> None:
    work = _in_thread if part.blocking else _deaf if part.deaf else _obey
    try:
        with run.ledger.call(run.id, run.token, "tool", call, part.tool):
            run.emit(ev.ToolBegan(call, part.tool))
            await run.token.race(work(run, part, call))
    except LeftBehind:
        raise  # it may still be working: nothing is said about its end
    except RunCancelled:
        run.emit(ev.ToolEnded(call, part.tool, CUT, ToolEnd.INTERRUPTED))
        raise
    end = ToolEnd.ERROR if part.failing else ToolEnd.OK
    run.emit(ev.ToolEnded(call, part.tool, part.result, end))


async def _obey(run: Run, part: Call, call: str) -> None:
    await run.pause(part.takes)
    await run.gate("tool")


async def _deaf(run: Run, part: Call, call: str) -> None:
    """Work that swallows the one cancel it gets and goes on to its end."""
    until = time.monotonic() + _seconds(run, part)
    try:
        await asyncio.sleep(until - time.monotonic())
        await run.gate("tool")
    except (asyncio.CancelledError, RunCancelled):
        await asyncio.sleep(max(0.0, until - time.monotonic()))
        run.ledger.note(run.id, "tool", "late end", call=call, name=part.tool)


async def _in_thread(run: Run, part: Call, call: str) -> None:
    """Work that no cancel reaches. A thread of its own: an executor's would hold up the process's end."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()
    seconds = _seconds(run, part)
    gate = run.gates.arrive(run.id, "tool").flag if run.switches.gated("tool") else None

    def end() -> None:
        if done.cancelled():
            run.ledger.note(run.id, "tool", "late end", call=call, name=part.tool)
        else:
            done.set_result(None)

    def block() -> None:
        gate.wait(_GATE_LIMIT_S) if gate else time.sleep(seconds)
        with suppress(RuntimeError):  # the loop is gone: nobody is left to be told
            loop.call_soon_threadsafe(end)

    threading.Thread(target=block, name=f"tool {part.tool}", daemon=True).start()
    try:
        await done
    except asyncio.CancelledError:
        raise LeftBehind from None


def _seconds(run: Run, part: Call) -> float:
    speed = 0.0 if run.hurry else run.switches.speed
    return part.takes / speed if speed else 0.0
