"""The user's headers and token: checked, kept out of every text, and sent only where the user said."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping

from tui.backends.address import parse, parse_template
from tui.backends.base import BackendError, Target

_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+\Z")
_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?\Z")
_SHORTEST_SECRET = 6
"""Shorter header values are switches, not secrets, and would blot out ordinary words."""


class Credentials:
    """What to send to prove who asks. `headers` must reach only `origins`. Never shown by repr.

    Raises BackendError for a header that cannot be sent, or a token variable that is not set.
    """

    def __init__(self, target: Target) -> None:
        self.headers = _headers(target)
        abort = parse_template(target.abort_url)
        self.origins = frozenset(a.origin for a in (parse(target.url), abort) if a)
        self._secrets = _secrets(self.headers.values(), target.proxy)

    def __repr__(self) -> str:
        return f"Credentials({', '.join(self.headers)})"

    def redact(self, text: str) -> str:
        """`text` without any secret, should a server repeat one to us."""
        for secret in self._secrets:
            text = text.replace(secret, "•••")
        return text


def check_header(name: str, value: str) -> None:
    """Raise BackendError unless the header can be sent: visible ASCII and spaces, no line ends, not empty."""
    if not _NAME.match(name):
        raise BackendError("A header's name may only hold letters, digits and '-': check --header.")
    if not _VALUE.match(value):
        raise BackendError(f"The header {name} holds a character that cannot be sent: check its value.")


def _headers(target: Target) -> Mapping[str, str]:
    given: dict[str, str] = {}
    for name, value in target.headers:
        check_header(name, value)
        given[name] = value
    if target.token_env and not any(name.lower() == "authorization" for name in given):
        given["Authorization"] = f"Bearer {_token(target.token_env)}"
    return given


def _token(variable: str) -> str:
    token = os.environ.get(variable, "").strip()
    if not token:
        raise BackendError(f"The environment variable {variable} holds no token: set it first.")
    if not _VALUE.match(token):
        raise BackendError(f"The token in {variable} holds a character that cannot be sent: set it again.")
    return token


def _secrets(values: Iterable[str], proxy: str) -> list[str]:
    """Header values whole and word by word, and a proxy's login; the longest first."""
    words = {word for value in values for word in (value, *value.split())}
    words.update(re.findall(r"//([^/@]*)@", proxy))
    return sorted((w for w in words if len(w) >= _SHORTEST_SECRET and w != "Bearer"), key=len, reverse=True)
