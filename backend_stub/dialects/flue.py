"""Flue 2.x: prompts that are admitted, a conversation's stream with offsets, its history, and the abort.

C is /flue/agents/{name}/{id}, or just /agents/{name}/{id}: both name the same conversations.

    POST C                                  {"kind": "user", "body", "idempotencyKey"?, "uid"?} -> 202
                                            {"streamUrl", "offset", "submissionId", "uid", "deduplicated"?}
    GET  C                                  the history; 404 stream_not_found before the first prompt
    HEAD C                                  the head offset alone
    GET  C?view=updates&offset=O            chunks behind the offset (-1: from the beginning)
    GET  C?view=updates&offset=O&live=sse   the stream; it never ends. &live=long-poll waits up to 30 s
    POST C/abort                            200 {"aborted": true|false}: all that runs or waits in it

Errors are {"error": {"type", "message", "details", "meta"?}}. 416 stream_offset_gone for an offset beyond the
head: a restarted server keeps what was said and counts anew, in a new incarnation. Unlike the original, a
prompt sent while a run is on waits for its turn instead of joining the live reply, and a body that is not
JSON is refused by the door (415), an abort's as well. A question ends its run in plain words; the next prompt
answers it.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncGenerator
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from backend_stub import faults
from backend_stub.dialects.flue_conversation import Conversation, offset
from backend_stub.dialects.flue_errors import FlueError, malformed, not_allowed
from backend_stub.engine import Engine
from backend_stub.run import Run
from backend_stub.stream import HEARTBEAT, EventStream

JSON = dict[str, Any]

HEARTBEAT_S, POLL_S = 15.0, 30.0
_BATCHES = 100  # of one read that is not live
_OFFSET = re.compile(r"-1|\d{16}_\d{16}")
_SHAPE = (
    'Delivered messages must be { kind: "user", body: string, attachments?: attachment[] } or '
    '{ kind: "signal", type: string, body: string, attributes?: Record<string, string>, tagName?: string }.'
)
_FIRE = (
    "Agent prompts are fire-and-forget and do not support `?wait=result`. Await completion with the SDK "
    "client's `wait()`, or read the conversation stream (GET this URL)."
)
_ALL = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def routes(engine: Engine) -> list[BaseRoute]:
    """The routes of this dialect."""
    flue = Flue(engine)
    found: list[BaseRoute] = []
    for mount in ("/flue/agents/{agent}/{id}", "/agents/{agent}/{id}"):
        found.append(Route(mount, flue.conversation, methods=_ALL))
        found.append(Route(mount + "/abort", flue.abort, methods=_ALL))
        found.append(Route(mount + "/attachments/{attachment}", flue.attachment))
    return found


class Flue:
    """The handlers, over one engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._conversations: dict[str, Conversation] = {}

    async def conversation(self, request: Request) -> Any:
        work = {"GET": self._read, "HEAD": self._head, "POST": self._send}.get(request.method)
        try:
            if work is None:
                raise not_allowed(request.method, "GET", "HEAD", "POST")
            return await work(request)
        except FlueError as error:
            return error.response()

    async def abort(self, request: Request) -> Response:
        if request.method != "POST":
            return not_allowed(request.method, "POST").response()
        conversation = self._named(request)
        waiting, running = conversation.take_waiting(), conversation.running
        for run in running:
            answer = await faults.abort(self._engine, run.id, by="flue abort")
            if isinstance(answer, Response):
                conversation.give_back(waiting)
                return answer
        conversation.settle_aborted(waiting)
        return JSONResponse({"aborted": bool(running or waiting)})

    async def attachment(self, request: Request) -> Response:
        name = request.path_params["attachment"]
        details = "The attachment id may be incorrect, or it belongs to another conversation."
        return FlueError(
            404, "attachment_not_found", f'Attachment "{name}" was not found.', details
        ).response()

    def _named(self, request: Request) -> Conversation:
        """The conversation; one that nobody has prompted is not kept."""
        agent, id = request.path_params["agent"], request.path_params["id"]
        known = self._conversations.get(f"{agent}/{id}") or Conversation(self._engine, agent, id)
        if known.exists:
            self._keep(known)
        return known

    def _keep(self, conversation: Conversation) -> None:
        self._conversations[f"{conversation.agent}/{conversation.id}"] = conversation

    # --- prompts ------------------------------------------------------------------------------------------

    async def _send(self, request: Request) -> Response:
        if "wait" in request.query_params:
            raise malformed(_FIRE)
        given = _message(await request.body())
        conversation = self._named(request)
        key, payload = given.get("idempotencyKey", ""), {k: given.get(k) for k in ("kind", "type", "body")}
        if not isinstance(key, str) or len(key) > 256 or ("idempotencyKey" in given and not key):
            raise malformed("idempotencyKey must be a string of 1 to 256 characters.")
        _check_uid(conversation, given)
        submission = conversation.submission_of(key)
        if conversation.knows(submission):
            _check_payload(self._engine, conversation, submission, payload)
            return _admitted(request, conversation, submission, "-1", deduplicated=True)
        self._keep(conversation)
        conversation.advance()
        at = offset(conversation.head)
        await conversation.submit(submission, payload)
        return _admitted(request, conversation, submission, at)

    # --- reading ------------------------------------------------------------------------------------------

    async def _head(self, request: Request) -> Response:
        conversation = self._named(request)
        if not conversation.exists:
            return Response(status_code=404)
        conversation.advance()
        return Response(headers=_told(conversation.head))

    async def _read(self, request: Request) -> Any:
        conversation = self._named(request)
        view = request.query_params.get("view", "history")
        if view not in ("history", "updates"):
            raise malformed("Invalid agent conversation view. Use history or updates.")
        after = _offset(request) if view == "updates" else _no_offset(request)
        if not conversation.exists:
            name = f'"agents/{conversation.name}/{conversation.id}"'
            details = "Streams are created when their agent instance receives its first prompt."
            raise FlueError(404, "stream_not_found", f"Event stream {name} was not found.", details)
        run = conversation.newest()
        if run and (fault := faults.look_up(self._engine, run.id)):
            return fault
        if view == "history":
            return JSONResponse(conversation.history(), headers=_told(conversation.head))
        return await self._updates(request, conversation, after, run)

    async def _updates(
        self, request: Request, conversation: Conversation, after: str, run: Run | None
    ) -> Any:
        conversation.advance()
        at = -1 if after == "-1" else int(after.partition("_")[2])
        if at > conversation.head:
            raise _beyond(conversation, after)
        live = request.query_params.get("live")
        if live == "sse":
            frames = _frames(conversation, at, run)
            return EventStream(frames, run, on_gone=lambda: self._gone(run))
        if live == "long-poll" and at == conversation.head:
            await conversation.more(POLL_S)
            conversation.advance()
        return _batches(conversation, at, waited=live == "long-poll")

    def _gone(self, run: Run | None) -> None:
        if run:
            self._engine.gone(run)


