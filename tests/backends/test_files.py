"""Files that go with a prompt: what each protocol puts on the wire, and that the backend takes it."""

from __future__ import annotations

import asyncio
import json
import threading
import uuid
from base64 import b64encode
from collections.abc import Callable
from contextlib import aclosing
from typing import Any

import httpx
import pytest

from tests.backends.fake_adk import FakeAdk, say, whole
from tests.backends.test_contract import ADAPTERS
from tests.stub.serving import go, stub
from tui.backends import http
from tui.backends.ag_ui_messages import messages_of
from tui.backends.base import NEVER_LEFT, Backend, BackendError, File, Prompt, Said, Takes, Target
from tui.backends.files import AG_UI_RESENT, ag_ui_content, flue_attachments
from tui.backends.flue import Flue
from tui.backends.http import Http
from tui.core import events as ev

PNG = File("dot.png", "image/png", b"\x89PNG\r\n\x1a\n")
NOTES = File("notes.md", "text/markdown", "grün".encode())
CODED = b64encode(PNG.data).decode()


def prompt(*files: File, earlier: tuple[Said, ...] = ()) -> Prompt:
    return Prompt("what is this?", uuid.uuid4().hex[:12], str(uuid.uuid4()), "key-1", earlier, files)


def test_ag_ui_has_the_media_parts_of_1_0_and_no_parts_without_files() -> None:
    assert ag_ui_content("hi", ()) == "hi"
    assert ag_ui_content("hi", (PNG, NOTES)) == [
        {"type": "text", "text": "hi"},
        {
            "type": "image",
            "source": {"type": "data", "value": CODED, "mimeType": "image/png"},
            "metadata": {"filename": "dot.png"},
        },
        {
            "type": "document",
            "source": {"type": "data", "value": b64encode(NOTES.data).decode(), "mimeType": "text/markdown"},
            "metadata": {"filename": "notes.md"},
        },
    ]


def test_what_ag_ui_sends_is_what_its_own_types_take() -> None:
    core = pytest.importorskip("ag_ui.core", reason="in the interop extra")
    kinds = ("image/png", "audio/wav", "video/mp4", "application/pdf", "text/plain")
    files = tuple(File("f", kind, b"x") for kind in kinds)
    taken = core.UserMessage.model_validate({"id": "1", "role": "user", "content": ag_ui_content("t", files)})
    assert [part.type for part in taken.content] == [
        "text",
        "image",
        "audio",
        "video",
        "document",
        "document",
    ]


def test_ag_ui_sends_the_files_of_earlier_prompts_again_unless_the_server_keeps_them() -> None:
    earlier = (Said("user", "first", id="k0", files=(PNG,)), Said("assistant", "a dot"))
    again = messages_of(prompt(earlier=earlier), [])
    assert [type(message["content"]) for message in again] == [list, str, str]
    kept = messages_of(prompt(earlier=earlier), [], keeps_files=True)
    assert [type(message["content"]) for message in kept] == [str, str, str]


def test_of_earlier_files_the_newest_go_again_up_to_a_limit() -> None:
    big = File("big.png", "image/png", b"x" * (AG_UI_RESENT // 2 + 1))
    earlier = tuple(Said("user", str(n), id=f"k{n}", files=(big,)) for n in range(3))
    sent = messages_of(prompt(earlier=earlier), [])
    assert [isinstance(message["content"], list) for message in sent] == [False, False, True, False]


def test_flue_has_attachments_and_leaves_the_field_out_without_files() -> None:
    bodies: list[dict[str, Any]] = []

    async def take(request: httpx.Request) -> httpx.Response:
        bodies.append(json.loads(request.content))
        return httpx.Response(400, json={"error": {"type": "invalid_request", "message": "no"}})

    async def scenario() -> None:
        target = Target("flue", "http://127.0.0.1:1/agents/a")
        backend = Flue(target, http=Http(target, make_transport=lambda *_: httpx.MockTransport(take)))
        for sent in (prompt(PNG), prompt()):
            with pytest.raises(BackendError):
                async with aclosing(backend.run(sent)) as events:
                    [event async for event in events]
        await backend.aclose()

    go(scenario())
    image = {"type": "image", "data": CODED, "mimeType": "image/png", "filename": "dot.png"}
    assert bodies == [
        {"kind": "user", "body": "what is this?", "idempotencyKey": "key-1", "attachments": [image]},
        {"kind": "user", "body": "what is this?", "idempotencyKey": "key-1"},
    ]
    assert flue_attachments(prompt(PNG)) == [image]


def test_adk_has_inline_data_without_a_name() -> None:
    server = FakeAdk([[say("a"), whole("a")]])

    async def scenario() -> None:
        backend = server.backend()
        async with aclosing(backend.run(prompt(PNG))) as events:
            [event async for event in events]
        await backend.aclose()

    go(scenario())
    assert server.bodies[0]["newMessage"]["parts"] == [
        {"text": "what is this?"},
        {"inlineData": {"mimeType": "image/png", "data": CODED}},
    ]


@pytest.mark.parametrize("adapter", [name for name in ADAPTERS if name != "contractspec"])
def test_the_backend_takes_a_prompt_with_a_file_and_answers_it(adapter: str) -> None:
    async def scenario() -> None:
        async with stub() as served:
            make: Callable[[str, str], Backend] = ADAPTERS[adapter]
            backend = make(served.running.url, served.running.token)
            await backend.connect()
            takes = backend.capabilities.takes_files
            assert takes and takes.fits("image/png")
            asked = Prompt(
                "/short look", uuid.uuid4().hex[:12], str(uuid.uuid4()), uuid.uuid4().hex, (), (PNG,)
            )
            async with aclosing(backend.run(asked)) as events:
                last = [event async for event in events][-1]
            assert isinstance(last, ev.RunFinished) and last.end is ev.End.COMPLETED
            await backend.aclose()

    go(scenario())


def test_contractspec_takes_text_alone() -> None:
    assert ADAPTERS["contractspec"]("http://127.0.0.1:1", "t").capabilities.takes_files is None


def test_what_fits() -> None:
    images, anything = Takes(("image/*",), 1, 1), Takes(("*/*",), 1, 1)
    assert images.fits("image/png") and not images.fits("imagery/png") and not images.fits("text/plain")
    assert anything.fits("text/plain") and Takes(("text/plain",), 1, 1).fits("text/plain")
    assert not Takes(("text/plain",), 1, 1).fits("text/plain-not")


@pytest.mark.parametrize("adapter", ["ag-ui", "flue", "adk stock"])
def test_megabytes_are_written_in_a_thread_and_a_stop_before_they_leave_is_never_sent(
    adapter: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, let_go = threading.Event(), threading.Event()
    real = http._json

    def slow(value: Any, headers: dict[str, str]) -> bytes:
        if CODED in str(value):
            assert threading.current_thread() is not threading.main_thread()
            begun.set()
            let_go.wait(5)
        return real(value, headers)

    async def scenario() -> None:
        async with stub() as served:
            monkeypatch.setattr(http, "_json", slow)
            backend = ADAPTERS[adapter](served.running.url, served.running.token)
            running = asyncio.create_task(anext(backend.run(prompt(PNG))))
            await asyncio.to_thread(begun.wait, 5)
            running.cancel()
            with pytest.raises(asyncio.CancelledError) as cancelled:
                await running
            assert NEVER_LEFT in cancelled.value.args
            let_go.set()
            await backend.aclose()
            assert not served.engine.runs

    go(scenario())
