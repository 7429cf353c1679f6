"""ADK's own server with a `:cancel` route on top, for tests. Run as `uvicorn cancel_app:app`.

What the proposed route of pull request 5983 gets wrong is avoided here: the route comes before
`POST .../sessions/{session_id}`, which would swallow it; runs are keyed by app, user and session; the run is
aborted through ADK's own signal, so that its session is sealed; and the answer waits until the run is over.
With CANCEL_ROUTE=shadowed the route comes last, as in the pull request.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

from fastapi import HTTPException
from google.adk.agents.invocation_context import InvocationContext
from google.adk.cli.fast_api import get_fast_api_app
from google.adk.plugins.base_plugin import BasePlugin

Key = tuple[str, str, str]
RUNS: dict[Key, dict[str, tuple[InvocationContext, asyncio.Event]]] = {}


class CancelPlugin(BasePlugin):
    """Knows every run from before its first model call until it is over, however it ends."""

    def __init__(self, name: str = "cancel_route") -> None:
        super().__init__(name=name)

    async def before_run_callback(self, *, invocation_context: InvocationContext) -> None:
        runs = RUNS.setdefault(_key(invocation_context), {})
        runs[invocation_context.invocation_id] = (invocation_context, asyncio.Event())

    async def after_run_callback(self, *, invocation_context: InvocationContext) -> None:
        _forget(invocation_context)

    async def on_run_error_callback(self, *, invocation_context: InvocationContext, **_: Any) -> None:
        _forget(invocation_context)


def _key(context: InvocationContext) -> Key:
    return (context.app_name, context.user_id, context.session.id)


def _forget(context: InvocationContext) -> None:
    runs = RUNS.get(_key(context), {})
    _, over = runs.pop(context.invocation_id, (None, asyncio.Event()))
    over.set()
    if not runs:
        RUNS.pop(_key(context), None)


app = get_fast_api_app(
    agents_dir=str(Path(__file__).with_name("agents")),
    session_service_uri=os.environ.get("FAKE_SESSIONS", "memory://"),
    artifact_service_uri="memory://",
    use_local_storage=False,
    web=False,
    extra_plugins=["cancel_app.CancelPlugin"],
)


@app.post("/apps/{app_name}/users/{user_id}/sessions/{session_id}:cancel")
async def cancel(app_name: str, user_id: str, session_id: str) -> dict[str, str]:
    """End every run of this session; answers when they are over."""
    runs = list(RUNS.get((app_name, user_id, session_id), {}).values())
    if not runs:
        raise HTTPException(404, f"No active run found for session '{session_id}'")
    for context, _ in runs:
        context.abort()
    for _, over in runs:
        await over.wait()
    return {"status": "cancelled", "session_id": session_id}


if os.environ.get("CANCEL_ROUTE") != "shadowed":
    app.router.routes.insert(0, app.router.routes.pop())
