"""Where an AG-UI server takes what AG-UI leaves open: above all the abort, for which there is no standard.

A server is one of these: the user's own template (`--abort-url`), a preset (copilotkit, trpc-agent), our own
backend's dialect (stopkey, which also has look-ups, re-attaching and answers), or one without an abort.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from tui.backends.address import path_id
from tui.backends.base import BackendError, Capabilities, RemoteStop, RunRef, Scope, Takes, Target
from tui.backends.http import Http

_PLACE = re.compile(r"\{(\w*)\}")
_PLACES = ("base", "agent", "conversation_id", "run_id", "reason")
_AGENT_PATH = re.compile(r"/agents/[^/]+\Z")
_COPILOT_PATH = re.compile(r"/agent/[^/]+/run\Z")

_ANY = Capabilities(
    RemoteStop.NONE,
    client_run_id=True,
    takes_history=True,
    remembers_partial=True,  # we send the history ourselves, the partial reply in it
    answers_questions=True,
    answer_streams=True,
    takes_files=Takes(("*/*",), 10_000_000, 20_000_000),  # the protocol has no limit: ours
)
_ABORTABLE = replace(_ANY, remote_stop=RemoteStop.ABORT)
_STOPKEY = replace(
    _ABORTABLE,
    answer_confirms=True,
    disconnect_stops=False,
    resume=True,
    status=True,
    takes_reason=True,
    takes_files=Takes(("*/*",), 500_000, 600_000),  # a request may have 1 MiB
    heartbeat_s=15.0,
)


@dataclass(frozen=True, slots=True)
class Routes:
    """One server's routes. `root` is what {base} stands for; `abort_url` and `abort_body` are templates.

    `props` go with every run as forwardedProps. `stopkey`: it speaks our own backend's dialect below `root`.
    """

    run_url: str
    root: str
    agent: str = ""
    abort_url: str = ""
    abort_body: Any = None
    capabilities: Capabilities = field(default=_ANY)
    props: Any = field(default_factory=dict)
    stopkey: bool = False

    def abort(self, run: RunRef, reason: str) -> tuple[str, Any]:
        """URL and JSON body (None: none) of a run's abort. Raises BackendError where an id is missing."""
        values = {
            "base": self.root,
            "agent": self.agent,
            "conversation_id": run.conversation_id,
            "run_id": run.run_id,
            "reason": reason,
        }
        url = _PLACE.sub(lambda place: _in_path(place[1], values), self.abort_url)
        return url, _filled(self.abort_body, values)

    def of_run(self, run_id: str, *more: str) -> str:
        """The URL of a run, or of something below it, in our own backend's dialect."""
        return "/".join((self.root, "runs", path_id(run_id, "run id"), *more))

    def of_conversation(self, conversation_id: str) -> str:
        """The URL of a conversation in our own backend's dialect."""
        return "/".join((self.root, "conversations", path_id(conversation_id, "conversation id")))


def routes_of(target: Target, http: Http) -> Routes:
    """The routes that a target's fields name. Raises BackendError for a template that cannot be right."""
    if target.options.get("dialect") == "stopkey":
        return stopkey(target, http)
    preset = _PRESETS.get(target.abort_url)
    if preset:
        return preset(target, http)
    given = _plain(target, http)
    return replace(given, **_given_abort(target, http)) if target.abort_url else given


def stopkey(target: Target, http: Http) -> Routes:
    """Our own backend: the URL is its root, or that of one agent."""
    path = _AGENT_PATH.search(http.base)
    root = _AGENT_PATH.sub("", http.base)
    agent = path[0].rpartition("/")[2] if path else path_id(target.agent or "demo", "agent")
    return Routes(
        f"{root}/agents/{agent}", root, agent, "{base}/runs/{run_id}/abort", {"reason": "{reason}"}, _STOPKEY,
        _props(target), stopkey=True,
    )  # fmt: skip


