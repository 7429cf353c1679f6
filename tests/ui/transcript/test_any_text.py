"""Whatever text comes, cut wherever: the transcript draws it, row by whole row."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.hostile.recording import PAYLOADS
from tests.ui.transcript.sources import LINES
from tests.ui.transcript.stage import Stage, Talk, play
from tui.core.safe_text import DANGEROUS

pieces = st.lists(
    st.text(max_size=30) | st.sampled_from([*PAYLOADS, *LINES, "\n", "```", "| "]), min_size=1, max_size=12
)


@given(st.lists(pieces, min_size=1, max_size=6), st.integers(3, 90))
@settings(max_examples=12, deadline=None)
def test_any_text_in_any_pieces_is_drawn_in_whole_rows(replies: list[list[str]], width: int) -> None:
    async def scene(stage: Stage, pilot: object) -> None:
        for number, reply in enumerate(replies, 1):
            talk = Talk(stage.view, number, reply[0])
            for piece in reply:
                talk.say(piece)
                for y in range(stage.view.size.height):
                    strip = stage.view.render_line(y)
                    assert strip.cell_length == stage.view.size.width
                    assert not DANGEROUS.search(strip.text)

    play(scene, (width, 12))
