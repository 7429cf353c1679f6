"""An ADK server's requests: its apps, its sessions, its cancel route. What they mean is judged elsewhere."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

from tui.backends.abort import send_abort
from tui.backends.address import path_id
from tui.backends.adk_cancel import SUFFIX, declares_cancel, read_cancel
from tui.backends.adk_wire import JSON
from tui.backends.base import AbortAnswer, BackendError, PromptNotSent, PromptRejected
from tui.backends.http import Http, Stream

_SESSION_LIMIT = 32 << 20  # bytes; a session comes with all its events
_OPENAPI_LIMIT = 4 << 20
_OPENAPI_S = 10.0  # the first one takes a server 1-2 s to make
_LOOK_S = 10.0


class Server:
    """One app on one server, for one user. `app` may be empty: then it is the only one that is listed."""

    def __init__(self, http: Http, app: str, user: str) -> None:
        self.http = http
        self.app = path_id(app, "agent's name") if app else ""
        self.user = path_id(user, "user id")
        self._known: set[str] = set()  # sessions that exist

    async def choose_app(self) -> None:
        """Raises BackendError where it is not clear which app is meant."""
        if self.app:
            return
        reply = await self.http.request("GET", self.http.url("list-apps"), accept_statuses=(200,))
        listed = reply.json()
        apps = [app for app in listed if isinstance(app, str)] if isinstance(listed, list) else []
        if len(apps) != 1:
            some = ": " + ", ".join(apps[:8]) if apps else ""
            raise PromptRejected(f"This server has {len(apps) or 'no'} agents: name one with --agent{some}.")
        self.app = path_id(apps[0], "agent's name")

    async def declares_cancel(self) -> bool:
        """Whether openapi.json lists the cancel route; no list, no route."""
        url = self.http.url("openapi.json")
        try:
            found = await self.http.request("GET", url, timeout_s=_OPENAPI_S, limit=_OPENAPI_LIMIT)
        except BackendError:
            return False
        return found.ok and declares_cancel(found.json())

    async def make_session(self, conversation_id: str) -> bool:
        """See to it that the session exists. True: it was created now. Raises as a prompt does."""
        if conversation_id in self._known:
            return False
        try:
            await self.choose_app()
            reply = await self.http.request(
                "POST",
                self.http.url("apps", self.app, "users", self.user, "sessions"),
                json={"sessionId": path_id(conversation_id, "conversation id")},
                accept_statuses=(200, 409),  # 409: it exists
            )
        except PromptRejected:
            raise
        except BackendError as error:  # whatever became of the session: the prompt itself has not left
            raise PromptNotSent(str(error), status=error.status) from None
        self._known.add(conversation_id)
        return reply.ok

    def forget_session(self, conversation_id: str) -> None:
        """The server says that it is gone: make it anew for the next prompt."""
        self._known.discard(conversation_id)

    async def session(self, conversation_id: str) -> JSON | None:
        """The session with all its events; None if there is none that can be read. Raises BackendError."""
        await self.choose_app()
        reply = await self.http.request(
            "GET",
            self._session_url(conversation_id),
            timeout_s=_LOOK_S,
            accept_statuses=(200, 404),
            limit=_SESSION_LIMIT,
        )
        found = reply.json() if reply.ok else None
        return found if isinstance(found, dict) else None

    def post(self, body: JSON) -> AbstractAsyncContextManager[Stream]:
        """`/run_sse`: the run lasts as long as its stream is open, and no longer."""
        asked = {"appName": self.app, "userId": self.user, "streaming": True, **body}
        heavy = any("inlineData" in part for part in body["newMessage"]["parts"])
        return self.http.stream("POST", self.http.url("run_sse"), json=asked, heavy=heavy)

    async def cancel(self, conversation_id: str) -> AbortAnswer:
        """Ask the cancel route. Raises BackendError where it is not clear whom to ask."""
        await self.choose_app()
        return await send_abort(self.http, self._session_url(conversation_id, SUFFIX), read=read_cancel)

    async def delete_stray(self, conversation_id: str) -> None:
        """Delete the session that a cancel was taken to ask for, if that is quick: a stop waits for it."""
        url = self._session_url(conversation_id, SUFFIX)
        try:
            await self.http.request("DELETE", url, lane="abort", timeout_s=1.0)
        except BackendError:
            pass

    def _session_url(self, conversation_id: str, suffix: str = "") -> str:
        session = path_id(conversation_id, "conversation id") + suffix
        url = self.http.url("apps", self.app, "users", self.user, "sessions", session)
        return url.replace("%3Acancel", SUFFIX) if suffix else url