def _copilotkit(target: Target, http: Http) -> Routes:
    """CopilotKit's runtime: agents below one address, the stop by thread and (newer versions) by run."""
    root = _COPILOT_PATH.sub("", http.base)
    agent = target.agent or (http.base.split("/")[-2] if root != http.base else "default")
    return Routes(
        f"{root}/agent/{path_id(agent, 'agent')}/run", root, agent,
        "{base}/agent/{agent}/stop/{conversation_id}", {"runId": "{run_id}"},
        replace(_ABORTABLE, scope=Scope.CONVERSATION, remembers_partial=None), _props(target),
    )  # fmt: skip


def _trpc_agent(target: Target, http: Http) -> Routes:
    """trpc-agent-go: `cancel` beside the agent, which finds the run by the thread; one of several instances
    may hear of it only a second later."""
    return Routes(
        http.url(), http.base.rpartition("/")[0] if http.address.path.strip("/") else http.base, target.agent,
        "{base}/cancel",
        {"threadId": "{conversation_id}", "runId": "{run_id}", "forwardedProps": _props(target)},
        replace(_ABORTABLE, scope=Scope.CONVERSATION, remembers_partial=None, grace_s=3.0), _props(target),
    )  # fmt: skip


def _plain(target: Target, http: Http) -> Routes:
    """A server about whose abort nothing is known."""
    return Routes(http.url(), http.base, target.agent, props=_props(target))


_PRESETS: dict[str, Callable[[Target, Http], Routes]] = {
    "copilotkit": _copilotkit,
    "trpc-agent": _trpc_agent,
    "none": _plain,
}
"""What may be given for `--abort-url` instead of a template."""


def _given_abort(target: Target, http: Http) -> dict[str, Any]:
    """The user's own template, checked as far as it can be before there is a run."""
    url = target.abort_url
    if url.startswith("/"):
        url = http.address.origin + url
    if not url.startswith(("{base}", "http://", "https://")):
        known = ", ".join(_PRESETS)
        raise BackendError(f"--abort-url must begin with http(s)://, / or {{base}}, or be one of {known}.")
    body = _body(target.abort_body)
    for name in _PLACE.findall(url + json.dumps(body)):
        if name not in _PLACES:
            raise BackendError(f"--abort-url knows no {{{name}}}: it knows {{{'}, {'.join(_PLACES)}}}.")
    by_run = "{run_id}" in url or "{run_id}" in json.dumps(body)
    abilities = replace(
        _ABORTABLE,
        scope=Scope.RUN if by_run else Scope.CONVERSATION,
        takes_reason="{reason}" in json.dumps(body),
    )
    return {"abort_url": url, "abort_body": body, "capabilities": abilities}


def _props(target: Target) -> Any:
    try:
        return json.loads(target.options.get("forwarded_props") or "{}")
    except ValueError:
        raise BackendError("The option forwarded_props must be JSON: check --option.") from None


def _body(text: str) -> Any:
    if not text:
        return None
    try:
        return json.loads(text)
    except ValueError:
        raise BackendError('--abort-body must be JSON, as in \'{"runId": "{run_id}"}\'.') from None


def _in_path(name: str, values: dict[str, str]) -> str:
    """What stands for a place in a URL. An id is checked, so that it cannot become another path."""
    if name in ("base", "reason"):
        return values["base"] if name == "base" else ""
    if not values[name]:
        option = {"agent": "--agent", "conversation_id": "--conversation", "run_id": "--run"}[name]
        raise BackendError(f"This server's abort needs the {name.replace('_', ' ')}: name it with {option}.")
    return path_id(values[name], name.replace("_", " "))


def _filled(template: Any, values: dict[str, str]) -> Any:
    """The body with every place in its texts filled in. JSON stays JSON, whatever the values hold."""
    if isinstance(template, str):
        return _PLACE.sub(lambda place: values.get(place[1], place[0]), template)
    if isinstance(template, list):
        return [_filled(one, values) for one in template]
    if isinstance(template, dict):
        return {key: _filled(value, values) for key, value in template.items()}
    return template
