"""Which links may be opened, and what a person must see before one is.

A link comes from a model: its text may lie about its target and its host may look like another. Only http
and https are ever opened, only on an explicit key, and what is shown is what is opened.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from unicodedata import category, normalize
from urllib.parse import SplitResult, quote, urlsplit

from tui.core.safe_text import EMPTY, SafeText, safe, safe_line

LONGEST = 2048
"""Characters; longer ones are not opened."""
_HOST = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?\.?")
_NUMBER = re.compile(r"0x[0-9a-f]*|[0-9]+")
_DOTS = re.compile("[.\u3002\uff0e\uff61]")
_KEEP = "%/:@!$&'()*+,;=~-._?[]"
_LOOKS_LIKE_URL = re.compile(
    r"(?:[a-z][a-z0-9+.-]*:/*)?(?P<host>[^\s/?#@:]+\.[^\s/?#@:]{2,})(?:[:/?#].*)?", re.I
)


@dataclass(frozen=True, slots=True)
class Link:
    """A link as it may be shown and opened.

    `url` is what is opened, plain ASCII, and what must be shown; empty when it must not be opened, and then
    `refusal` is one sentence that says why. `host` is the host as the link spelled it, `ascii_host` the name
    that is really asked for (punycode); where they differ `caution` says so.
    """

    url: SafeText = EMPTY
    host: SafeText = EMPTY
    ascii_host: SafeText = EMPTY
    caution: SafeText = EMPTY
    refusal: SafeText = EMPTY


class _Refused(ValueError):
    """`str()` is the sentence."""


def look_at(target: str) -> Link:
    """Judge one link target. Never raises."""
    try:
        return _judge(target)
    except _Refused as refused:
        return Link(refusal=safe_line(str(refused)))
    except ValueError:  # urlsplit and the codecs raise it for broken brackets, ports and labels
        return Link(refusal=safe_line(f"Not opened: {safe_line(target, 80)} is not a valid address."))


def misleads(label: str, link: Link) -> bool:
    """Whether the text of a link names a host other than the one it leads to."""
    found = _LOOKS_LIKE_URL.fullmatch(label.strip())
    if not found:
        return False
    try:
        return _ascii_host(found["host"]) != link.ascii_host
    except ValueError:
        return True


def _judge(target: str) -> Link:
    parts = _split(target)
    host = parts.hostname or ""
    ascii_host = _ascii_host(host)
    netloc = f"[{ascii_host}]" if ":" in ascii_host else ascii_host
    if parts.port is not None:
        netloc += f":{parts.port}"
    path, query, fragment = (quote(part, safe=_KEEP) for part in (parts.path, parts.query, parts.fragment))
    url = f"{parts.scheme.lower()}://{netloc}{path}"
    url += f"?{query}" if query else ""
    url += f"#{fragment}" if fragment else ""
    return Link(safe(url), safe_line(host), safe_line(ascii_host), _caution(host, ascii_host))


def _split(target: str) -> SplitResult:
    if len(target) > LONGEST:
        raise _Refused(f"Not opened: the address is longer than {LONGEST} characters.")
    if safe(target) != target or "\\" in target or any(char.isspace() for char in target):
        raise _Refused("Not opened: the address has characters in it that do not belong in one.")
    parts = urlsplit(target)
    if parts.scheme.lower() not in ("http", "https"):
        named = safe_line(parts.scheme, 20) + ": links" if parts.scheme else "an address without http(s)://"
        raise _Refused(f"Not opened: only http and https links are, not {named}.")
    if parts.username is not None or parts.password is not None:
        raise _Refused("Not opened: there is a name before the host, which hides where the link leads.")
    return parts


def _ascii_host(host: str) -> str:
    """The host as it is asked for. Raises ValueError for one that no browser should be given."""
    if not host:
        raise _Refused("Not opened: there is no host in the address.")
    if ":" in host:
        return ipaddress.IPv6Address(host).compressed
    name = ".".join(_ascii_label(label) for label in _DOTS.split(host))
    if not _HOST.fullmatch(name) or ".." in name or len(name) > 253:
        raise _Refused(f"Not opened: {safe_line(host, 60)} is not a host name.")
    if _NUMBER.fullmatch(name.rstrip(".").rpartition(".")[2]):
        return str(ipaddress.IPv4Address(name))  # 0x7f.1 and 2130706433 are ways to hide an address
    return name


def _ascii_label(label: str) -> str:
    """One label as browsers ask for it (UTS 46: ß stays ß, unlike in the IDNA 2003 of `encodings`)."""
    label = normalize("NFKC", normalize("NFKC", label).lower())
    if label.isascii():
        return label
    if not all(char.isalnum() or char == "-" or category(char)[0] == "M" for char in label):
        raise _Refused(f"Not opened: {safe_line(label, 60)} is not a part of a host name.")
    return "xn--" + label.encode("punycode").decode()


def _caution(host: str, ascii_host: str) -> SafeText:
    shown = host if host != ascii_host else _unicode(ascii_host)
    if shown == ascii_host or ":" in host:
        return EMPTY
    words = f"{safe_line(shown, 80)} is really {ascii_host}: its letters may only look like those you know."
    return safe_line(words, 400)


def _unicode(ascii_host: str) -> str:
    labels = ascii_host.split(".")
    return ".".join(
        label[4:].encode().decode("punycode") if label[:4] == "xn--" else label for label in labels
    )
