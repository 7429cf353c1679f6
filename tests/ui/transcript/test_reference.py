"""Block structure: compared with a reference parser over generated documents."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from tests.ui.transcript.sources import LINES
from tui.ui.transcript.leaves import Kind, Leaf
from tui.ui.transcript.scanner import Scanner

REFERENCE = MarkdownIt("commonmark").enable("table").disable("html_block")
USED = [line for line in LINES if "\t" not in line and "deep" not in line and not line.startswith("[ref]")]
"""Without definitions (shown here, not there), tabs, and lazy lines indented by four (it disagrees there)."""

documents = st.lists(st.sampled_from(USED), max_size=7).map(lambda lines: "\n".join(lines) + "\n")
Outline = list[tuple[str, str, str]]


def reference(source: str) -> Outline:
    """Kind, containers ("q" and "i") and text of every leaf."""
    found: Outline = []
    around: list[str] = []
    tokens = REFERENCE.parse(source)
    for index, token in enumerate(tokens):
        before = tokens[index - 1]
        place = "".join(around)
        if token.type in ("blockquote_open", "list_item_open"):
            around.append("q" if token.type == "blockquote_open" else "i")
        elif token.type in ("blockquote_close", "list_item_close"):
            around.pop()
        elif token.type == "inline" and before.type in ("paragraph_open", "heading_open"):
            found.append((before.tag, place, " ".join(token.content.split())))
        elif token.type in ("hr", "table_open"):
            found.append((token.tag, place, ""))
        elif token.type in ("fence", "code_block"):
            found.append(("code", place, token.content.rstrip("\n")))
    return found


def outline(source: str) -> Outline:
    scanner = Scanner()
    found: Outline = []
    code: list[str] | None = None
    for leaf in [one.leaf for one in (*scanner.feed(source), *scanner.close())]:
        place = "".join("i" if nest.marker else "q" for nest in leaf.nests)
        if leaf.kind in (Kind.CODE_OPEN, Kind.CODE_LINE):
            code = [] if leaf.kind is Kind.CODE_OPEN else [*(code or []), leaf.text]
            if leaf.kind is Kind.CODE_LINE:
                found.pop()
            found.append(("code", place, "\n".join(code).rstrip("\n")))
        else:
            code = None
            found += _one(leaf, place)
    return found


def _one(leaf: Leaf, place: str) -> Outline:
    names = {Kind.PARAGRAPH: "p", Kind.HEADING: f"h{leaf.info}", Kind.RULE: "hr", Kind.TABLE: "table"}
    name = names.get(leaf.kind)
    text = " ".join(leaf.text.split()) if leaf.kind in (Kind.PARAGRAPH, Kind.HEADING) else ""
    return [(name, place, text)] if name else []


@given(documents)
def test_block_structure_is_what_the_reference_says(source: str) -> None:
    assert outline(source) == reference(source)
