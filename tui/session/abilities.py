"""What a backend's Stop can and cannot do, in words: said before the key is pressed, and again after."""

from __future__ import annotations

from tui.backends.base import Capabilities, RemoteStop, Scope, Takes

_HOW = {
    RemoteStop.ABORT: "Stop sends this backend an abort",
    RemoteStop.CLOSE: "Stop closes the connection, which ends the run on this backend",
    RemoteStop.NONE: "Stop ends it here only: this backend has no abort",
}


def in_short(can: Capabilities) -> str:
    """One sentence for the screen of an empty conversation."""
    if can.remote_stop is RemoteStop.ABORT:
        return f"{_HOW[can.remote_stop]} for {_scope(can)}."
    return f"{_HOW[can.remote_stop]}."


def before_a_stop(can: Capabilities) -> str:
    """What the run bar adds while a run is active; empty for the ordinary case (an abort of this run)."""
    if can.remote_stop is RemoteStop.NONE:
        return "Stop ends it here only"
    return "Stop ends all of this conversation" if can.scope is Scope.CONVERSATION else ""


def after_a_stop(can: Capabilities) -> str:
    """What the stopped card adds; empty for the ordinary case."""
    if can.scope is Scope.CONVERSATION and can.remote_stop is RemoteStop.ABORT:
        return "The abort was for the whole conversation, queued prompts of other clients included."
    return ""


def at_length(can: Capabilities) -> list[str]:
    """One line each: how it stops, what confirms, what a disconnect does, resume, memory."""
    look_up = "a look-up shows whether the run is over" if can.status else "only the stream shows the end"
    lines = [
        in_short(can),
        "Its answer comes once the run is over."
        if can.answer_confirms
        else f"Its yes is no proof; {look_up}.",
        f"A disconnect {_yes(can.disconnect_stops, 'ends the run', 'leaves it running')}.",
        f"A broken stream {'is taken up again' if can.resume else 'cannot be taken up again'}.",
        f"A stopped partial reply {_yes(can.remembers_partial, 'is remembered', 'is forgotten')} by it.",
    ]
    lines.append(_files(can.takes_files))
    if can.takes_reason:
        lines.append("The abort carries a reason: /stop REASON.")
    return lines


def _files(takes: Takes | None) -> str:
    if takes is None:
        return "It takes no files: the text of an @file goes into the prompt."
    return f"A prompt may carry files (@file): {', '.join(takes.kinds)}, {takes.most / 1e6:g} MB each."


def _scope(can: Capabilities) -> str:
    return "this run" if can.scope is Scope.RUN else "everything in this conversation"


def _yes(known: bool | None, yes: str, no: str) -> str:
    return f"may or may not {_plain(yes)} (not known)" if known is None else yes if known else no


def _plain(verb: str) -> str:
    return {"ends the run": "end the run", "is remembered": "be remembered"}[verb]
