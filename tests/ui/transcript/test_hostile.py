"""Text that wants to act on the terminal, wherever the transcript can show it: it is drawn, no more."""

from __future__ import annotations

import json
from pathlib import Path

from textual.pilot import Pilot

from tests.ui.transcript.stage import Stage, Talk, play
from tui.core import events as ev
from tui.core.safe_text import DANGEROUS

VECTORS = Path(__file__).parents[2] / "vectors" / "terminal.jsonl"
PAYLOADS = [json.loads(line)["payload"] for line in VECTORS.read_text(encoding="utf-8").splitlines()]


def test_no_payload_reaches_the_screen_as_it_is_and_no_row_changes_its_width() -> None:
    assert len(PAYLOADS) > 50

    async def scene(stage: Stage, pilot: Pilot[None]) -> None:
        stage.view.fold_all(False)
        for number, payload in enumerate(PAYLOADS):
            talk = Talk(stage.view, number + 1, payload)
            talk.take(ev.ReasoningDelta("r", payload))
            talk.take(ev.ToolStarted("c", payload, payload), ev.ToolFinished("c", payload))
            talk.take(ev.DataReceived(payload, payload), ev.QuestionAsked("q", payload, choices=(payload,)))
            talk.say(f"{payload}\n\n> {payload}\n\n```{payload}\n{payload}\n```\n\n")
            talk.say(f"| {payload} |\n|--|\n| {payload} |\n\n")
            talk.say(f"[{payload}]({payload}) `{payload}` **{payload}**")
            stage.view.go_to(number + 1)
            for _ in range(3):
                for y in range(stage.view.size.height):
                    strip = stage.view.render_line(y)
                    assert not DANGEROUS.search(strip.text), payload
                    assert strip.cell_length == stage.view.size.width, payload
                    assert not any(segment.control for segment in strip)
                    assert not any(segment.style and segment.style.link for segment in strip)
                stage.view.action_page(1)

    play(scene, (60, 30))
