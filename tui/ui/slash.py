"""Slash commands: the same words as keys and palette, for people who type."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from tui.core.events import ReasonGiven
from tui.core.safe_text import safe_line
from tui.ui.clipboard import code_of, keep_in_file
from tui.ui.composing.mentions import mentioned

if TYPE_CHECKING:
    from tui.ui.app import StopkeyApp

_COMMAND = re.compile(r"/[\w-]*(\s|$)")
Command = Callable[["StopkeyApp", str], str]


def _stop(app: StopkeyApp, rest: str) -> str:
    if rest.strip() == "all":
        return _stop_all(app, "")
    app.press_stop("/stop", rest.strip())
    return app._note


def _stop_all(app: StopkeyApp, rest: str) -> str:
    app.action_stop_all()
    return app._note


def _reason(app: StopkeyApp, rest: str) -> str:
    """Why it was stopped: of the turn whose card was clicked, else of the newest stopped one."""
    session = app.pane.talk.session
    stopped = [turn for turn in session.conversation.turns if turn.stop]
    if not stopped:
        return "Nothing was stopped in this conversation."
    if not rest.strip():
        return "Say why: /reason TEXT."
    asked = [turn for turn in stopped if turn.number == app.reason_for]
    app.reason_for = 0
    session.record((asked or stopped)[-1].number, ReasonGiven(rest.strip()))
    return "the reason is in the receipt"


def _continue(app: StopkeyApp, rest: str) -> str:
    return app.pane.talk.go_on()


def _copy(app: StopkeyApp, rest: str) -> str:
    turn = app.pane.talk.turn
    if turn is None:
        return "There is nothing to copy yet."
    what, _, path = rest.strip().partition(" ")
    if what == "file" and path:
        app.spawn(_keep(app, path, turn.kept()))
        return ""
    if what not in ("", "code", "all"):
        return "Say /copy, /copy code, /copy all, or /copy file PATH."
    text = {"": turn.kept, "code": lambda: code_of(turn.kept()), "all": app.pane.talk.as_text}[what]()
    if not text:
        return (
            "There is no block of code in this reply." if what == "code" else "There is nothing to copy yet."
        )
    app.copy(text)
    return app._note


async def _keep(app: StopkeyApp, path: str, text: str) -> None:
    app.note(await asyncio.to_thread(keep_in_file, path, text))


def _resend(app: StopkeyApp, rest: str) -> str:
    app.action_resend()
    return ""


def _quit(app: StopkeyApp, rest: str) -> str:
    app.call_later(app.action_quit)
    return ""


def _help(app: StopkeyApp, rest: str) -> str:
    app.action_help()
    return ""


def _last(app: StopkeyApp, rest: str) -> str:
    app.action_last_conversation()
    return "" if app.pane.last_id else "There is no conversation of last time."


def _new(app: StopkeyApp, rest: str) -> str:
    app.action_new_conversation()
    return ""


def _find(app: StopkeyApp, rest: str) -> str:
    app.spawn(app.action_find())
    return ""


def _branch(app: StopkeyApp, rest: str) -> str:
    if not rest.strip().isdigit():
        return "Say which prompt: /branch 2."
    app.begin_branch(int(rest))
    return app._note


def _queue(app: StopkeyApp, rest: str) -> str:
    app.action_queue()
    return app._note


def _settings(app: StopkeyApp, rest: str) -> str:
    app.action_settings()
    return app._note


def _connect(app: StopkeyApp, rest: str) -> str:
    app.action_connect()
    return app._note


def _close(app: StopkeyApp, rest: str) -> str:
    app.action_close_tab()
    return app._note


def _events(app: StopkeyApp, rest: str) -> str:
    app.call_later(app.action_inspector)
    return ""


def _stats(app: StopkeyApp, rest: str) -> str:
    app.action_statistics()
    return ""


def _replay(app: StopkeyApp, rest: str) -> str:
    app.action_replay()
    return app._note


def _compare(app: StopkeyApp, rest: str) -> str:
    app.action_compare()
    return app._note


def _history(app: StopkeyApp, rest: str) -> str:
    app.action_prompts()
    return ""


def _editor(app: StopkeyApp, rest: str) -> str:
    app.action_editor()
    return ""


def _attach(app: StopkeyApp, rest: str) -> str:
    """The mention in the box is the attachment: it can be seen there, and taken away."""
    path = rest.strip().strip('"')
    if not path:
        return "Say which: /attach PATH. Or type @ and some letters of it."
    app.pane.box.put(f"{mentioned(path)} ")
    return ""


COMMANDS: dict[str, tuple[Command, str]] = {
    "stop": (_stop, "Stop the run; what follows is the reason"),
    "stop-all": (_stop_all, "Stop every run, in all tabs"),
    "reason": (_reason, "Say why it was stopped"),
    "resend": (_resend, "Send the last prompt again"),
    "continue": (_continue, "Ask the agent to go on where it was stopped"),
    "copy": (_copy, "Copy the reply, its last code, all of it, or keep it in a file"),
    "history": (_history, "Find an earlier prompt, of any conversation"),
    "editor": (_editor, "Write the prompt in your own editor"),
    "attach": (_attach, "Send a file with the prompt, or its text; the same as @PATH"),
    "new": (_new, "Start a new conversation"),
    "last": (_last, "Go on with the conversation of last time"),
    "branch": (_branch, "Edit an earlier prompt and go on from there; this branch stays"),
    "queue": (_queue, "What waits to be sent: edit, move, take out"),
    "find": (_find, "Find in this conversation"),
    "close": (_close, "Close this tab"),
    "events": (_events, "Show or hide every raw event"),
    "stats": (_stats, "How the stops so far went"),
    "replay": (_replay, "Play this conversation as it was"),
    "compare": (_compare, "A stopped reply beside the answer after it"),
    "connect": (_connect, "Another backend: try it, keep it, talk to it"),
    "settings": (_settings, "Every setting: what it is, and change it"),
    "help": (_help, "Show the keys"),
    "quit": (_quit, "Quit"),
}


ARGUMENTS: dict[str, str] = {
    "copy": "[code | all | file PATH]",
    "attach": "PATH",
    "branch": "NUMBER",
    "stop": "[REASON]",
    "reason": "TEXT",
}
"""What may follow a command; brackets where it may be left out."""


def is_command(text: str) -> bool:
    """Whether a text is meant as a command: /usr/bin/env at the start of a prompt is not."""
    return _COMMAND.match(text) is not None


def _no_such(app: StopkeyApp, name: str) -> str:
    from difflib import get_close_matches  # the start does not wait for it

    near = get_close_matches(name, [*COMMANDS, *app.pane.composer.completing.theirs], 1)
    meant = f"Did you mean /{near[0]}?" if near else f"There are /{', /'.join(COMMANDS)}."
    return safe_line(f"There is no /{name[:20]}. {meant}", 400)


def run_slash(app: StopkeyApp, text: str) -> str:
    """Carry out a line that starts with a slash; the answer is a note for the person."""
    name, _, rest = text[1:].partition(" ")
    found = COMMANDS.get(name)
    theirs = app.pane.composer.completing.theirs
    if found is None and app.pane.talk.opening.embedded and (not theirs or name in theirs):
        app.pane.view.follow()
        return app.pane.talk.submit(text)  # /tool, /long …: the embedded backend's scenarios
    if found is None:
        app.pane.box.put(text)
        return _no_such(app, name)
    return found[0](app, rest)
