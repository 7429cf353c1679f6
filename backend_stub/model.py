"""The scripted model: plays one turn of a scenario as a stream of deltas, and can be cut at any of them."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass, field

from backend_stub import events as ev
from backend_stub.cancel import RunCancelled
from backend_stub.run import Run
from backend_stub.steps import Call, Fail, Flood, Gate, Part, Quiet, Say, Think, Turn

_WORDS = re.compile(r"\S+\s*|\s+")
_ARGUMENTS = re.compile(r"[^,:]+[,:]?\s?")
_BRACKET = re.compile(r"\[\[[^\[\]]*\]\]|^/[a-z-]+")
_TICK_S = 0.01


class AgentFailed(Exception):
    """The script says that the run fails here."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(slots=True)
class Speech:
    """What one model call has said so far, and the message that is open."""

    run: Run
    open: str = ""
    reasons: bool = False
    text: list[str] = field(default_factory=list)
    reasoning: list[str] = field(default_factory=list)
    calls: list[tuple[Call, ev.CallReady]] = field(default_factory=list)
    words: int = 0

    async def delta(self, text: str, reasons: bool = False) -> None:
        """Say one more piece, opening a message of the right kind first."""
        if not self.open or self.reasons is not reasons:
            self.close()
            self.open, self.reasons = self.run.new_id("thought" if reasons else "message"), reasons
            self.run.emit((ev.ReasoningBegan if reasons else ev.TextBegan)(self.open))
        (self.reasoning if reasons else self.text).append(text)
        self.words += 1
        self.run.emit((ev.ReasoningDelta if reasons else ev.TextDelta)(self.open, text))
        if not reasons and len(self.text) == self.run.switches.text_gate and not self.run.hurry:
            await self.run.gates.hold(self.run.id, "text", self.run.token)

    def close(self) -> None:
        if self.open:
            self.run.emit((ev.ReasoningEnded if self.reasons else ev.TextEnded)(self.open))
        self.open = ""


async def ask_model(run: Run, turn: Turn, number: int) -> list[tuple[Call, ev.CallReady]]:
    """One model call: stream the turn's parts, return the tool calls it asks for.

    Raises RunCancelled (what was said until then is kept) and AgentFailed.
    """
    speech, call = Speech(run), run.new_id("model")
    with run.ledger.call(run.id, run.token, "model", call, f"scripted model, call {number}"):
        run.emit(ev.ModelBegan(call, number))
        cut = False
        try:
            for part in turn.parts:
                await _play(speech, part)
        except RunCancelled:
            cut = True
            raise
        finally:
            _end(speech, call, cut)
    return speech.calls


def _end(speech: Speech, call: str, cut: bool) -> None:
    run = speech.run
    speech.close()
    given = sum(len(text.split()) for text in (run.prompt, *speech.run.reply.text().split("\n\n")))
    run.input_tokens += given
    run.output_tokens += speech.words
    calls = tuple(ready for _, ready in speech.calls)
    text, reasoning = "".join(speech.text), "".join(speech.reasoning)
    run.emit(ev.ModelEnded(call, text, reasoning, calls, given, speech.words, cut))


async def _play(speech: Speech, part: Part) -> None:
    run = speech.run
    match part:
        case Think(text, pace):
            await _speak(speech, text, pace, reasons=True)
        case Say(text, pace):
            await _speak(speech, text.replace("{prompt}", _brief(run.prompt)), pace)
        case Call():
            await _open_call(speech, part)
        case Quiet(seconds):
            await run.pause(seconds)
        case Gate(name):
            await run.gates.hold(run.id, name, run.token)
        case Flood(count, rate, text):
            await _flood(speech, count, rate, text)
        case Fail(message, code):
            raise AgentFailed(message, code)


async def _speak(speech: Speech, text: str, pace: float, reasons: bool = False) -> None:
    for word in _WORDS.findall(text):
        await speech.run.pause(pace)
        await speech.delta(word, reasons)


async def _flood(speech: Speech, count: int, rate: int, text: str) -> None:
    """Many deltas, at each tick as many as are due: no timer is fine enough for 20,000 a second."""
    run, said, began = speech.run, 0, time.monotonic()
    while said < count:
        await run.pause(_TICK_S)
        speed = 0.0 if run.hurry else run.switches.speed
        due = int((time.monotonic() - began) * rate * speed) if speed else said + int(rate * _TICK_S)
        for _ in range(min(due, count) - said):
            await speech.delta(text)
        said = max(said, min(due, count))


async def _open_call(speech: Speech, part: Call) -> None:
    run = speech.run
    speech.close()
    call = run.new_id("call")
    run.emit(ev.CallBegan(call, part.tool))
    for piece in _ARGUMENTS.findall(json.dumps(part.arguments, ensure_ascii=False)):
        await run.pause(0.05)
        run.emit(ev.CallArguments(call, piece))
    ready = ev.CallReady(call, part.tool, part.arguments)
    run.emit(ready)
    speech.calls.append((part, ready))


def _brief(prompt: str) -> str:
    """The prompt in a line, without what was said to the stage manager."""
    line = " ".join(_BRACKET.sub("", prompt).split()) or "nothing in particular"
    return line if len(line) <= 60 else line[:59] + "…"
