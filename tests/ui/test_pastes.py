"""What is a paste and what is a key: on a clock that the test moves."""

from __future__ import annotations

import pytest

from tui.ui.pastes import BEGIN, END, GAP_S, HASTE_S, HOLD_S, LONG, LOST_S, Pasted, Pastes, Piece


class Line:
    """Readings of a terminal with pauses between them, in seconds."""

    def __init__(self) -> None:
        self.pastes, self.now = Pastes(), 100.0
        self.pieces: list[Piece] = []

    def read(self, *texts: str, after: float = 1.0) -> Line:
        for text in texts:
            self.wait(after)
            self.pieces += self.pastes.feed(text, self.now)
        return self

    def wait(self, seconds: float) -> Line:
        """As the input thread does: it ticks when something is due."""
        end = self.now + seconds
        while self.pastes.deadline is not None and self.pastes.deadline <= end:
            self.now = self.pastes.deadline
            self.pieces += self.pastes.tick(self.now)
        self.now = end
        return self

    @property
    def keys(self) -> str:
        return "".join(piece for piece in self.pieces if isinstance(piece, str))

    @property
    def pasted(self) -> list[str]:
        return [piece.text for piece in self.pieces if isinstance(piece, Pasted)]


def test_keys_pass_as_they_come() -> None:
    line = Line().read("h", "i", "\r", "\x1b", "\x1b[19~", "\x03", "ü")
    assert line.pieces == ["h", "i", "\r", "\x1b", "\x1b[19~", "\x03", "ü"] and not line.pasted


def test_a_marked_paste_is_one_however_it_is_cut() -> None:
    whole = f"a{BEGIN}one\rtwo\x1b[31m\x03{END}b"
    for cut in range(1, len(whole)):
        if whole[:cut].endswith("\x1b") and BEGIN.startswith(whole[cut - 1 : cut + 1]):
            continue  # a lone Esc is a key at once, see below
        line = Line().read(whole[:cut], whole[cut:], after=0.001).wait(1.0)
        assert line.pasted == ["one\rtwo\x1b[31m\x03"], cut
        assert line.keys == "ab", cut


def test_a_lone_esc_waits_for_nothing() -> None:
    line = Line().read("\x1b")
    assert line.pieces == ["\x1b"] and line.pastes.deadline is None


def test_a_marked_paste_whose_end_is_lost_gives_the_keys_back() -> None:
    line = Line().read(f"{BEGIN}half of it")
    assert not line.pieces
    line.wait(LOST_S).read("\x1b[19~")
    assert line.pasted == ["half of it"] and line.keys == "\x1b[19~"


def test_lines_that_come_at_once_are_a_paste_with_its_last_enter() -> None:
    line = Line().read("one\rtwo\rthree\r").wait(GAP_S)
    assert line.pasted == ["one\rtwo\rthree\r"] and not line.keys


def test_an_unmarked_paste_in_many_readings_is_one() -> None:
    line = Line().read("x" * LONG + "\r", *["more\r"] * 20, "end\r", after=0.002).wait(GAP_S)
    assert line.pasted == ["x" * LONG + "\r" + "more\r" * 20 + "end\r"] and not line.keys


def test_an_unmarked_paste_read_byte_by_byte_sends_none_of_its_lines() -> None:
    line = Line().read(*"ab\rcd\r", after=0.0005).wait(GAP_S)
    assert line.keys == "ab" and line.pasted == ["\rcd\r"]


def test_a_busy_machine_does_not_make_a_paste_look_typed() -> None:
    line = Line().read(*"ten letters\rand more\r", after=HASTE_S * 2).wait(GAP_S)
    assert line.keys == "ten letters" and line.pasted == ["\rand more\r"]


def test_a_line_and_enter_in_one_reading_sends_it_after_a_moment() -> None:
    line = Line().read("hello\r")
    assert line.keys == "hello"
    assert line.wait(HOLD_S).keys == "hello\r" and not line.pasted


@pytest.mark.parametrize(("text", "after"), [("hi", HASTE_S * 2), ("a longer line", HOLD_S), ("hi", 1.0)])
def test_enter_by_itself_is_never_held_back(text: str, after: float) -> None:
    line = Line().read(*text, "\r", after=after)
    assert line.keys == f"{text}\r" and line.pastes.deadline is None


def test_one_who_types_ahead_of_a_slow_line_has_sent() -> None:
    line = Line().read("hi", "\rand ").wait(1.0)
    assert line.keys == "hi\rand " and not line.pasted


def test_stop_keys_pass_in_the_middle_of_everything() -> None:
    for stop in ("\x1b", "\x03", "\x1b[19~"):
        line = Line().read("one\rtwo").read(stop, after=0.001)
        assert line.pasted == ["one\rtwo"] and line.keys == stop
        line = Line().read("hi\r").read(stop, after=0.001)
        assert line.keys == "hi\r" + stop


def test_a_long_text_without_an_end_of_line_is_a_paste_too() -> None:
    assert Line().read("x" * LONG).wait(GAP_S).pasted == ["x" * LONG]
    assert Line().read("x" * (LONG - 1)).wait(GAP_S).keys == "x" * (LONG - 1)
