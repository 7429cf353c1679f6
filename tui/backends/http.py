"""The HTTP side of one backend, with the doors shut: what may leave, where to, and how much may come back.

No redirects, no proxies or keys from the environment, no compressed answers, no unbounded bodies, no cookies,
credentials only to the addresses that the user gave (reliability.md 6). Every failure is one sentence.
"""

from __future__ import annotations

import asyncio
import json as jsonlib
import logging
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from httpx_sse import ServerSentEvent

from tui import __version__
from tui.backends import sse
from tui.backends.address import Address, parse, parse_template
from tui.backends.base import (
    NEVER_LEFT,
    BackendError,
    PromptNotSent,
    PromptRejected,
    StreamLost,
    Target,
)
from tui.backends.credentials import Credentials, check_header
from tui.backends.faults import no_connection, went_wrong
from tui.backends.lanes import Lane, Lanes, MakeTransport
from tui.backends.reply import Reply, server_words
from tui.core.safe_text import safe_line

__all__ = ["BODY_LIMIT", "Http", "Lane", "MakeTransport", "Reply", "Stream"]

BODY_LIMIT = 64 * 1024
_MAYBE_REACHED = frozenset({408, 502, 504})
"""Statuses that a gateway gives when the agent behind it may well have got the prompt."""
_NOT_MADE = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_UNMAKEABLE = (httpx.UnsupportedProtocol, httpx.LocalProtocolError, httpx.InvalidURL)
_BROKEN = (httpx.HTTPError, httpx.StreamError, ssl.SSLError, ConnectionError)

for _name in ("httpx", "httpcore"):  # they would log whole URLs and the server's cookies
    logging.getLogger(_name).setLevel(logging.WARNING)


@dataclass(slots=True)
class Stream:
    """An open event stream: iterate over `events` once. `decoder` knows the last event id."""

    status: int
    headers: Mapping[str, str]
    events: AsyncGenerator[ServerSentEvent, None]
    decoder: sse.Decoder


class _Way:
    """How far a request has come, as httpcore traces it. Without a trace nothing is claimed."""

    connecting = False  # a connection is being made for it: nothing of it can have left

    async def note(self, what: str, info: Mapping[str, Any]) -> None:
        if what.startswith("connection."):
            self.connecting = True
        elif what.endswith("send_request_headers.started"):
            self.connecting = False


