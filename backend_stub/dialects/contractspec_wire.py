"""ContractSpec's answers on the wire: results with and without an envelope, problems, and bad input."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.responses import JSONResponse, Response

VERSION = "1.0.0"
OPTIONS = ("envelope", "details", "lower")

_KINDS = {"execute": "command", "cancel": "command"}
_PROBLEMS = {
    "RUN_NOT_FOUND": (404, "The specified run does not exist", "not_found"),
    "RUN_NOT_CANCELLABLE": (400, "The run cannot be cancelled", "validation"),
    "AGENT_NOT_FOUND": (404, "The specified agent does not exist", "not_found"),
    "AGENT_NOT_ACTIVE": (400, "The specified agent is not active", "validation"),
}
_SOURCE = {"channel": "web"}


class Declared(Exception):
    """An error that the contract declares; `code` is one of the names above, `args` go into the problem."""

    def __init__(self, code: str, **args: Any) -> None:
        super().__init__(code)
        self.code, self.given = code, args


class Invalid(Exception):
    """The input is not what the contract says: `path` should be `expected` and is `received`."""

    def __init__(self, path: str, expected: str, received: str) -> None:
        super().__init__(path)
        self.path, self.expected = path, expected
        self.message = f"Invalid input: expected {expected}, received {received}"


@dataclass(frozen=True, slots=True)
class Host:
    """How a host is set up: the result envelope, errors as the detail of a 500, statuses in lower case."""

    envelope: bool = False
    details: bool = False
    lower: bool = False

    @classmethod
    def of(cls, options: str) -> Host | None:
        """From a path like `+envelope+lower`; None where an option does not exist."""
        names = [name for name in options.split("+") if name]
        return cls(**dict.fromkeys(names, True)) if set(names) <= set(OPTIONS) else None

    def status(self, name: str) -> str:
        return name.lower() if self.lower else name

    def result(self, data: dict[str, Any], status: int = 200) -> Response:
        if not self.envelope:
            return JSONResponse(data, status)
        code, state = ("OK", "completed") if status == 200 else ("ACCEPTED", "accepted")
        whole = {"ok": True, "code": code, "status": status, "data": data, "state": state, "source": _SOURCE}
        return JSONResponse(whole, status)

    def declared(self, operation: str, error: Declared) -> Response:
        """As the contract says it, or as a handler without error codes makes the runtime say it."""
        if self.details:
            return internal(operation, error.code)
        status, detail, category = _PROBLEMS[error.code]
        more = {"category": category, "severity": "warning", "retryable": False, "gqlCode": error.code}
        return _problem(status, error.code, detail, **more, **_operation(operation), args=error.given)


def internal(operation: str, detail: str) -> Response:
    more = {"category": "internal", "severity": "error", "retryable": False}
    return _problem(500, "INTERNAL_ERROR", detail, **more, **_operation(operation))


def invalid(operation: str, error: Invalid) -> Response:
    issue = {
        "expected": error.expected,
        "code": "invalid_type",
        "path": [error.path],
        "message": error.message,
    }
    told = [{"path": error.path, "code": "invalid_type", "message": error.message}]
    more = {"category": "validation", "severity": "warning", "retryable": False}
    detail = json.dumps([issue], indent=2)
    return _problem(422, "VALIDATION_FAILED", detail, **more, **_operation(operation), issues=told)


def no_route(path: str) -> Response:
    more = {"category": "not_found", "severity": "warning", "retryable": False, "args": {"path": path}}
    return _problem(404, "NOT_FOUND", f"No ContractSpec route matched {path}.", **more)


def _operation(name: str) -> dict[str, Any]:
    kind = _KINDS.get(name, "query")
    told = {"key": f"agent.run.{name}", "version": VERSION, "kind": kind}
    return {"operation": told, "source": _SOURCE}


def _problem(status: int, code: str, detail: str, **more: Any) -> Response:
    slug, title = code.lower().replace("_", "-"), code.replace("_", " ").title()
    body = {"type": f"https://contractspec.io/problems/{slug}", "title": title, "status": status}
    body |= {"code": code, "detail": detail} | more
    return JSONResponse(body, status, media_type="application/problem+json; charset=utf-8")


# --- input ---

_NAMES: dict[type, str] = {
    str: "string", bool: "boolean", int: "number", float: "number", dict: "object", list: "array",
    type(None): "null",
}  # fmt: skip


def field(given: dict[str, Any], name: str, expected: str, *, optional: bool = False) -> Any:
    """A field of the input, None if it is missing and may be. Raises Invalid."""
    value = given.get(name)
    if name not in given and optional:
        return None
    received = _NAMES[type(value)] if name in given else "undefined"
    if received != expected:
        raise Invalid(name, expected, received)
    return value


def read_query(params: Callable[[str], str | None], names: list[str]) -> dict[str, Any]:
    """A query's input: `?input=JSON`, or plain parameters, all of which are then strings."""
    whole = params("input")
    if whole is None:
        return {name: value for name in names if (value := params(name)) is not None}
    value = json.loads(whole)
    if not isinstance(value, dict):
        raise Invalid("", "object", _NAMES[type(value)])
    return value
