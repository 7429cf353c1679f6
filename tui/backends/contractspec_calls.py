"""The four requests to a ContractSpec host, and what their answers mean for us: sentences and errors."""

from __future__ import annotations

from tui.backends.abort import send_abort
from tui.backends.base import AbortAnswer, BackendError, Prompt, PromptRejected, StreamLost
from tui.backends.contractspec_decode import (
    DECLARED,
    JSON,
    NO_ROUTE,
    Problem,
    end_of,
    ids_of,
    read_object,
    read_problem,
    text_of,
)
from tui.backends.http import Http, Lane
from tui.backends.reply import Reply
from tui.core.codec import dumps
from tui.core.events import Answer, End

MARK = "stopkey"
"""Our key in a run's metadata: by it a run is found whose id never reached us."""

_RUN_LIMIT = 16 << 20  # bytes of one look at a run, which holds the whole reply
_EXECUTE_S = 30.0
_LOOK_S: dict[Lane, float] = {"calls": 10.0, "abort": 2.0}  # a stop waits 5 s in all, its own answer included
_CANDIDATES = 10  # newest runs of a conversation that are looked at to find one


class Calls:
    """`agent.run.*` of one agent. `lane` keeps what belongs to a stop off the connections of the rest."""

    def __init__(self, http: Http, agent: str) -> None:
        self._http = http
        self._agent = agent
        self.accepted: set[str] = set()
        """Runs whose cancel was accepted for later: to be still in progress is then no contradiction."""

    async def execute(self, prompt: Prompt) -> tuple[str, str]:
        """Start a run: its id, and the answer's body. Raises PromptNotSent, PromptRejected or StreamLost."""
        body = {
            "agentId": self._agent,
            "input": {"message": prompt.text},
            "sessionId": prompt.conversation_id,
            "metadata": {MARK: prompt.key},
        }
        url = self._http.url("agent", "run", "execute", "v1.0.0")
        reply = await self._http.request("POST", url, json=body, timeout_s=_EXECUTE_S)
        given = read_object(reply.body) if reply.ok else None
        if given and (run_id := text_of(given.get("runId"))):
            return run_id, _text(reply)
        if found := await self._started_all_the_same(prompt, reply):
            return found, ""
        raise self._rejected(reply)

    async def cancel(self, run_id: str, reason: str) -> AbortAnswer:
        """Ask for the end of a run. No answer is an answer, too: UNANSWERED."""
        body = {"runId": run_id} | ({"reason": reason} if reason else {})
        url = self._http.url("agent", "run", "cancel", "v1.0.0")

        def read(reply: Reply) -> AbortAnswer | None:
            answer = _read_cancel(reply)
            if answer and answer.answer is Answer.ACKNOWLEDGED and not _says_cancelled(reply):
                self.accepted.add(run_id)
            return answer

        answer = await send_abort(self._http, url, json=body, read=read)
        if answer.answer is Answer.ALREADY_OVER:
            return await self._checked(run_id, answer)
        return answer

    async def look(self, run_id: str, lane: Lane = "calls") -> tuple[JSON, str]:
        """The run with its steps, and the body as it came.

        Raises PromptRejected where the backend knows no such run, StreamLost where the run was not shown.
        """
        reply = await self._query("get", {"runId": run_id, "includeSteps": True}, lane)
        run = read_object(reply.body) if reply.ok and not reply.truncated else None
        if run is not None and "status" in run:
            return run, _text(reply)
        problem = Problem() if reply.ok else read_problem(reply.status, reply.body)
        if problem.code == "RUN_NOT_FOUND":
            raise PromptRejected("The backend knows no such run.", status=404)
        raise StreamLost(self._why(reply, problem), status=reply.status, retry_after_s=reply.retry_after_s)

    async def marked(self, conversation_id: str, key: str, lane: Lane = "calls") -> str:
        """The id of the run that carries the mark of the prompt `key`; "" if none is to be seen."""
        for run in await self.runs_of(conversation_id, lane) if key else ():
            metadata = run.get("metadata")
            if isinstance(metadata, dict) and metadata.get(MARK) == key:
                return text_of(run.get("id"))
        return ""

    async def runs_of(self, conversation_id: str, lane: Lane = "calls") -> list[JSON]:
        """The newest runs of a conversation. Each is looked at, as a host may overlook the list's filter."""
        reply = await self._query("list", {"sessionId": conversation_id, "limit": _CANDIDATES}, lane)
        given = read_object(reply.body) if reply.ok else None
        items = given.get("items") if given else None
        runs = []
        for run_id in ids_of(items if isinstance(items, list) else [])[:_CANDIDATES]:
            try:
                run, _ = await self.look(run_id, lane)
            except (PromptRejected, StreamLost):
                continue
            if run.get("sessionId") == conversation_id:
                runs.append(run)
        return runs

    async def _started_all_the_same(self, prompt: Prompt, reply: Reply) -> str:
        """A handler may fail after it started the run (by an event it may not emit, say): the run tells."""
        certain = reply.status < 500 and not reply.ok
        if certain or read_problem(reply.status, reply.body).code in DECLARED:
            return ""
        try:
            return await self.marked(prompt.conversation_id, prompt.key)
        except BackendError:
            return ""

    async def _checked(self, run_id: str, answer: AbortAnswer) -> AbortAnswer:
        """The backend says that the run is over. Believed only once the run says so itself."""
        try:
            run, _ = await self.look(run_id, "abort")
        except BackendError:
            detail = f"{answer.detail} The run itself could not be seen."
            return AbortAnswer(Answer.REFUSED, detail, answer.status)
        said = text_of(run.get("status")).upper()
        if end_of(said) in (End.ALIVE, None):
            detail = f"{answer.detail} It shows the run as {said or 'unknown'}, though."
            return AbortAnswer(Answer.REFUSED, detail, answer.status)
        return AbortAnswer(Answer.ALREADY_OVER, f"The run had ended before: {said}.", answer.status)

    # --- requests -----------------------------------------------------------------------------------------

    async def _query(self, query: str, given: JSON, lane: Lane) -> Reply:
        """`input` as JSON: in a plain query string every value is text, and a boolean is refused (422)."""
        url = self._http.url("agent", "run", query, "v1.0.0", input=dumps(given))
        return await self._http.request("GET", url, lane=lane, timeout_s=_LOOK_S[lane], limit=_RUN_LIMIT)

    def _rejected(self, reply: Reply) -> BackendError:
        problem = Problem() if reply.ok else read_problem(reply.status, reply.body)
        if problem.code == "AGENT_NOT_FOUND":
            return PromptRejected("The backend knows no such agent: check --agent.", status=reply.status)
        if problem.code == "AGENT_NOT_ACTIVE":
            return PromptRejected("The agent is not active: activate it on the backend.", status=reply.status)
        if reply.ok or problem.code == NO_ROUTE:
            return PromptRejected(self._why(reply, problem), status=reply.status)
        return self._http.refusal(reply, self._http.base)

    def _why(self, reply: Reply, problem: Problem) -> str:
        """Why a request had no effect, in one sentence that says what to do."""
        if problem.code == NO_ROUTE:
            return _no_route(reply)
        if reply.truncated:
            return "The run is too large to be read."
        if reply.ok:
            return _not_contractspec(reply)
        return str(self._http.refusal(reply, self._http.base))


