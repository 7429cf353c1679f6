"""Where a backend is: addresses checked before anything is sent to them, and ids that cannot become paths."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import quote, urlencode, urlsplit

from tui.backends.base import BackendError

_ID = re.compile(r"[A-Za-z0-9._-]{1,128}\Z")
_ODD_NUMBER = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)(?:\.(?:0x[0-9a-f]*|[0-9]+))*\.?\Z", re.IGNORECASE)
_PLACE = re.compile(r"\{\w+\}")
_DEFAULT_PORTS = {"http": 80, "https": 443}


def path_id(value: str, what: str = "id") -> str:
    """`value`, if it may stand in a path: `[A-Za-z0-9._-]{1,128}` but not `.` or `..`. Raises BackendError.

    An id comes from the wire or the command line; `../admin` must never become a path.
    """
    if _ID.match(value) and value not in (".", ".."):
        return value
    raise BackendError(
        f"This {what} cannot be put into an address: only letters, digits, '.', '_' and '-' are allowed."
    )


@dataclass(frozen=True, slots=True)
class Address:
    """A checked http(s) address. `base` has no query and no trailing slash; `query` is sent, never shown."""

    scheme: str
    host: str
    port: int
    path: str
    query: str = ""

    @property
    def origin(self) -> str:
        """Scheme, host and port, as in `http://127.0.0.1:8000`."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _DEFAULT_PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}"

    @property
    def base(self) -> str:
        return self.origin + self.path.rstrip("/")

    @property
    def loopback(self) -> bool:
        """Whether it is this machine."""
        return is_loopback(self.host)

    def url(self, *parts: str, **query: str) -> str:
        """The address of something below: every part is quoted whole. Without parts, the address as given."""
        path = self.base + "".join("/" + quote(part, safe="") for part in parts) if parts else self._as_given
        asked = "&".join(text for text in (self.query, urlencode(query)) if text)
        return f"{path}?{asked}" if asked else path

    @property
    def _as_given(self) -> str:
        return self.origin + self.path


def parse(url: str) -> Address:
    """Check an address. Raises BackendError with one sentence that repeats nothing secret of it."""
    try:
        split = urlsplit(url.strip())
        port = split.port
        host = (split.hostname or "").lower()
    except ValueError:
        raise BackendError("The address is not a valid URL: check its host and port.") from None
    if split.scheme not in _DEFAULT_PORTS or not host:
        raise BackendError("The address must begin with http:// or https:// and name a host.")
    if "@" in split.netloc or "\\" in url:
        raise BackendError("The address must not hold a user name or password: use --token-env or --header.")
    if any(ord(c) <= 32 or ord(c) == 127 for c in url.strip()):
        raise BackendError("The address holds a space or a control character: remove it.")
    _refuse_odd_host(host)
    path = quote(split.path, safe="/%:@!$&'()*+,;=~-._")
    if any(step in (".", "..") for step in path.lower().replace("%2e", ".").split("/")):
        raise BackendError("The address must not hold '.' or '..' as a step of its path.")
    return Address(split.scheme, host, port or _DEFAULT_PORTS[split.scheme], path, split.query)


def parse_template(template: str) -> Address | None:
    """The address that a template of a whole URL names, such as `http://host/runs/{run_id}`; None for others.

    Raises BackendError as `parse` does.
    """
    if not template.startswith(("http://", "https://")):
        return None
    return parse(_PLACE.sub("x", template))


def is_loopback(host: str) -> bool:
    """Whether a host name or literal address means this machine, without asking the network."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _refuse_odd_host(host: str) -> None:
    """Spellings that look harmless and mean another machine: `0x7f.1`, `2130706433`, `::ffff:127.0.0.1`."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        if _ODD_NUMBER.match(host):
            raise BackendError(
                "The host is a number in an unusual spelling: write it as 127.0.0.1."
            ) from None
        return
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        raise BackendError("The host is an IPv4 address in IPv6 spelling: write it as IPv4.")
