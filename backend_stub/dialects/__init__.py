"""The wire formats this backend speaks, all at once over one engine. Each begins with the list of its routes.

    ag_ui          /agents/{agent}, /runs/{run_id}/...
    flue           /flue/agents/{name}/{id}, or just /agents/{name}/{id}
    contractspec   /contractspec[+envelope][+details][+lower]/agent/run/...
    adk            /adk[-stock | -shadowed][+runs-on][+unsealed]/...

What is in brackets makes another server of it, for clients that must cope with either kind.

To add a dialect, write `dialects/NAME.py` with a function `routes(engine) -> list[BaseRoute]` and name the
module in `_MODULES`. It talks to the engine only:

    run = await engine.start(run_id=..., conversation_id=..., prompt=..., agent=...)   # raises RunExists
        `pauses=True` where a question ends the run (AG-UI's interrupt, ADK's confirmation);
        `engine.go_on(...)` then starts the run that goes on from the answer. Otherwise the run waits in
        phase WAITING and `run.answer(request, reply)` lets it go on.
    run.log.follow(after)             batches of `log.Entry` (number, at, event) from the run's beginning;
    engine.conversation_log(id)       the same for a whole conversation (never closed): events in `events.py`
    run.reply.saved(), .text()        the reply as it is now; `run.phase`, `run.summary()`, `run.over`
    engine.look_up(run_id)            a run of this or an earlier process, as data; None: unknown
    engine.conversation(id)           all its turns as data, partial replies included; `engine.active(id)`
    engine.ledger.note(...)           an audit line of your own; `engine.news.tell(name, run)` an announcement

    EventStream(frames_of(run, encode), run, on_gone=...)     an event stream with every breaking switch;
        `encode(entry)` yields the data of 0..n events. Any async generator of byte lists will do.
        `on_gone`: `engine.gone(run)` does what the switch `disconnect` says; a dialect whose protocol
        stops a run by closing calls `run.token.cancel(reason, by)` instead.
    answer = await faults.abort(engine, run_id, reason=..., by=...)
        a `Response` is a fault that a switch asked for: send it as it is. Else `answer.verdict` is one of
        `engine.Verdict` and `answer.run` the run's summary: say it in the dialect's words.
    faults.look_up(engine, run_id)    likewise for a status look-up

Bodies are whole, at most 1 MiB and `application/json` (or empty) when a route sees them; the token, Host and
Origin were checked. A `WebSocketRoute` works, too: `backend_stub.websocket` speaks it without a library.
"""

from __future__ import annotations

from importlib import import_module

from starlette.routing import BaseRoute

from backend_stub.engine import Engine

_MODULES = ("ag_ui", "contractspec", "flue", "adk")


def routes(engine: Engine) -> list[BaseRoute]:
    """Every dialect's routes."""
    found: list[BaseRoute] = []
    for name in _MODULES:
        found += import_module(f"{__name__}.{name}").routes(engine)
    return found
