"""The steps of the tour. Each brings about what it needs, so that one may begin at any of them."""

from __future__ import annotations

from tui.core.events import Answer
from tui.core.turn import Outcome, Phase
from tui.core.view import milliseconds, time_to_evidence
from tui.ui.tour.guide import Guide, Step
from tui.ui.tour.sheets import OutcomesSheet, YoursSheet

QUESTION = "How do I know that an agent really stopped?"
SHORTER = " Keep it short."
LETTER = "Send the letter to everyone."
LIAR = "Write a long story. [[abort=lie]]"


async def stream(guide: Guide) -> None:
    await guide.idle()
    await guide.say("A real agent on this machine, over real HTTP. All of it works by hand, too.")
    await guide.send(QUESTION)
    await guide.say("It thinks, calls a tool, writes. The cell at the right says what stops it.")
    await guide.until(lambda: guide.chars > 700 or guide.settled(), "No reply came")


async def stop(guide: Guide) -> None:
    guide.show("As soon as it writes, Esc stops it in mid-sentence.")
    await _writing(guide, QUESTION, 200)
    guide.show(
        "Esc freezes the text in that instant. Only then is the backend asked, and its end looked for."
    )
    await guide.press("escape", guide.settled)
    turn = guide.turn
    took = milliseconds(time_to_evidence(turn)) if turn else "-"
    await guide.expect(
        turn is not None and turn.outcome is Outcome.CONFIRMED,
        f"Stopped, and confirmed: the backend declared the end {took} after the key.",
        f"it ended as “{guide.word}”. The card says what is known.",
    )


async def receipt(guide: Guide) -> None:
    await _a_stop(guide)
    await guide.say("What was kept, what the backend answered and when, what showed the end.")
    guide.show("F2: every event as it came, and the receipt in milliseconds.")
    await guide.press("f2", lambda: guide.app.inspecting)
    await guide.say(guide.text)
    await guide.press("f2", lambda: not guide.app.inspecting)


async def edit(guide: Guide) -> None:
    await _a_stop(guide)
    guide.show("↑ in the empty box brings the prompt back. Change it, and send it again.")
    if not guide.app.pane.box.text:
        await guide.press("up", lambda: guide.app.pane.box.text != "")
    before = guide.app.pane.box.text
    await guide.send(before if before.endswith(SHORTER) else before + SHORTER)
    guide.show("Sent again, as a turn of its own beside the stopped one.")
    await guide.until(guide.settled, "The reply did not end")
    await guide.expect(
        guide.turn is not None and guide.turn.phase is Phase.COMPLETED,
        "A new turn. Nothing of the stopped run can get into it: what comes late is kept apart.",
        f"it ended as “{guide.word}”.",
    )


async def tool(guide: Guide) -> None:
    await guide.idle()
    guide.show("Now in the middle of a tool: one that cannot be cut once it has begun.")
    while not guide.at_a_tool:
        await guide.send(LETTER)
        await guide.until(lambda: guide.at_a_tool or guide.settled(), "No tool was called")
    guide.show("The letter is being sent. F8 stops, too: in every state, and over every dialog.")
    await guide.dwell(1.5)
    await guide.press("f8", guide.settled)
    left = guide.turn.open_tools() if guide.turn and guide.turn.outcome else []
    await guide.expect(
        bool(left),
        "The run is over and nothing new starts; but nobody saw the letter's end, and the receipt says so.",
        f"it ended as “{guide.word}”, with no tool left open.",
    )


async def lie(guide: Guide) -> None:
    await guide.idle()
    guide.show("A backend that lies: [[abort=lie]] makes ours say yes, and go on. Some really do.")
    await _writing(guide, LIAR, 60)
    await guide.press("escape", guide.settled)
    stop = guide.turn.stop if guide.turn else None
    said_yes = stop is not None and stop.answer is not None and stop.answer.answer is Answer.ACKNOWLEDGED
    late = stop.late_chars if stop else 0
    await guide.expect(
        said_yes and guide.turn is not None and guide.turn.outcome is Outcome.UNCONFIRMED,
        f"Found out: it said yes, and {late} more characters came. So it is not called “stopped”; retry it.",
        f"it ended as “{guide.word}”.",
    )


async def outcomes(guide: Guide) -> None:
    await guide.idle()
    guide.app.push_screen(OutcomesSheet(guide.app.pane, guide))
    await guide.say("A stop can end in six ways; only the first is called “stopped”.")
    await guide.say(
        "In a script they are exit codes, 10 to 15; F3 counts them for all that you have stopped."
    )
    await guide.press("escape", lambda: not guide.modal)


async def yours(guide: Guide) -> None:
    await guide.idle()
    guide.app.push_screen(YoursSheet(guide.app.pane, guide))
    await guide.say("Point it at your own agent, and press Esc. That is the whole idea.")
    await guide.say("stopkey probe tries its Stop for you and tells whether it is true. ^Q leaves the tour.")


STEPS = (
    Step("stream", "A reply streams", stream),
    Step("stop", "Stop in mid-sentence", stop),
    Step("receipt", "The receipt", receipt),
    Step("edit", "Edit and resend", edit),
    Step("tool", "Stop during a tool", tool),
    Step("lie", "A backend that lies", lie),
    Step("outcomes", "Six outcomes", outcomes),
    Step("yours", "Your own agent", yours),
)


async def _writing(guide: Guide, prompt: str, chars: int) -> None:
    """A reply is being written and has come so far; a prompt is sent where there is none."""
    while not (guide.running and guide.chars >= chars):
        if not guide.running:
            await guide.idle()
            await guide.send(prompt)
        await guide.until(lambda: guide.chars >= chars or not guide.running, "No text came")


async def _a_stop(guide: Guide) -> None:
    """The newest turn was stopped."""
    await guide.idle()
    if guide.turn is None or guide.turn.stop is None:
        await stop(guide)
