"""Keeps secrets out of what is shown in lists and stored beside the log: titles and addresses."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit, urlunsplit

HIDDEN = "[hidden]"

_SECRET = re.compile(
    r"""
      \b(?:sk|pk|rk)[-_](?:[a-z]+[-_])*[A-Za-z0-9_-]{16,}      # model providers, Stripe
    | \b(?:gh[pousr]_|github_pat_|glpat-|xox[abeoprs]-|npm_|pypi-|hf_|dop_v1_|shpat_|sbp_)[A-Za-z0-9_-]{10,}
    | \b(?:AKIA|ASIA)[A-Z0-9]{16}\b                            # AWS
    | \bAIza[A-Za-z0-9_-]{30,}                                 # Google
    | \beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?   # JSON web tokens
    | -----BEGIN[ A-Z]*PRIVATE\ KEY-----
    | \b(?:bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}
    | (?<=://)[^/\s@]+@                                        # user and password of an address
    | \b[\w-]*(?:passw(?:or)?d|passphrase|secret|token|api[-_\ ]?key|credential)[\w-]*\s*(?:[:=]|\bis\b)\s*\S+
    """,
    re.VERBOSE | re.IGNORECASE,
)
_RANDOM = re.compile(  # long, of letters and digits, and no UUID
    r"\b(?![\da-f]{8}-[\da-f]{4}-)(?=[\w+-]*\d)(?=[\w+-]*[A-Za-z])[A-Za-z0-9+_-]{32,}={0,2}"
)
_NAMES = re.compile(r"key|token|secret|sig|auth|pass|pwd|credential|session|code", re.IGNORECASE)


def without_secrets(text: str) -> str:
    """The text with whatever looks like a secret replaced. Errs on the side of hiding."""
    return _RANDOM.sub(HIDDEN, _SECRET.sub(HIDDEN, text))


def clean_url(url: str) -> str:
    """The address without user, password and fragment, and without secrets in its query.

    A template stays one: its {placeholders} are not touched.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return without_secrets(url)
    query = "&".join(pair for pair in parts.query.split("&") if not _is_secret(pair))
    place = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, place, parts.path, query, ""))


def _is_secret(pair: str) -> bool:
    name, _, value = pair.partition("=")
    if re.fullmatch(r"\{\w+\}", value):
        return False
    return bool(_NAMES.search(name)) or without_secrets(value) != value


def clean(value: Any) -> Any:
    """What is kept beside a conversation to reach its backend again, without secrets in it."""
    if isinstance(value, dict):
        return {name: clean(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [clean(inner) for inner in value]
    if isinstance(value, str):
        return clean_url(value) if "://" in value else _SECRET.sub(HIDDEN, value)
    return value