# --- requests ---------------------------------------------------------------------------------------------


def _message(body: bytes) -> JSON:
    try:
        given = json.loads(body or b"null")
    except (ValueError, RecursionError):
        details = "Verify the body is well-formed JSON."
        raise FlueError(400, "invalid_json", "Request body is not valid JSON.", details) from None
    kind = given.get("kind") if isinstance(given, dict) else None
    if kind not in ("user", "signal") or not isinstance(given.get("body"), str):
        raise malformed(_SHAPE)
    if kind == "signal" and not isinstance(given.get("type"), str):
        raise malformed(_SHAPE)
    return dict(given)


def _check_uid(conversation: Conversation, given: JSON) -> None:
    """`uid`: a string wants that very instance, null wants none yet."""
    if "uid" not in given:
        return
    name, uid = f'Agent instance "{conversation.id}"', given["uid"]
    if uid is None and conversation.exists:
        details = f'Continue it with uid "{conversation.uid}", or pick a fresh id to create.'
        meta = {"uid": conversation.uid}
        raise FlueError(409, "agent_instance_exists", f"{name} already exists.", details, meta)
    if uid is not None and uid != conversation.uid:
        details = "No instance with this id and uid exists. Send without a uid to deliver unconditionally."
        raise FlueError(404, "agent_instance_not_found", f"{name} was not found.", details)


