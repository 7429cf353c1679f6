"""HTTP hygiene: what may leave this machine, where to, and how much may come back. Row by row."""

from __future__ import annotations

import asyncio
import gzip
import logging
import ssl
import time
from pathlib import Path

import httpx
import pytest

from tests.backends.servers import Arrived, client, go, hang_up, never, origin, reply, streamed
from tui.backends.base import BackendError, PromptNotSent, PromptRejected, StreamLost, Target
from tui.backends.http import BODY_LIMIT, Http

CANARY = "canary-7f3a9d"
TLS = Path(__file__).parent / "tls"
CERTIFICATE = TLS / "cert.pem"  # for 127.0.0.1, signed by itself, made for these tests


def http_for(url: str, **target: object) -> Http:
    return Http(Target("any", url, **target))  # type: ignore[arg-type]


# --- secrets ----------------------------------------------------------------------------------------------


def test_a_token_arrives_once_in_one_header_at_one_server(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        async with origin(reply()) as other, origin(reply(307, b"", f"location: {other.url}/taken")) as first:
            monkeypatch.setenv("CANARY_TOKEN", CANARY)
            async with client(first.url, token_env="CANARY_TOKEN") as http:
                for lane in ("calls", "abort"):
                    answer = await http.request("POST", http.url("x"), json={}, lane=lane)  # type: ignore[arg-type]
                    assert answer.status == 307
            assert other.arrived == []
            assert len(first.arrived) == 2
            for arrived in first.arrived:
                assert arrived.raw.count(CANARY.encode()) == 1
                assert arrived.header("authorization") == [f"Bearer {CANARY}"]

    go(scenario())


def test_a_header_of_the_user_wins_over_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        monkeypatch.setenv("OTHER", "not-this-one")
        async with origin(reply()) as server:
            given = (("authorization", f"Key {CANARY}"), ("X-Api-Key", "k" * 8))
            async with client(server.url, headers=given, token_env="OTHER") as http:
                await http.request("GET", http.url())
            (arrived,) = server.arrived
            assert arrived.header("authorization") == [f"Key {CANARY}"]
            assert arrived.header("x-api-key") == ["k" * 8]

    go(scenario())


def test_nothing_is_sent_to_an_address_that_the_user_did_not_give() -> None:
    async def scenario() -> None:
        async with origin(reply()) as ours, origin(reply()) as foreign:
            async with client(ours.url) as http:
                with pytest.raises(BackendError, match="not an address you gave"):
                    await http.request("GET", foreign.url + "/x")
            async with client(ours.url, abort_url=foreign.url + "/stop/{run_id}") as http:
                assert (await http.request("POST", foreign.url + "/stop/r1", lane="abort")).ok
            assert len(foreign.arrived) == 1

    go(scenario())


STATUSES = (301, 400, 401, 403, 404, 405, 409, 415, 422, 429, 500, 502, 503, 504)


@pytest.mark.parametrize("status", STATUSES)
def test_the_error_of_a_status_says_what_to_do_and_repeats_no_secret(
    status: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The server throws everything back at us that it was given, in its body and its headers."""
    monkeypatch.setenv("CANARY_TOKEN", CANARY)
    caplog.set_level(logging.DEBUG)

    async def echo(arrived: Arrived, writer: asyncio.StreamWriter) -> None:
        body = {"detail": f"No: {dict(arrived.headers)}"}
        writer.write(
            reply(status, body, f"set-cookie: s={CANARY}", f"location: http://u:{CANARY}@elsewhere/")
        )

    async def scenario() -> None:
        async with origin(echo) as server:
            async with client(f"{server.url}/a?key={CANARY}", token_env="CANARY_TOKEN") as http:
                with pytest.raises(BackendError) as caught:
                    async with http.stream("POST", http.url(), json={"x": 1}):
                        raise AssertionError("it was no stream")
            sentence = str(caught.value)
            assert CANARY not in sentence + repr(caught.value) + repr(http) + caplog.text
            assert str(status) in sentence
            assert sentence[0].isupper() and ":" in sentence and len(sentence) < 400
            assert caught.value.status == status
            assert caught.value.__cause__ is None and caught.value.__context__ is None

    go(scenario())


def test_logging_at_debug_shows_neither_url_nor_cookie(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        caplog.set_level(logging.DEBUG)
        async with (
            origin(reply(200, b"", f"set-cookie: a={CANARY}")) as server,
            client(f"{server.url}/?key={CANARY}") as http,
        ):
            await http.request("GET", http.url())
        assert CANARY not in caplog.text

    go(scenario())


def test_a_cookie_is_not_kept() -> None:
    async def scenario() -> None:
        async with origin(reply(200, b"", "set-cookie: a=1")) as server, client(server.url) as http:
            for _ in range(2):
                await http.request("GET", http.url())
            assert [arrived.header("cookie") for arrived in server.arrived] == [[], []]

    go(scenario())


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (f"http://user:{CANARY}@127.0.0.1/", "user name or password"),
        (f"http://{CANARY}@127.0.0.1/", "user name or password"),
        ("http://127.0.0.1\\@evil.example/", "user name or password"),
        ("ftp://127.0.0.1/", "http"),
        ("127.0.0.1:8000", "http"),
        ("http:///x", "host"),
        ("http://127.0.0.1:99999/", "host and port"),
        ("http://0x7f.1/", "number"),
        ("http://2130706433/", "number"),
        ("http://127.1/", "number"),
        ("http://[::ffff:127.0.0.1]/", "IPv4"),
        ("http://127.0.0.1/a/../admin", "step"),
        ("http://127.0.0.1/a/%2e%2E/admin", "step"),
        ("http://127.0.0.1/a b", "space"),
        ("http://127.0.0.1/a\r\nX: y", "space or a control"),
    ],
)
def test_an_address_that_cannot_be_right_is_refused_in_one_sentence(url: str, words: str) -> None:
    with pytest.raises(BackendError, match=words) as caught:
        http_for(url)
    assert CANARY not in str(caught.value)


def test_headers_that_cannot_be_sent_are_refused_without_showing_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in (("X", f"{CANARY}\r\nY: z"), ("X", f"{CANARY}\x1b"), ("X", f"{CANARY}é"), ("X", " x"),
                        ("X", ""), ("X:", "y"), ("Ä", "y"), ("X Y", "z")):  # fmt: skip
        with pytest.raises(BackendError) as caught:
            http_for("http://127.0.0.1/", headers=((name, value),))
        assert CANARY not in str(caught.value)
    monkeypatch.setenv("BAD", f"{CANARY}\n{CANARY}")
    with pytest.raises(BackendError, match="BAD") as caught:
        http_for("http://127.0.0.1/", token_env="BAD")
    assert CANARY not in str(caught.value)
    with pytest.raises(BackendError, match="NOT_THERE"):
        http_for("http://127.0.0.1/", token_env="NOT_THERE")


def test_a_value_from_the_wire_is_not_sent_as_a_header_unless_it_is_plain() -> None:
    async def scenario() -> None:
        async with origin(reply()) as server, client(server.url) as http:
            for value in ("a\r\nX: y", "\x1b]0;x", "é", "a\0"):
                with pytest.raises(BackendError, match="Last-Event-ID"):
                    await http.request("GET", http.url(), headers={"Last-Event-ID": value})
            assert server.arrived == []

    go(scenario())


# --- where requests go ------------------------------------------------------------------------------------


def test_an_id_never_becomes_another_path() -> None:
    http = http_for("http://127.0.0.1:1/base/")
    assert http.url("runs", "../admin", "abort") == "http://127.0.0.1:1/base/runs/..%2Fadmin/abort"
    assert http.url("runs", "x?y#z") == "http://127.0.0.1:1/base/runs/x%3Fy%23z"
    assert http.url("a", after="1&b=2") == "http://127.0.0.1:1/base/a?after=1%26b%3D2"
    assert http.url() == "http://127.0.0.1:1/base/"


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        async with origin(reply(200, "proxy")) as proxy, origin(reply(200, '"server"')) as server:
            for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
                monkeypatch.setenv(name, proxy.url)
            async with client(server.url) as http:
                assert (await http.request("GET", http.url())).json() == "server"
            assert proxy.arrived == []

    go(scenario())


def test_a_given_proxy_carries_other_hosts_and_never_loopback() -> None:
    async def scenario() -> None:
        async with origin(reply(200, '"proxy"')) as proxy, origin(reply(200, '"server"')) as server:
            async with client(server.url, proxy=proxy.url) as http:
                assert (await http.request("GET", http.url())).json() == "server"
            async with client("http://agents.example/x", proxy=proxy.url) as http:
                assert (await http.request("GET", http.url())).json() == "proxy"
            assert [arrived.target for arrived in proxy.arrived] == ["http://agents.example/x"]

    go(scenario())


def test_plain_http_to_another_machine_is_warned_about() -> None:
    assert "not encrypted" in http_for("http://agents.example/").warning
    for url in ("https://agents.example/", "http://127.0.0.1/", "http://localhost:1/", "http://[::1]/"):
        assert http_for(url).warning == ""


def test_a_netrc_file_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        netrc = tmp_path / ".netrc"
        netrc.write_text(f"machine 127.0.0.1 login me password {CANARY}\n")
        netrc.chmod(0o600)
        monkeypatch.setenv("NETRC", str(netrc))
        monkeypatch.setenv("HOME", str(tmp_path))
        async with origin(reply()) as server, client(server.url) as http:
            await http.request("GET", http.url())
            assert server.arrived[0].header("authorization") == []

    go(scenario())


# --- what comes back --------------------------------------------------------------------------------------


def test_identity_is_asked_for_and_nothing_is_decompressed() -> None:
    async def scenario() -> None:
        bomb = gzip.compress(b"0" * 50_000_000)
        async with origin(reply(200, bomb, "content-encoding: gzip")) as server, client(server.url) as http:
            answer = await http.request("GET", http.url())
            assert server.arrived[0].header("accept-encoding") == ["identity"]
            assert answer.body == bomb[:BODY_LIMIT] and answer.json() is None

    go(scenario())


def test_a_body_is_read_to_its_limit_and_no_further() -> None:
    async def scenario() -> None:
        async with origin(reply(200, b"x" * 3_000_000)) as server, client(server.url) as http:
            answer = await http.request("GET", http.url())
            assert (len(answer.body), answer.truncated, answer.json()) == (BODY_LIMIT, True, None)
            answer = await http.request("GET", http.url(), limit=4_000_000)
            assert (len(answer.body), answer.truncated) == (3_000_000, False)

    go(scenario())


@pytest.mark.parametrize("body", ["<html>", '{"a": ', "[" * 50_000, "9" * 5000, ""])
def test_a_body_that_is_not_json_is_none(body: str) -> None:
    async def scenario() -> None:
        async with origin(reply(200, body)) as server, client(server.url) as http:
            assert (await http.request("GET", http.url())).json() is None

    go(scenario())


def test_what_a_server_says_in_an_error_is_cleaned_and_short() -> None:
    async def scenario() -> None:
        body = {"error": {"message": "bad \x1b[2J\x07 thing\n" + "x" * 500}}
        async with origin(reply(400, body)) as server, client(server.url) as http:
            with pytest.raises(PromptRejected) as caught:
                await http.request("POST", http.url(), json={}, accept_statuses=(200,))
            assert "\x1b" not in str(caught.value) and "\n" not in str(caught.value)
            assert "bad" in str(caught.value) and len(str(caught.value)) < 400

    go(scenario())


# --- time -------------------------------------------------------------------------------------------------


def test_a_request_has_one_deadline_for_everything() -> None:
    async def drip(arrived: Arrived, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
        while True:
            writer.write(b".")
            await asyncio.sleep(0.02)

    async def scenario() -> None:
        for handler in (never, drip):
            async with origin(handler) as server, client(server.url) as http:
                began = time.monotonic()
                with pytest.raises(StreamLost, match=r"no answer within 0\.2 s"):
                    await http.request("GET", http.url(), timeout_s=0.2)
                assert time.monotonic() - began < 2

    go(scenario())


def test_streams_never_keep_an_abort_waiting() -> None:
    async def scenario() -> None:
        async def answer(arrived: Arrived, writer: asyncio.StreamWriter) -> None:
            if arrived.target == "/stop":
                writer.write(reply())
            else:
                await never(arrived, writer)

        async with origin(answer) as server, client(server.url) as http:
            calls = [asyncio.create_task(http.request("GET", http.url("x"))) for _ in range(120)]
            await server.until(lambda: len(server.arrived) == 120)
            assert (await http.request("POST", http.url("stop"), lane="abort")).ok
            for call in calls:
                call.cancel()
            await asyncio.gather(*calls, return_exceptions=True)

    go(scenario())


def test_making_a_client_does_not_block() -> None:
    """A TLS context costs 30 ms and more: it is made in a thread, and only where something speaks https."""

    async def scenario() -> None:
        made: list[bool] = []

        async def other_work() -> None:
            while not made:
                ticks.append(time.perf_counter())
                await asyncio.sleep(0.001)

        ticks: list[float] = []
        worker = asyncio.create_task(other_work())
        await asyncio.sleep(0)
        async with client("https://127.0.0.1:1/") as http:
            with pytest.raises(PromptNotSent):
                await http.request("GET", http.url())
        made.append(True)
        await worker
        assert len(ticks) > 5, "the loop went round while the context was made"

    go(scenario())


# --- faults -----------------------------------------------------------------------------------------------


def test_what_cannot_be_reached_was_not_sent() -> None:
    async def scenario() -> None:
        for url, words in (
            ("http://127.0.0.1:1/", "Nothing answers at http://127.0.0.1:1: see"),
            ("http://name.invalid/", "name name.invalid was not found"),
        ):
            async with client(url) as http:
                with pytest.raises(PromptNotSent, match=words):
                    await http.request("POST", http.url(), json={})
                with pytest.raises(PromptNotSent, match=words):
                    async with http.stream("POST", http.url(), json={}):
                        pass

    go(scenario())


def test_a_connection_that_closes_without_an_answer_may_have_been_heard() -> None:
    async def scenario() -> None:
        async with origin(hang_up) as server, client(server.url) as http:
            with pytest.raises(StreamLost, match="closed the connection without an answer"):
                await http.request("POST", http.url(), json={})
            with pytest.raises(StreamLost):
                async with http.stream("POST", http.url(), json={}):
                    pass
            assert len(server.arrived) == 2, "nothing was posted twice"

    go(scenario())


def test_a_server_without_tls_is_named_when_https_was_asked_for() -> None:
    async def scenario() -> None:
        async def not_tls(arrived: Arrived, writer: asyncio.StreamWriter) -> None:
            raise AssertionError("never a request")

        server = await asyncio.start_server(lambda r, w: w.write(b"HTTP/1.1 400 Bad\r\n\r\n"), "127.0.0.1", 0)
        async with client(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/") as http:
            with pytest.raises(PromptNotSent, match="whether it speaks https"):
                await http.request("GET", http.url())
        server.close()

    go(scenario())


def test_a_certificate_is_checked_and_an_authority_can_be_given(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(CERTIFICATE, TLS / "key.pem")
        monkeypatch.delenv("SSL_CERT_FILE", raising=False)
        async with origin(reply(200, '"trusted"'), tls=tls) as server:
            async with client(server.url) as http:
                with pytest.raises(PromptNotSent, match="is not trusted: give its authority with --ca-file"):
                    await http.request("GET", http.url())
            async with client(server.url, ca_file=str(CERTIFICATE)) as http:
                assert (await http.request("GET", http.url())).json() == "trusted"
            monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
            async with client(server.url) as http:
                assert (await http.request("GET", http.url())).json() == "trusted"
            async with client(server.url, ca_file="/nowhere/ca.pem") as http:
                with pytest.raises(BackendError, match="--ca-file"):
                    await http.request("GET", http.url())

    go(scenario())


def test_another_transport_can_carry_the_bytes() -> None:
    async def scenario() -> None:
        made: dict[str, str | None] = {}

        class Recorded(httpx.AsyncBaseTransport):
            async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
                return httpx.Response(200, stream=httpx.ByteStream(b'"carried"'))

        def make(lane: str, context: ssl.SSLContext, proxy: str | None) -> httpx.AsyncBaseTransport:
            made[lane] = proxy
            return Recorded()

        http = Http(Target("any", "http://agents.example/x", proxy="http://127.0.0.1:1"), make_transport=make)
        assert (await http.request("GET", http.url())).json() == "carried"
        assert made == dict.fromkeys(("stream", "calls", "abort"), "http://127.0.0.1:1")
        await http.aclose()

    go(scenario())


def test_how_much_of_a_stream_is_read_can_be_set() -> None:
    async def scenario() -> None:
        async with origin(streamed(*["x" * 100_000] * 12)) as server:
            for limit, fits in (("1", False), ("2", True)):
                async with client(server.url, options={"stream_limit_mb": limit}) as http:
                    try:
                        async with http.stream("POST", http.url(), json={}) as stream:
                            count = len([event async for event in stream.events])
                    except StreamLost as lost:
                        assert "longer than this client reads" in str(lost) and not fits
                    else:
                        assert fits and count == 12

    go(scenario())
    with pytest.raises(BackendError, match="stream_limit_mb"):
        http_for("http://127.0.0.1/", options={"stream_limit_mb": "-1"})


def test_lone_surrogates_of_a_terminal_do_not_break_a_prompt() -> None:
    async def scenario() -> None:
        async with origin(reply()) as server, client(server.url) as http:
            await http.request("POST", http.url(), json={"text": "a\udc80é"})
            assert server.arrived[0].json == {"text": "a?é"}
            assert server.arrived[0].header("content-type") == ["application/json"]

    go(scenario())
