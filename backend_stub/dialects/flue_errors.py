"""Flue's error envelope: {"error": {"type", "message", "details", "meta"?}}. Clients go by `type` alone."""

from __future__ import annotations

from typing import Any

from starlette.responses import JSONResponse, Response


class FlueError(Exception):
    """An error that a route answers with."""

    def __init__(
        self, status: int, type: str, message: str, details: str = "", meta: dict[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.error = {"type": type, "message": message, "details": details} | ({"meta": meta} if meta else {})
        self.headers: dict[str, str] = {}

    def response(self) -> Response:
        return JSONResponse({"error": self.error}, self.status, self.headers)


def malformed(details: str) -> FlueError:
    return FlueError(400, "invalid_request", "Request is malformed.", details)


def not_allowed(method: str, *allowed: str) -> FlueError:
    named = ", ".join(f'"{each}"' for each in allowed)
    message = f"HTTP method {method} is not allowed on this endpoint."
    error = FlueError(405, "method_not_allowed", message, f"This endpoint accepts {named} only.")
    error.headers = {"allow": ", ".join(allowed)}
    return error
