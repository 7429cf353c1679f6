"""What a server answered: its bounded body, and one sentence for each status that says what to do."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

from tui.core.safe_text import safe_line

_SENTENCES = {
    400: "The server did not understand the request (400): check the URL and --backend.",
    401: "The server wants a token (401): give one with --token-env or --header.",
    403: "The server does not allow this (403): check the token's rights.",
    404: "There is nothing at this address (404): check the URL and the agent's name.",
    405: "This address takes no such request (405): check the URL and --backend.",
    408: "The server waited too long for the request (408): try again.",
    409: "The server says that something else is in the way (409): wait until the last run is over.",
    410: "What this address led to is gone (410): start a new conversation.",
    413: "The prompt is too long for this server (413): shorten it or start a new conversation.",
    415: "The server does not take JSON here (415): check the URL and --backend.",
    422: "The server did not accept the request's fields (422): check --backend and the agent's version.",
    429: "The server has had too many requests (429): wait a moment and send again.",
    501: "The server cannot do this (501): check the URL and --backend.",
    502: "The server in front of the agent could not reach it (502): see whether the agent runs.",
    503: "The server is busy or down (503): wait a moment and send again.",
    504: "The server in front of the agent got no answer from it (504): see whether the agent runs.",
}

_MESSAGE_KEYS = ("detail", "message", "msg", "error", "title")


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer. `headers` have lower-case names; `body` was cut at the limit if `truncated`."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""
    truncated: bool = False

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def retry_after_s(self) -> float | None:
        """Seconds to wait, as Retry-After says, between 1 and 3600; None where it says nothing usable."""
        return retry_after(self.headers.get("retry-after", ""))

    def json(self) -> Any | None:
        """The body as JSON; None where it is not, was cut, or is encoded."""
        if self.truncated:
            return None
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    def redirect_origin(self, url: str) -> str:
        """Where a 3xx points to: scheme, host and port only, nothing secret."""
        try:
            to = urlsplit(urljoin(url, self.headers.get("location", "")))
            port = f":{to.port}" if to.port else ""
            return f"{to.scheme}://{to.hostname}{port}" if to.hostname else "an unknown place"
        except ValueError:
            return "an unknown place"

    def sentence(self, url: str) -> str:
        """What the status means and what to do, without what the server wrote."""
        if 300 <= self.status < 400:
            where = self.redirect_origin(url)
            return (
                f"The server redirected to {where} ({self.status}), which is not followed: "
                "put the final address into the URL."
            )
        known = _SENTENCES.get(self.status)
        if known:
            return known
        if self.status >= 500:
            return f"The server failed ({self.status}): look into its log."
        return f"The server answered {self.status}, which is not expected here: check the URL and --backend."


def retry_after(value: str) -> float | None:
    """Seconds from a Retry-After header (RFC 9110 10.2.3), digits or a date, clamped to 1..3600."""
    value = value.strip()
    if value.isascii() and value.isdigit():
        return _clamp(float(value[:9]))
    try:
        when = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return _clamp((when - datetime.now(UTC)).total_seconds())


def _clamp(seconds: float) -> float:
    return min(max(seconds, 1.0), 3600.0)


def server_words(reply: Reply) -> str:
    """The server's own message, where its JSON body holds one: a clean line of at most 200 characters."""
    found: Any = reply.json()
    for _ in range(3):
        if isinstance(found, str):
            return safe_line(found, 200)
        if isinstance(found, list) and found:
            found = found[0]
        elif isinstance(found, dict):
            found = next((found[key] for key in _MESSAGE_KEYS if found.get(key)), None)
    return safe_line(found, 200) if isinstance(found, str) else ""
