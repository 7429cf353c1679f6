"""A ContractSpec host in memory: answers each request from a script, and remembers what was asked."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from tui.backends.base import Prompt, RunRef, Target
from tui.backends.contractspec import ContractSpec, Pace
from tui.backends.http import Http

CAPTURES = Path(__file__).parent.parent / "captures" / "contractspec"
Answer = httpx.Response | Exception | Callable[[], httpx.Response]

PROMPT = Prompt("Hello", "c-1", "client-id", "key-1")
RUN = RunRef("c-1", "run-1", "key-1")


def recorded(name: str) -> httpx.Response:
    """A recorded reply, as the bytes were."""
    head, _, body = (CAPTURES / f"{name}.res").read_bytes().partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    headers = [tuple(part.strip() for part in line.split(b":", 1)) for line in lines[1:]]
    kept = [(name, value) for name, value in headers if name.lower() != b"content-length"]
    return httpx.Response(int(lines[0].split(b" ")[1]), headers=kept, content=body)


def answer(status: int, body: Any, **headers: str) -> httpx.Response:
    return httpx.Response(status, json=body, headers=headers)


def a_run(status: str = "IN_PROGRESS", text: str = "", **fields: Any) -> httpx.Response:
    """A look at run-1 of conversation c-1."""
    output = {"content": text}
    step = {"id": "s1", "stepNumber": 1, "type": "MESSAGE_CREATION", "output": output, "status": status}
    run = {"id": "run-1", "sessionId": "c-1", "status": status, "steps": [step] if text else []}
    return answer(200, run | fields)


class Host:
    """`script[operation]` are the answers to it in order; the last one is given again and again."""

    def __init__(self, script: dict[str, list[Answer]]) -> None:
        self.script = script
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def handle(self, request: httpx.Request) -> httpx.Response:
        operation = request.url.path.split("/")[-2]
        query = request.url.params.get("input")
        self.asked.append((operation, json.loads(query or request.content or b"{}")))
        answers = self.script[operation]
        given = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(given, Exception):
            raise given
        given = given if isinstance(given, httpx.Response) else given()
        unread = httpx.ByteStream(given.content)
        return httpx.Response(given.status_code, headers=given.headers, stream=unread)

    def backend(self, pace: Pace | None = None, agent: str = "agent-1") -> ContractSpec:
        target = Target("contractspec", "http://127.0.0.1:1/api", agent=agent)
        http = Http(target, make_transport=lambda *_: httpx.MockTransport(self.handle))
        return ContractSpec(target, http=http, pace=pace or Pace(fast=0.0, slow=0.0))

    def operations(self) -> list[str]:
        return [operation for operation, _ in self.asked]
