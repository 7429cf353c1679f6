"""Replies of any length, for measuring: prose, a list, code, one endless paragraph, a table."""

from __future__ import annotations

from collections.abc import Callable, Iterator

PROSE = (
    "Order 42 left the **Leipzig** warehouse on Tuesday. The carrier scanned it in Kassel on *Wednesday* "
    "night, and then there is a gap, which usually means that nobody scanned the parcel. See "
    "`carrier_status` or [the page](https://example.com/track/42) for more of it.\n\n"
)
CODE = (
    "    def method_{n}(self, value: int = {n}) -> str:  # note {n}\n"
    '        return f"{{value}} of {n}" + "x" * {n}\n'
)


def prose(size: int) -> str:
    return (PROSE * (size // len(PROSE) + 1))[:size]


def items(size: int) -> str:
    return "".join(f"- item **{n}** of a long list, with `code` and some words\n" for n in range(size // 50))[
        :size
    ]


def code(size: int) -> str:
    return ("```python\nclass A:\n" + "".join(CODE.format(n=n) for n in range(size // 100)))[:size]


def paragraph(size: int) -> str:
    return prose(size).replace("\n\n", " ")


def table(size: int) -> str:
    rows = "".join(f"| {n} | some words in the *middle* | {n * 7919} |\n" for n in range(size // 40))
    return ("| number | words | product |\n|---:|---|---:|\n" + rows)[:size]


KINDS: dict[str, Callable[[int], str]] = {
    "prose": prose, "list": items, "code": code, "paragraph": paragraph, "table": table,
}  # fmt: skip


def deltas(text: str, size: int = 5) -> Iterator[str]:
    for at in range(0, len(text), size):
        yield text[at : at + size]
