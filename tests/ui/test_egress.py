"""The second layer: what a careless widget draws still cannot act on the terminal."""

import asyncio
import json
import re
from pathlib import Path

import pytest
from rich.console import Console
from rich.control import Control
from rich.segment import Segment
from rich.style import Style
from textual.app import ComposeResult
from textual.color import Color
from textual.strip import Strip
from textual.widgets import Static

from tui.core.safe_text import DANGEROUS, safe
from tui.ui.egress import EgressFilter, Guarded, clean_output

VECTORS = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "vectors/terminal.jsonl").read_text().splitlines()
]
PAYLOADS = [vector["payload"] for vector in VECTORS]
BLACK = Color(0, 0, 0)
SGR = re.compile(r"\x1b\[[0-9;]*m")


def filtered(*segments):
    return EgressFilter().apply(list(segments), BLACK)


def written(segments):
    """What a terminal would get, without the colours."""
    return SGR.sub("", Strip(segments).render(Console(color_system="truecolor", force_terminal=True)))


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_payload_in_a_segment_does_not_leave_the_screen(payload):
    before = Strip([Segment(payload, Style(bold=True))])
    after = filtered(*before)
    assert not DANGEROUS.search(written(after))
    assert Strip(after).cell_length == before.cell_length, "the row must not shift"


def test_a_clean_line_is_left_alone():
    line = [Segment("┌─ täxt 日本 👍🏽", Style(bold=True)), Segment(" ", None)]
    assert EgressFilter().apply(line, BLACK) is line


@pytest.mark.parametrize(
    ("link", "stays"),
    [
        ("https://example.org/a", True),
        ("javascript:alert(1)", False),
        ("file:///etc/passwd", False),
        ("https://e/\x1b\\\x1b]52;c;eA==\x1b\\", False),
        ("https://раураl.example/", False),
        ("https://bank.example@evil.example/", False),
    ],
)
def test_only_a_plain_web_link_stays_a_link(link, stays):
    (after,) = filtered(Segment("text", Style(bold=True, link=link)))
    assert after.text == "text" and after.style.bold
    assert after.style.link == (link if stays else None)


def test_a_control_segment_is_dropped():
    control = Control.home().segment
    assert written(filtered(Segment("a"), control, Segment("b"))) == "ab"


def test_output_after_the_screen_is_gone_is_made_visible():
    out = clean_output([Segment("a\x1bc\n", Style(link="javascript:x")), Control.home().segment])
    assert out == [Segment("a␛c\n", Style())]


class Careless(Guarded[None]):
    """Draws wire text as it comes."""

    def compose(self) -> ComposeResult:
        yield Static("", markup=False)


def test_an_app_that_draws_raw_payloads_writes_none_of_them():
    async def scenario():
        app = Careless()
        async with app.run_test(size=(80, 10)) as pilot:
            static = app.query_one(Static)
            for payload in PAYLOADS:
                static.update(payload.encode(errors="replace").decode())
                await pilot.pause()
                drawn = "".join(written(list(strip)) for strip in app.screen._compositor.render_strips())
                assert drawn.strip(), payload
                assert not DANGEROUS.search(drawn), payload

    asyncio.run(scenario())


class Failing(Guarded[None]):
    """Dies of what the wire sent, with a secret in a local variable."""

    def on_mount(self) -> None:
        secret = "CANARY"
        raise RuntimeError("\x1bc" + secret[:0] + "\x1b]0;owned\x07")


def test_an_app_that_dies_prints_nothing_and_keeps_the_fault_for_whoever_ran_it(capfd):
    app = Failing()
    app.run(headless=True)
    out, err = capfd.readouterr()
    assert isinstance(app.fault, RuntimeError)
    assert app.return_code == 1
    assert "CANARY" not in out + err and "owned" not in out + err


class Leaving(Guarded[None]):
    def on_mount(self) -> None:
        self.exit(message="back with: stopkey open [/x] \x1bc\x9b")


def test_a_last_message_is_printed_safe_and_not_read_as_markup(capfd):
    Leaving().run(headless=True)
    err = capfd.readouterr().err
    assert "back with: stopkey open [/x] ␛c⟦9B⟧" in err
    assert safe(SGR.sub("", err)) == SGR.sub("", err)