def _read_cancel(reply: Reply) -> AbortAnswer | None:
    """An answer to `cancel`; None where the contract has no word for it."""
    if reply.ok:
        return _read_yes(reply)
    code = read_problem(reply.status, reply.body).code
    if code == "RUN_NOT_CANCELLABLE":
        said = "The backend says that the run cannot be cancelled."
        return AbortAnswer(Answer.ALREADY_OVER, said, reply.status)
    if code == "RUN_NOT_FOUND":
        return AbortAnswer(Answer.NOTHING_RUNNING, "The backend knows no such run.", reply.status)
    return AbortAnswer(Answer.REFUSED, _no_route(reply), reply.status) if code == NO_ROUTE else None


def _read_yes(reply: Reply) -> AbortAnswer:
    """A 2xx. Its yes is an acknowledgement at most: a handler may say it and change nothing."""
    given = None if reply.truncated else read_object(reply.body)
    if given is None:
        return AbortAnswer(Answer.REFUSED, _not_contractspec(reply), reply.status)
    success, end = given.get("success"), end_of(given.get("status"))
    said = f"The backend answered success {dumps(success)} with status {text_of(given.get('status')) or '-'}."
    if success is True and end in (End.CANCELLED, End.ALIVE, None):
        return AbortAnswer(Answer.ACKNOWLEDGED, said, reply.status)
    sort = Answer.REFUSED if end in (End.ALIVE, None) else Answer.ALREADY_OVER
    return AbortAnswer(sort, said, reply.status)


def _says_cancelled(reply: Reply) -> bool:
    given = read_object(reply.body)
    return given is not None and end_of(given.get("status")) is End.CANCELLED


def _no_route(reply: Reply) -> str:
    return f"There is no ContractSpec route below this URL ({reply.status}): check its base path."


def _not_contractspec(reply: Reply) -> str:
    return f"The server answered {reply.status}, but not as ContractSpec does: check the URL."


def _text(reply: Reply) -> str:
    return reply.body.decode("utf-8", "replace")
