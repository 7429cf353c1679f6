"""ContractSpec's `agent.run.*` v1.0.0 over its REST paths. No stream: a client looks again and again.

    POST /contractspec/agent/run/execute/v1.0.0   {"agentId", "input": {"message"}, "sessionId"?, "metadata"?}
                                                  -> 200 {"runId", "status": "QUEUED", "estimatedWaitMs"}
    POST /contractspec/agent/run/cancel/v1.0.0    {"runId", "reason"?} -> 200 {"success", "status"}; 202 where
                                                  it is not over yet (switch); RUN_NOT_CANCELLABLE and
                                                  RUN_NOT_FOUND where it cannot
    GET  /contractspec/agent/run/get/v1.0.0       ?input={"runId", "includeSteps"?} -> the run
    GET  /contractspec/agent/run/list/v1.0.0      ?input={"sessionId"?, "agentId"?, "status"?, "limit"?,
                                                  "offset"?} -> {"items", "total", "hasMore"}
    GET  /contractspec/agent/run/getSteps/v1.0.0  ?runId= -> {"steps"}; none for an unknown run
    GET  /contractspec/events?runId=              what was published: run.cancelled with the run's summary

`getLogs` and `getMetrics` have routes and no handler (500), as in the original's example. A host is set up by
its base path: `/contractspec+envelope` wraps results, `+details` answers declared errors as the detail of a
500, `+lower` spells statuses in lower case; they combine. A wrong path below is the original's 404 NOT_FOUND.
The agents `unknown` and `inactive` are what they say; every other id is an active agent. What else goes wrong
is the switches' choice: `abort=lie` says yes and changes nothing, `gates=begin` keeps a run QUEUED,
`abort=finishes` loses the race. A question ends its run; the next message of the session answers it. Every
cancel leaves a line in the ledger (`audit`).
"""

from __future__ import annotations

import json
import time
import uuid
from collections import OrderedDict, deque
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from backend_stub import events as ev
from backend_stub import faults
from backend_stub.dialects.contractspec_runs import PREFIX, Step, Steps, kept_steps, status_of, when
from backend_stub.dialects.contractspec_wire import (
    VERSION,
    Declared,
    Host,
    Invalid,
    field,
    internal,
    invalid,
    no_route,
    read_query,
)
from backend_stub.engine import Engine, Verdict
from backend_stub.events import Phase
from backend_stub.run import Run

_FIELDS = ["runId", "includeSteps", "includeLogs", "agentId", "sessionId", "status", "limit", "offset"]
_KEPT = 500
_ABSENT_AGENTS = {"unknown": "AGENT_NOT_FOUND", "inactive": "AGENT_NOT_ACTIVE"}


def routes(engine: Engine) -> list[BaseRoute]:
    """The routes of this dialect."""
    contract = ContractSpec(engine)
    found: list[BaseRoute] = [Route("/contractspec/events", contract.events)]
    for base in ("/contractspec", "/contractspec{options:str}"):
        found.append(Route(base + "/{path:path}", contract.handle, methods=["GET", "POST", "PUT", "DELETE"]))
    return found