class Http:
    """Requests to one target. `url(...)` names what lies below it, `warning` what is unsafe about it.

    Made without blocking. Raises BackendError for a target that cannot be right.
    """

    def __init__(
        self,
        target: Target,
        *,
        extra_headers: Mapping[str, str] | None = None,
        make_transport: MakeTransport | None = None,
    ) -> None:
        self.address = parse(target.url)
        self.warning = _warning(self.address)
        self._credentials = Credentials(target)
        self._stream_limit = _stream_limit(target)
        self._abort_origin = (parse_template(target.abort_url) or self.address).origin
        self._headers = {"User-Agent": f"stopkey/{__version__}", **(extra_headers or {})}
        self._lanes = Lanes(
            tls=any(origin.startswith("https:") for origin in self._credentials.origins),
            ca_file=target.ca_file,
            proxy=None if self.address.loopback else target.proxy or None,
            make=make_transport,
        )

    def __repr__(self) -> str:
        return f"Http({self.address.origin!r})"

    @property
    def base(self) -> str:
        """The target's URL without query and trailing slash."""
        return self.address.base

    def url(self, *parts: str, **query: str) -> str:
        """The URL of something below the base, each part quoted whole; without parts the URL as given."""
        return self.address.url(*parts, **query)

    async def request(
        self,
        method: str,
        url: str,
        *,
        json: Any = None,
        heavy: bool = False,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        lane: Lane = "calls",
        timeout_s: float = 5.0,
        accept_statuses: Collection[int] | None = None,
        limit: int = BODY_LIMIT,
    ) -> Reply:
        """One bounded request and its answer; at most `limit` bytes of the body, within `timeout_s`.

        `heavy`: the JSON holds files, and is written in a thread: no key is to wait for megabytes.

        Raises PromptNotSent if nothing can have left, StreamLost if it may have, and PromptRejected for a
        status that is not among `accept_statuses` (None: every status is handed back).
        """
        asked = {"Accept": "application/json", **(headers or {})}
        body = content if json is None else await _encoded(json, asked, heavy)
        try:
            async with asyncio.timeout(timeout_s), self._sent(lane, method, url, body, asked) as got:
                reply = await _whole(got, limit)
        except TimeoutError:
            raise StreamLost(f"{parse(url).origin} gave no answer within {timeout_s:g} s.") from None
        if accept_statuses is not None and reply.status not in accept_statuses:
            raise self.refusal(reply, url)
        return reply

    @asynccontextmanager
    async def stream(
        self,
        method: str,
        url: str,
        *,
        json: Any = None,
        heavy: bool = False,
        headers: Mapping[str, str] | None = None,
    ) -> AsyncIterator[Stream]:
        """An open event stream; leaving the block closes the response.

        Raises PromptNotSent, PromptRejected (the server said no) or StreamLost (it may have begun), the
        last also from within `events`. There is no read timeout: silence is normal.
        """
        asked = {"Accept": "text/event-stream", "Cache-Control": "no-store", **(headers or {})}
        body = None if json is None else await _encoded(json, asked, heavy)
        async with self._sent("stream", method, url, body, asked) as got:
            if not got.is_success:
                raise self.refusal(await _whole(got, BODY_LIMIT), url)
            _check_is_stream(got)
            decoder = sse.Decoder(stream_limit=self._stream_limit)
            with self._abort_kept_ready():
                async with aclosing(self._events(got, decoder)) as events:
                    yield Stream(got.status_code, dict(got.headers), events, decoder)

    @contextmanager
    def _abort_kept_ready(self) -> Iterator[None]:
        """While a stream is open, an abort finds its connection made: no handshake between the key and it."""
        keeping = asyncio.get_running_loop().create_task(self._lanes.keep_ready("abort", self._abort_origin))
        try:
            yield
        finally:
            keeping.cancel()

    def refusal(self, reply: Reply, url: str) -> BackendError:
        """The error that a status stands for, with a sentence, and the server's own words if it gave any."""
        sentence = reply.sentence(url)
        if words := server_words(reply):
            sentence += f" The server says: {self._credentials.redact(words)}"
        kind = StreamLost if reply.status in _MAYBE_REACHED else PromptRejected
        return kind(sentence, status=reply.status, retry_after_s=reply.retry_after_s)

    async def aclose(self) -> None:
        """Close every connection. Idempotent."""
        await self._lanes.aclose()

    @asynccontextmanager
    async def _sent(
        self, lane: Lane, method: str, url: str, body: bytes | None, headers: dict[str, str]
    ) -> AsyncIterator[httpx.Response]:
        """Send, and hand out the response, its body unread. Maps every fault of the way there and back."""
        client = await self._lanes.get(lane)
        way = _Way()
        request = client.build_request(
            method,
            url,
            content=body,
            headers=self._merged(url, headers),
            extensions={"trace": way.note},
        )
        response: httpx.Response | None = None
        try:
            response = await client.send(request, stream=True, follow_redirects=False)
            yield response
        except _NOT_MADE as fault:
            raise PromptNotSent(no_connection(fault, parse(url))) from None
        except _UNMAKEABLE:
            raise PromptNotSent("The request could not be made: check the URL and the headers.") from None
        except _BROKEN as fault:
            raise StreamLost(went_wrong(fault, parse(url), response is not None)) from None
        except asyncio.CancelledError:
            if way.connecting:
                raise asyncio.CancelledError(NEVER_LEFT) from None
            raise
        finally:
            if response is not None:
                await response.aclose()

    def _merged(self, url: str, headers: dict[str, str]) -> httpx.Headers:
        """All headers of a request. Raises BackendError rather than send a secret anywhere else."""
        if parse(url).origin not in self._credentials.origins:
            raise BackendError(f"{parse(url).origin} is not an address you gave: nothing was sent there.")
        for name, value in headers.items():
            check_header(name, value)
        merged = httpx.Headers({**self._headers, **headers, "Accept-Encoding": "identity"})
        merged.update(dict(self._credentials.headers))
        return merged

    async def _events(
        self, got: httpx.Response, decoder: sse.Decoder
    ) -> AsyncGenerator[ServerSentEvent, None]:
        try:
            async with aclosing(_raw(got)) as chunks, aclosing(sse.read(chunks, decoder)) as events:
                async for event in events:
                    yield event
        except sse.LimitExceeded as limit:
            raise StreamLost(f"{limit} The rest of it was not read.") from None
        except _BROKEN as fault:
            raise StreamLost(went_wrong(fault, self.address, True)) from None


def _json(value: Any, headers: dict[str, str]) -> bytes:
    """Compact UTF-8. A lone surrogate, which a terminal can give us, becomes a question mark."""
    headers.setdefault("Content-Type", "application/json")
    return jsonlib.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


async def _encoded(value: Any, headers: dict[str, str], heavy: bool) -> bytes:
    if not heavy:
        return _json(value, headers)
    try:
        return await asyncio.to_thread(_json, value, headers)
    except asyncio.CancelledError:
        raise asyncio.CancelledError(NEVER_LEFT) from None


async def _whole(got: httpx.Response, limit: int) -> Reply:
    """The body up to `limit` bytes, as it came: what is compressed against our wish stays so."""
    body = bytearray()
    async with aclosing(_raw(got)) as chunks:
        async for chunk in chunks:
            body += chunk
            if len(body) > limit:
                break
    return Reply(got.status_code, dict(got.headers), bytes(body[:limit]), len(body) > limit)


def _raw(got: httpx.Response) -> AsyncGenerator[bytes, None]:
    chunks: AsyncGenerator[bytes, None] = got.aiter_raw()  # type: ignore[assignment]
    return chunks


def _check_is_stream(got: httpx.Response) -> None:
    kind = got.headers.get("content-type", "")
    if not sse.is_event_stream(kind):
        named = safe_line(kind.partition(";")[0], 60) or "an answer without a type"
        raise PromptRejected(
            f"This URL is not an event stream: it sent {named}. Check the URL and --backend.",
            status=got.status_code,
        )
    if got.headers.get("content-encoding", "").strip().lower() not in ("", "identity"):
        raise StreamLost("The server compresses its event stream, which is not read: turn that off for it.")


def _stream_limit(target: Target) -> int:
    """How many bytes of one stream are read: the option `stream_limit_mb`."""
    given = target.options.get("stream_limit_mb", "")
    if given and not (given.isascii() and given.isdigit() and len(given) < 7):
        raise BackendError("The option stream_limit_mb must be a number of megabytes: check --option.")
    return int(given) * sse.MIB if given else sse.STREAM_LIMIT


def _warning(address: Address) -> str:
    if address.scheme == "https" or address.loopback:
        return ""
    return f"{address.origin} is not encrypted: everyone on the way can read the conversation and the token."
