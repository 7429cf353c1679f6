"""Markdown sources for properties: lines of every construct in any order, and cuttings of them."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import strategies as st

LINES = [
    "", "", "", " ", "plain text of some words", "more words, *emphasis* and `code`", "# Heading",
    "## Two ##", "---", "===", "* * *", "- item", "- ", "-", "  continued", "    deep", "  - nested",
    "    - deeper", "1. one", "2) two", "10. ten", "7", "- [ ] task", "- [x] done", "> quote", ">",
    "> > twice", "> - item in quote", "> ```", "```", "```python", "~~~", "   ```", "def f(x):", "\treturn x",
    "| a | b |", "|---|:-:|", "| 1 | 2 |", "a | b", "--|--", "[ref]: https://example.com 'title'",
    "a [ref] and [text][ref]", "![image](https://x.y/z.png)", "two spaces  ", "backslash\\", "表の中の文字",
    "e\u0301 👩‍👩‍👧 flags 🇩🇪", "a very long line " * 6, "unbroken" * 20, "- " + "long item text. " * 9,
    "> " + "long quote text. " * 9, "<b>html</b>", "https://example.com/path?x=1.", "\\* not a list",
    "&amp; &#35; &unknown;",
]  # fmt: skip

sources = st.lists(st.sampled_from(LINES), max_size=25).map("\n".join) | st.text(
    alphabet="ab -*_`>#|\n\t1.[]()~", max_size=120
)


@st.composite
def cut_sources(draw: st.DrawFn) -> tuple[str, list[str]]:
    """A source, and a cutting of it."""
    source = draw(sources)
    places = sorted(draw(st.lists(st.integers(0, len(source)), max_size=12)))
    edges = [0, *places, len(source)]
    return source, [source[a:b] for a, b in pairwise(edges)]