class ContractSpec:
    """The handlers, over one engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._steps: OrderedDict[str, Steps] = OrderedDict()
        self._metadata: OrderedDict[str, Any] = OrderedDict()
        self._published: deque[dict[str, Any]] = deque(maxlen=10_000)
        self._operations = {
            ("POST", "execute"): self._execute,
            ("POST", "cancel"): self._cancel,
            ("GET", "get"): self._get,
            ("GET", "list"): self._list,
            ("GET", "getSteps"): self._get_steps,
            ("GET", "getLogs"): self._unbound,
            ("GET", "getMetrics"): self._unbound,
        }

    async def handle(self, request: Request) -> Response:
        host = Host.of(request.path_params.get("options", ""))
        parts = request.path_params["path"].split("/")
        operation = parts[2] if len(parts) == 4 else ""
        work = self._operations.get((request.method, operation))
        if host is None or work is None or parts != ["agent", "run", operation, f"v{VERSION}"]:
            return no_route(request.url.path)
        try:
            return await work(host, operation, await _input(request))
        except Declared as error:
            return host.declared(operation, error)
        except Invalid as error:
            return invalid(operation, error)
        except ValueError:
            return internal(operation, "JSON Parse error: Unexpected EOF")

    async def events(self, request: Request) -> Response:
        run_id = request.query_params.get("runId", "")
        found = [event for event in self._published if run_id in ("", event["payload"]["id"])]
        return JSONResponse({"events": found})

    # --- commands -----------------------------------------------------------------------------------------

    async def _execute(self, host: Host, operation: str, given: dict[str, Any]) -> Response:
        agent = field(given, "agentId", "string")
        message = field(field(given, "input", "object"), "message", "string")
        session = field(given, "sessionId", "string", optional=True) or uuid.uuid4().hex
        metadata = field(given, "metadata", "object", optional=True)
        if not message:
            raise Invalid("message", "string", "an empty one")
        if agent in _ABSENT_AGENTS:
            raise Declared(_ABSENT_AGENTS[agent])
        run = await self._start(PREFIX + session, agent, message)
        _keep(self._metadata, run.id, metadata)
        return host.result({"runId": run.id, "status": host.status("QUEUED"), "estimatedWaitMs": 100})

    async def _start(self, conversation_id: str, agent: str, message: str) -> Run:
        names = {"run_id": f"run-{uuid.uuid4().hex[:12]}", "conversation_id": conversation_id, "agent": agent}
        entries = self._engine.conversation_log(conversation_id).entries
        last = entries[-1].event if entries else None
        if isinstance(last, ev.RunOver) and last.request:
            return self._engine.go_on(**names, request=last.request, reply=message)
        return await self._engine.start(**names, prompt=message, pauses=True)

    async def _cancel(self, host: Host, operation: str, given: dict[str, Any]) -> Response:
        run_id = field(given, "runId", "string")
        reason = field(given, "reason", "string", optional=True) or ""
        try:
            answer = await self._cancelled(host, run_id, reason)
        except Declared as error:
            self._audit(run_id, reason, error.code)
            raise
        self._audit(run_id, reason, str(answer.status_code))
        return answer

    async def _cancelled(self, host: Host, run_id: str, reason: str) -> Response:
        known = self._engine.look_up(run_id)
        if known is None or not known["conversation_id"].startswith(PREFIX):
            raise Declared("RUN_NOT_FOUND", runId=run_id)
        answer = await faults.abort(self._engine, run_id, reason=reason, by="agent.run.cancel")
        if isinstance(answer, Response):
            return answer
        now = self._run(host, run_id, {})
        if answer.verdict is Verdict.ACCEPTED:
            return host.result({"success": True, "status": now["status"]}, 202)
        if answer.verdict is not Verdict.CANCELLED:
            raise Declared("RUN_NOT_CANCELLABLE", runId=run_id, status=now["status"])
        if self._status(run_id) == "CANCELLED":  # a host that lies publishes nothing
            event = {"key": "run.cancelled", "version": VERSION, "payload": _summary(now)}
            self._published.append({**event, "at": time.time()})
        return host.result({"success": True, "status": host.status("CANCELLED")})

    def _audit(self, run_id: str, reason: str, answer: str) -> None:
        detail = json.dumps({"answer": answer, "reason": reason})
        self._engine.ledger.note(run_id, "audit", "run.cancelled", name="agent.run.cancel", detail=detail)

    # --- queries ------------------------------------------------------------------------------------------

    async def _get(self, host: Host, operation: str, given: dict[str, Any]) -> Response:
        run_id = field(given, "runId", "string")
        steps = field(given, "includeSteps", "boolean", optional=True)
        logs = field(given, "includeLogs", "boolean", optional=True)
        if fault := faults.look_up(self._engine, run_id):
            return fault
        run = self._run(host, run_id, {"logs": []} if logs else {})
        if steps:
            run["steps"] = self._told_steps(host, run_id)
        return host.result(run)

    async def _list(self, host: Host, operation: str, given: dict[str, Any]) -> Response:
        limit = field(given, "limit", "number", optional=True)
        offset = field(given, "offset", "number", optional=True) or 0
        wanted = {name: given[name] for name in ("agentId", "sessionId", "status") if given.get(name)}
        rows = [r for r in self._engine.store.runs() if r["conversation_id"].startswith(PREFIX)]
        runs = [self._run(host, row["run_id"], {}) for row in rows]
        found = [run for run in runs if all(_same(run.get(name), wanted[name]) for name in wanted)]
        page = found[offset : offset + (20 if limit is None else limit)]
        told = [_summary(run) for run in page]
        return host.result({"items": told, "total": len(found), "hasMore": offset + len(page) < len(found)})

    async def _get_steps(self, host: Host, operation: str, given: dict[str, Any]) -> Response:
        run_id = field(given, "runId", "string")
        known = self._engine.look_up(run_id)
        return host.result({"steps": self._told_steps(host, run_id) if known else []})

    async def _unbound(self, host: Host, operation: str, given: dict[str, Any]) -> Response:
        return internal(operation, f"No handler bound for agent.run.{operation}.v{VERSION}")

    # --- runs ---------------------------------------------------------------------------------------------

    def _run(self, host: Host, run_id: str, more: dict[str, Any]) -> dict[str, Any]:
        """A run without its steps. Raises Declared."""
        known = self._engine.look_up(run_id)
        if known is None or not known["conversation_id"].startswith(PREFIX):
            raise Declared("RUN_NOT_FOUND", runId=run_id)
        live, row = self._live(run_id), self._engine.runs.get(run_id)
        words = live.words if live else known["output_tokens"]
        run = {
            "id": run_id, "organizationId": "demo-org", "agentId": known["agent"],
            "sessionId": known["conversation_id"].removeprefix(PREFIX),
            "input": {"message": row.prompt if row else known["prompt"]},
            "status": host.status(self._status(run_id)),
            "totalTokens": known["input_tokens"] + words, "promptTokens": known["input_tokens"],
            "completionTokens": words, "totalIterations": 0, "queuedAt": when(known["began"]),
        }  # fmt: skip
        if live and live.started:
            run["startedAt"] = when(live.started)
        if known["ended"]:
            run["durationMs"] = round((known["ended"] - known["began"]) * 1000)
            run["completedAt"] = when(known["ended"])
        if known["message"]:
            run |= {"errorMessage": known["message"], "errorCode": known["code"]}
        if metadata := self._metadata.get(run_id):
            run["metadata"] = metadata
        model = {"modelProvider": "STUB", "modelName": "scripted"}
        return run | more | {"agent": {"id": known["agent"], "name": known["agent"], **model}}

    def _status(self, run_id: str) -> str:
        known = self._engine.look_up(run_id)
        assert known
        live = self._live(run_id)
        return status_of(Phase(known["phase"]), live is None or live.started is not None)

    def _live(self, run_id: str) -> Steps | None:
        """The steps of a run of this process, up to date."""
        run = self._engine.runs.get(run_id)
        if run is None:
            return None
        if run_id not in self._steps:
            _keep(self._steps, run_id, Steps(run))
        self._steps[run_id].read()
        return self._steps[run_id]

    def _told_steps(self, host: Host, run_id: str) -> list[dict[str, Any]]:
        live = self._live(run_id)
        row = None if live else self._engine.store.run(run_id)
        steps: list[Step] = live.steps if live else kept_steps(row) if row else []
        return [step.told(number, host.status(step.status)) for number, step in enumerate(steps, 1)]


async def _input(request: Request) -> dict[str, Any]:
    """The input of a command or a query. Raises Invalid, and ValueError for what is not JSON."""
    if request.method == "GET":
        return read_query(request.query_params.get, _FIELDS)
    value = json.loads(await request.body() or b"{}")
    if not isinstance(value, dict):
        raise Invalid("", "object", "something else")
    return value


def _summary(run: dict[str, Any]) -> dict[str, Any]:
    """A RunSummary: what lists and the event `run.cancelled` hold."""
    names = ("id", "agentId", "status", "totalTokens", "durationMs", "queuedAt", "completedAt")
    return {name: run[name] for name in names if name in run} | {"agentName": run["agent"]["name"]}


def _same(have: object, wanted: object) -> bool:
    return str(have).upper() == str(wanted).upper()


def _keep(kept: OrderedDict[str, Any], key: str, value: Any) -> None:
    kept[key] = value
    while len(kept) > _KEPT:
        kept.popitem(last=False)
