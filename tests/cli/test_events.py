"""`stopkey events`: the events of any URL as JSON lines, and one sentence for whatever is none."""

import json
import os
import signal
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

STREAM = b": hi\n\nid: 7\ndata: one\n\nevent: two\ndata: \x1b[31m\ndata: b\n\n"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.seen.append((self.command, self.path, self.headers, self._body()))
        kind, length, body = self.server.answer
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(length or len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()
        if self.server.hang:
            self.server.ended.wait(5)
        self.close_connection = True

    do_POST = do_PUT = do_GET

    def _body(self):
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    made = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.seen, made.answer, made.hang = [], ("text/event-stream", None, STREAM), False
    made.ended = threading.Event()
    made.url = f"http://127.0.0.1:{made.server_port}/stream"
    thread = threading.Thread(target=made.serve_forever, args=(0.01,))
    thread.start()
    yield made
    made.ended.set()
    made.shutdown()
    thread.join()
    made.server_close()


def test_events_are_printed_one_json_object_a_line(stopkey, server):
    done = stopkey("events", server.url)
    first, second = map(json.loads, done.out.splitlines())
    assert (done.code, done.err) == (0, "")
    assert list(first) == ["t", "type", "data", "last_event_id"]
    assert (first["type"], first["data"], first["last_event_id"]) == ("message", "one", "7")
    assert (second["type"], second["data"], second["last_event_id"]) == ("two", "\x1b[31m\nb", "7")
    assert 0 <= first["t"] <= second["t"] < 10
    assert done.out.isascii() and "\x1b" not in done.out


def test_method_body_and_headers_are_sent_as_given(stopkey, server):
    stopkey("events", server.url, "--body", '{"a": 1}', "--header", "X-One: 1", "--header", "X-Two:2")
    stopkey("events", server.url, "--method", "put", "--body", "-", stdin="[2]")
    (one, _, headers, body), (two, _, _, body_two) = server.seen
    assert (one, two) == ("POST", "PUT")
    assert (json.loads(body), json.loads(body_two)) == ({"a": 1}, [2])
    assert (headers["X-One"], headers["X-Two"], headers["Content-Type"]) == ("1", "2", "application/json")


def test_a_token_comes_from_the_environment_and_is_not_shown(stopkey, server, monkeypatch):
    monkeypatch.setenv("MY_TOKEN", "CANARY-token")
    done = stopkey("events", server.url, "--token-env", "MY_TOKEN")
    assert server.seen[0][2]["Authorization"] == "Bearer CANARY-token"
    assert "CANARY" not in done.out + done.err


def test_ctrl_c_is_the_ordinary_way_to_end(stopkey, server):
    server.hang, server.answer = True, ("text/event-stream", 10_000, STREAM)
    pressed = threading.Timer(0, lambda: _when_seen(server))
    pressed.start()
    done = stopkey("events", server.url)
    pressed.join()
    assert (done.code, done.err) == (0, "")


def _when_seen(server):
    deadline = threading.Event()
    while not server.seen:
        deadline.wait(0.01)
    deadline.wait(0.05)
    os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.parametrize(
    ("answer", "code", "says"),
    [
        (("text/html", None, b"<p>hi"), 1, "not an event stream: it sent text/html"),
        (("text/event-stream", 10_000, STREAM), 3, "broke off"),
    ],
)
def test_what_is_no_event_stream_or_breaks_is_one_sentence(stopkey, server, answer, code, says):
    server.answer = answer
    done = stopkey("events", server.url)
    assert done.code == code
    assert says in done.err and done.err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("http://127.0.0.1:9/x",), 1, "Nothing answers at http://127.0.0.1:9"),
        (("ftp://x",), 2, "must begin with http:// or https://"),
        (("http://user:CANARY@127.0.0.1:9/",), 2, "must not hold a user name"),
        (("http://127.0.0.1:9/", "--body", "{"), 2, "The --body is not JSON"),
        (("http://127.0.0.1:9/", "--header", "X"), 2, "--header 'Name: value'"),
        (("http://127.0.0.1:9/", "--header", "X: a\rb"), 2, "cannot be sent"),
        (("http://127.0.0.1:9/", "--token-env", "NO_SUCH"), 2, "NO_SUCH holds no token"),
        ((), 2, "Missing argument 'URL'"),
    ],
)
def test_bad_input_is_one_sentence(stopkey, arguments, code, says):
    done = stopkey("events", *arguments)
    assert (done.code, done.out) == (code, "")
    assert says in done.err and done.err.count("\n") == 1 and "CANARY" not in done.err
