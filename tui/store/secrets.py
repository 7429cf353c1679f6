"""Keeps secrets out of what is shown in lists and stored beside the log: titles and addresses."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

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
    | \b[\w-]*(?:passw(?:or)?d|passphrase|secret|token|api[-_]?key|credential)[\w-]*\s*(?:[:=]|\bis\b)\s*\S+
    | \b(?=[A-Za-z0-9+/_-]*\d)(?=[A-Za-z0-9+/_-]*[A-Za-z])[A-Za-z0-9+/_-]{32,}={0,2}   # long and random
    """,
    re.VERBOSE | re.IGNORECASE,
)
_NAMES = re.compile(r"key|token|secret|sig|auth|pass|pwd|credential|session|code", re.IGNORECASE)


def without_secrets(text: str) -> str:
    """The text with whatever looks like a secret replaced. Errs on the side of hiding."""
    return _SECRET.sub(HIDDEN, text)


def clean_url(url: str) -> str:
    """The address without user, password and fragment, and without secrets in its query."""
    try:
        parts = urlsplit(url)
        pairs = parse_qsl(parts.query, keep_blank_values=True)
    except ValueError:
        return without_secrets(url)
    kept = [(name, value) for name, value in pairs if not _is_secret(name, value)]
    place = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, place, parts.path, urlencode(kept), ""))


def _is_secret(name: str, value: str) -> bool:
    return bool(_NAMES.search(name)) or without_secrets(value) != value