def _check_payload(engine: Engine, conversation: Conversation, submission: str, payload: JSON) -> None:
    known = conversation.payloads.get(submission)
    if known is None:  # from an earlier process: only its text was kept
        known = payload | {"body": (engine.store.run(submission) or {}).get("prompt")}
    if known != payload:
        message = "This idempotency key already names a different submission."
        details = "Retry the identical payload, or use a fresh key to deliver something new."
        raise FlueError(409, "submission_conflict", message, details, {"submissionId": submission})


def _offset(request: Request) -> str:
    query = request.query_params
    if "tail" in query:
        raise malformed("Update streams do not accept tail.")
    offsets = query.getlist("offset")
    if len(offsets) != 1:
        raise malformed("Exactly one offset is required.")
    if not _OFFSET.fullmatch(offsets[0]):
        raise malformed("Invalid offset format.")
    if query.get("live", "sse") not in ("sse", "long-poll"):
        raise malformed("Invalid live mode. Use long-poll or sse.")
    return offsets[0]


def _no_offset(request: Request) -> str:
    if {"offset", "tail", "live"} & set(request.query_params):
        raise malformed("History reads do not accept offset, tail, or live parameters.")
    return ""


def _beyond(conversation: Conversation, after: str) -> FlueError:
    name = f'"agents/{conversation.name}/{conversation.id}"'
    details = (
        "The stream is shorter than the requested resume offset — it was likely reset since the offset was "
        "checkpointed. Re-read the conversation history and resume from its offset."
    )
    meta = {"offset": after, "nextOffset": offset(conversation.head)}
    message = f'Stream offset "{after}" is beyond the current head of {name}.'
    return FlueError(416, "stream_offset_gone", message, details, meta)


# --- answers ----------------------------------------------------------------------------------------------


def _admitted(
    request: Request, conversation: Conversation, submission: str, at: str, deduplicated: bool = False
) -> Response:
    url = str(request.url.replace(query=None))
    told: JSON = {"streamUrl": url, "offset": at, "submissionId": submission, "uid": conversation.uid}
    headers = {"location": url, "stream-next-offset": at}
    return JSONResponse(told | ({"deduplicated": True} if deduplicated else {}), 202, headers)


def _told(head: int, *, up_to_date: bool = True) -> dict[str, str]:
    headers = {"stream-next-offset": offset(head), "cache-control": "no-store"}
    return headers | ({"stream-up-to-date": "true"} if up_to_date else {})


def _batches(conversation: Conversation, at: int, *, waited: bool) -> Response:
    last = min(at + _BATCHES, conversation.head)
    chunks = [chunk for batch in conversation.batches[at + 1 : last + 1] for chunk in batch]
    if waited and not chunks:
        chunks = [_checkpoint(conversation)]
    return JSONResponse(chunks, headers=_told(last, up_to_date=last == conversation.head))


def _checkpoint(conversation: Conversation) -> JSON:
    return {"type": "stream-checkpoint", "incarnation": conversation.incarnation}


async def _frames(conversation: Conversation, at: int, run: Run | None) -> AsyncGenerator[list[bytes], None]:
    """The stream from batch `at` on. Ends only where the backend does, or where a switch asks for it."""
    yield [_frame("data", [_checkpoint(conversation)])]
    silent = run is not None and run.switches.end == "silent-end" and run.attachments <= run.switches.cuts
    beats, first = 0, True
    while not conversation.closed:
        conversation.advance()
        out: list[bytes] = []
        while at < conversation.head:
            batch = conversation.batches[at + 1]
            if silent and run and any(_settles(chunk, run.id) for chunk in batch):
                yield out
                return
            at += 1
            out += [_frame("data", batch), _control(at, conversation.head)]
        yield out or ([_control(at, at)] if first else [])
        first = False
        if not await conversation.more(HEARTBEAT_S):
            beats += 1
            yield [HEARTBEAT] if beats % 2 else [_control(at, at)]


def _settles(chunk: JSON, submission: str) -> bool:
    return (chunk["type"], chunk.get("submissionId")) == ("submission-settled", submission)


def _control(at: int, head: int) -> bytes:
    return _frame("control", {"streamNextOffset": offset(at)} | ({"upToDate": True} if at == head else {}))


def _frame(name: str, value: Any) -> bytes:
    """No space after `data:`, as in the original."""
    data = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return f"event: {name}\ndata:{data}\n\n".encode("utf-8", "replace")
