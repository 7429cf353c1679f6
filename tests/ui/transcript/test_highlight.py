"""Highlighting line by line gives what pygments gives for the whole text."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from pygments.lexers import get_lexer_by_name  # type: ignore[import-untyped]

from tui.ui.transcript import highlight, inks
from tui.ui.transcript.body import Body
from tui.ui.transcript.highlight import LexState, budget, engines, ink_of, line_pieces, load
from tui.ui.transcript.setting import Setting

SAMPLES = {
    "python": '@cache\ndef f(x: int = 3) -> str:\n    """Doc\n    more."""\n    return f"{x}" + \'y\'  # n\n',
    "javascript": "/* a\n * b */\nconst f = async (x) => `one\n${x} two`; // c\nif (f) { return 12.5; }\n",
    "typescript": "interface A<T> { b?: string }\n/* c\nd */ export const x: A<number> = null;\n",
    "c": "#include <stdio.h>\n/* one\n   two */\nint main(void) { char *s = \"a\\n\"; return 0; } // x\n",
    "rust": "/* a /* nested */\n b */\nfn main() { let x: u32 = 0xff; println!(\"{}\", x); }\n",
    "go": "package main\n// c\n/* d\ne */\nfunc f(a int) string { return `raw\nstring` }\n",
    "java": "/** Doc\n * more */\npublic class A { int b = 1; }\n",
    "html": "<!-- a\nb -->\n<p class=\"x\">text &amp; more</p>\n",
    "css": "/* a\nb */\na:hover { color: #fff; }\n",
    "sql": "/* a\nb */\nSELECT count(*) FROM t WHERE x = 'y'; -- c\n",
    "json": '{"a": [1, 2.5, true, null], "b": "c"}\n',
    "yaml": "a: 1\nb:\n  - c # d\n  - \"e\"\n",
    "bash": "# c\nfor x in a b; do\n  echo \"$x\" | grep 'y'\ndone\n",
    "diff": "--- a\n+++ b\n@@ -1 +1 @@\n-old\n+new\n same\n",
    "toml": "[a]\nb = \"c\" # d\n",
    "lua": "--[[ a\nb ]]\nlocal x = 'y' -- z\n",
    "haskell": "{- a\nb -}\nf :: Int -> Int\nf x = x + 1\n",
}  # fmt: skip


@pytest.fixture(autouse=True)
def unlimited() -> Iterator[None]:
    budget.renew(float("inf"))
    yield
    budget.renew(float("inf"))


def by_line(language: str, text: str) -> list[int]:
    """The ink of every character but newlines and spaces."""
    state, found = LexState(language), []
    for line in text.split("\n"):
        pieces, state = line_pieces(line, state)
        assert "".join(piece for piece, _ in pieces) == line
        found += [ink for piece, ink in pieces for c in piece if not c.isspace()]
    return found


def whole(language: str, text: str) -> list[int]:
    tokens = get_lexer_by_name(language, stripnl=False, ensurenl=False).get_tokens_unprocessed(text)
    return [ink_of(kind) for _, kind, value in tokens for c in value if not c.isspace()]


@pytest.mark.parametrize("language", SAMPLES)
def test_a_text_highlighted_line_by_line_looks_as_if_it_was_seen_whole(language: str) -> None:
    text = SAMPLES[language]
    assert by_line(language, text) == whole(language, text)


@pytest.mark.parametrize("language", SAMPLES)
def test_there_is_something_to_see(language: str) -> None:
    assert len(set(by_line(language, SAMPLES[language]))) > 2


def test_a_language_nobody_knows_is_shown_in_one_ink() -> None:
    assert line_pieces("x = 1", LexState("nonsense")) == ([("x = 1", inks.FENCE)], LexState("nonsense"))
    assert load("../../etc/passwd") is None


def test_a_rule_that_raises_costs_the_colours_and_no_more() -> None:
    engine = load("python")
    assert engine

    def broken(text: str, state: LexState) -> object:
        raise RuntimeError

    engine._tokens = broken  # type: ignore[method-assign, assignment]
    assert engine.line("x = 1", "", LexState("python"))[0] == [("x = 1", inks.FENCE)]


def test_a_line_of_any_length_is_looked_at_up_to_a_limit_and_shown_whole() -> None:
    line = "x = 1; " * 1000
    pieces, _ = line_pieces(line, LexState("python"))
    assert "".join(text for text, _ in pieces) == line
    assert pieces[-1][1] == inks.FENCE
    assert len(pieces[-1][0]) >= len(line) - highlight.LONGEST


def test_in_a_loop_a_language_is_loaded_beside_it_and_tells_when_it_is_there() -> None:
    async def scene() -> None:
        engines._found.pop("ruby", None)
        came = asyncio.Event()
        engines.when_more(came.set)
        assert engines.get("ruby") is None
        async with asyncio.timeout(10):
            await came.wait()
        assert engines.get("ruby") is not None

    asyncio.run(scene())


def inks_of(body: Body, setting: Setting) -> set[int]:
    rows = [row for index in range(len(body.slabs)) for row in body.rows(index, setting)]
    return {span.ink for row in rows for span in row.spans}


def test_code_that_rushes_by_is_pale_and_gets_its_colours_when_there_is_time() -> None:
    engines.get("python")
    body, setting = Body(), Setting(80)
    budget.renew(100)
    body.grow("```python\n" + "def f(x): return 'y'  # z\n" * 200)
    assert inks.KEYWORD not in {
        span.ink for row in body.rows(len(body.slabs) - 1, setting) for span in row.spans
    }
    assert budget.out
    for _ in range(20):
        budget.renew(2000)
        colours = inks_of(body, setting)
    assert {inks.KEYWORD, inks.STRING, inks.COMMENT} <= colours
    budget.renew(0)
    assert inks_of(body, setting) == colours
    assert not budget.out


def test_a_string_over_slabs_keeps_its_colour_in_those_seen_first() -> None:
    body, setting = Body(), Setting(80)
    body.grow('```python\nx = """\n' + "words in a string of many lines\n" * 120 + '"""\n')
    spans = [span for row in body.rows(2, setting) for span in row.spans if "words" in span.text]
    assert {span.ink for span in spans} == {inks.STRING}
