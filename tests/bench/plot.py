"""Cost against size as an SVG: one line a kind of text. Flat is good."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

WIDTH, HEIGHT, LEFT, BELOW = 640, 360, 60, 50
_COLOURS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#8c564b")


def plot(curve: Mapping[str, Sequence[float]], sizes: Sequence[int]) -> str:
    """Milliseconds a delta (from zero) over characters that are there already (a decade a step)."""
    top = max(max(values) for values in curve.values()) * 1.2
    pieces = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
        f'font-size="12"><rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>'
    ]
    for step in range(5):
        y = _y(top * step / 4, top)
        pieces.append(f'<path d="M{LEFT} {y:.1f}H{WIDTH - 20}" stroke="#ddd"/>')
        pieces.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{top * step / 4:.2f}</text>')
    for size in sizes:
        pieces.append(
            f'<text x="{_x(size, sizes):.1f}" y="{HEIGHT - 30}" text-anchor="middle">{size:,}</text>'
        )
    pieces.append(f'<text x="{LEFT}" y="{HEIGHT - 10}">characters there already</text>')
    pieces.append(f'<text x="{LEFT}" y="16">milliseconds for one more delta and its frame</text>')
    for number, (kind, values) in enumerate(curve.items()):
        pieces += _line(
            kind, number, [(_x(s, sizes), _y(v, top)) for s, v in zip(sizes, values, strict=True)]
        )
    return "\n".join([*pieces, "</svg>\n"])


def _line(kind: str, number: int, points: Sequence[tuple[float, float]]) -> list[str]:
    colour = _COLOURS[number % len(_COLOURS)]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return [
        f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>',
        f'<text x="{WIDTH - 130}" y="{32 + 16 * number}" fill="{colour}">{escape(kind)}</text>',
    ]


def _x(size: int, sizes: Sequence[int]) -> float:
    low, high = math.log10(sizes[0]), math.log10(sizes[-1])
    return LEFT + 20 + (WIDTH - LEFT - 60) * (math.log10(size) - low) / (high - low)


def _y(value: float, top: float) -> float:
    return HEIGHT - BELOW - (HEIGHT - BELOW - 30) * value / top
