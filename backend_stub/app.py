"""The routes: every dialect's, and the backend's own (health, scenarios, ledger, announcements, gates)."""

from __future__ import annotations

import json
from dataclasses import asdict

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from backend_stub import dialects
from backend_stub.audit import as_testimony
from backend_stub.engine import Engine
from backend_stub.guard import Guard
from backend_stub.scenarios import SCENARIOS


def create_app(engine: Engine, token: str, hosts: tuple[str, ...] = ()) -> ASGIApp:
    """The whole backend behind its guard. `hosts`: names it answers to beside the loopback ones."""
    routes = [*Own(engine).routes(), *dialects.routes(engine)]
    router = Router(routes, redirect_slashes=False, default=_no_route)
    return Guard(router, token, hosts)


async def _no_route(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close"})
        return
    error = {"code": "route_not_found", "message": "There is no such route."}
    await JSONResponse({"error": error}, 404)(scope, receive, send)


class Own:
    """Routes that belong to no dialect. All of them are for tests, the drill and the curious."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def routes(self) -> list[Route]:
        return [
            Route("/health", self.health),
            Route("/scenarios", self.scenarios),
            Route("/audit", self.audit),
            Route("/witness", self.witness),
            Route("/news", self.news),
            Route("/gates", self.gates),
            Route("/gates/{name}/open", self.open_gate, methods=["POST"]),
        ]

    async def health(self, request: Request) -> Response:
        """`server` tells clients that this is ours; `store` what is wrong with the conversations' folder."""
        store = self._engine.store.trouble or "ok"
        return JSONResponse({"server": "stopkey", "status": "ok", "store": store})

    async def scenarios(self, request: Request) -> Response:
        return JSONResponse([{"name": s.name, "about": s.about} for s in SCENARIOS.values()])

    async def audit(self, request: Request) -> Response:
        """`?run=ID&after=N`: the ledger's lines, as `audit.Line` has them."""
        run, after = request.query_params.get("run", ""), request.query_params.get("after", "0")
        lines = self._engine.ledger.lines(run, int(after) if after.isdecimal() else 0)
        return JSONResponse({"lines": [asdict(line) for line in lines]})

    async def witness(self, request: Request) -> Response:
        """`?run=ID`: the model and tool calls of the ledger as JSON lines, in the drill's own format."""
        lines = self._engine.ledger.lines(request.query_params.get("run", ""))
        told = "".join(json.dumps(call) + "\n" for line in lines if (call := as_testimony(line)))
        return Response(told, media_type="application/x-ndjson")

    async def news(self, request: Request) -> Response:
        """`?run=ID&name=run.cancelled`: what was announced."""
        run, name = request.query_params.get("run", ""), request.query_params.get("name", "")
        return JSONResponse({"items": self._engine.news.items(run, name)})

    async def gates(self, request: Request) -> Response:
        """All gates; with `?reached=NAME&run=ID` it answers once a run stands there (5 s), or 404."""
        name, run = request.query_params.get("reached", ""), request.query_params.get("run", "")
        if name and not await self._engine.gates.reached(name, run):
            return JSONResponse({"error": {"code": "not_reached", "message": name}}, 404)
        return JSONResponse({"gates": self._engine.gates.waiting()})

    async def open_gate(self, request: Request) -> Response:
        """Open a gate: of the run `?run=ID`, or of every run."""
        self._engine.gates.open(request.path_params["name"], request.query_params.get("run", ""))
        return JSONResponse({"open": True})
