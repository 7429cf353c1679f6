"""All keys as data: the bindings, the hint line, the command palette and the F1 help are made from this."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from textual.binding import Binding


@dataclass(frozen=True, slots=True)
class Key:
    """One command: `id` names it for rebinding, `keys` are Textual key names (comma separated).

    `label` is for the hint line, `help` for F1 and the palette, `group` for F1. `priority`: whatever has focus.
    """

    id: str
    keys: str
    action: str
    label: str
    help: str
    group: str
    priority: bool = True


STOP_GROUP, TURN_GROUP, WRITE_GROUP, VIEW_GROUP, APP_GROUP = (
    "Stop",
    "Turns",
    "Writing",
    "Seeing",
    "The client",
)

KEYS: tuple[Key, ...] = (
    Key("run.stop.esc", "escape", "stop_key('escape')", "Stop", "Stop the run (closes a popup or list first)", STOP_GROUP),
    Key("run.stop", "f8", "stop_key('f8')", "Stop", "Stop the run, in every state", STOP_GROUP),
    Key("run.stop.ctrl_c", "ctrl+c", "stop_key('ctrl+c')", "Stop", "Stop the run; copies first if text is selected", STOP_GROUP),
    Key("run.stop_and_send", "ctrl+s", "stop_and_send", "Stop & send", "Stop, wait until it settles, then send the box", STOP_GROUP),
    Key("run.stop_all", "shift+f8,f20", "stop_all", "Stop all", "Stop every run that is active, in all tabs", STOP_GROUP),
    Key("turn.resend", "ctrl+r", "resend", "Resend", "Send the last prompt again, as a new turn", TURN_GROUP),
    Key("turn.queue", "f7", "queue", "Queue", "What waits to be sent: edit, move, take out, send now", TURN_GROUP),
    Key("turn.quote", "ctrl+l", "resend_quoting", "Resend with partial", "Resend, quoting the stopped partial reply", TURN_GROUP),
    Key("write.editor", "ctrl+g", "editor", "Editor", "Write the prompt in your own editor ($VISUAL, $EDITOR)", WRITE_GROUP),
    Key("write.prompts", "f5", "prompts", "Prompts", "Find an earlier prompt, of any conversation", WRITE_GROUP),
    Key("view.details", "ctrl+o", "toggle_details", "Details", "Fold or unfold reasoning and tool calls", VIEW_GROUP),
    Key("view.find", "ctrl+f", "find", "Find", "Find in this conversation, folded or not", VIEW_GROUP),
    Key("view.previous_turn", "ctrl+up", "turn(-1)", "Turn above", "To the prompt above", VIEW_GROUP),
    Key("view.next_turn", "ctrl+down", "turn(1)", "Turn below", "To the prompt below", VIEW_GROUP),
    Key("view.end", "ctrl+end", "follow", "End", "Back to the newest text", VIEW_GROUP),
    Key("view.events", "f2,ctrl+backslash", "inspector", "Events", "Every raw event, the time axis, the newest receipt", VIEW_GROUP),
    Key("view.statistics", "f3", "statistics", "Statistics", "How the stops so far went, here and in all conversations", VIEW_GROUP),
    Key("app.new", "ctrl+n", "new_conversation", "New", "Start a new conversation", APP_GROUP),
    Key("app.next_tab", "f6,ctrl+pagedown", "tab(1)", "Next tab", "The next of the open conversations", APP_GROUP),
    Key("app.previous_tab", "shift+f6,f18,ctrl+pageup", "tab(-1)", "Previous tab", "The previous of the open conversations", APP_GROUP),
    Key("app.conversations", "ctrl+t", "conversations", "Talks", "List the conversations", APP_GROUP),
    Key("app.commands", "ctrl+p", "command_palette", "Commands", "Search all commands", APP_GROUP),
    Key("app.settings", "f4", "settings", "Settings", "Every setting: what it is, and change it", APP_GROUP),
    Key("app.help", "f1", "help", "Help", "Show this help", APP_GROUP),
    Key("app.quit", "ctrl+q", "quit", "Quit", "Quit; asks if a run is active", APP_GROUP),
)  # fmt: skip

BOX_KEYS: tuple[tuple[str, str], ...] = (
    ("Enter", "Send; while a run is active: queue"),
    ("^J", "New line (also Shift+Enter where the terminal can send it)"),
    ("↑ ↓", "In an empty box: the last queued or sent prompt, then those before it; ↓ back"),
    ("@", "A file: attached, or its text; the line above the box says which"),
    ("Tab", "Behind a folded paste: unfold it"),
    ("PgUp PgDn", "Scroll the conversation"),
    ("/", "At the start: commands; ↑ ↓ choose, Tab completes, Enter does it, Esc closes the list"),
)
"""Keys of the text box that are not commands, for F1."""


def bindings() -> list[Binding]:
    """The App's bindings."""
    return [
        Binding(k.keys, k.action, k.label, priority=k.priority, show=False, id=k.id, tooltip=k.help)
        for k in KEYS
    ]


def caret(key: str) -> str:
    """A key as people read it: ^S, F8, Esc."""
    first = key.partition(",")[0]
    if first.startswith("ctrl+"):
        rest = first.removeprefix("ctrl+")
        return "^" + (rest.upper() if len(rest) == 1 else rest.capitalize())
    if first.startswith("shift+"):
        return "Shift+" + caret(first.removeprefix("shift+"))
    return {"escape": "Esc"}.get(first, first.upper() if first[:1] == "f" else first.capitalize())


def in_force(id: str, keymap: Mapping[str, str]) -> str:
    """The key of a command as it is bound now, as people read it."""
    return caret(keymap.get(id) or next(key.keys for key in KEYS if key.id == id))


def wrong_with(keymap: Mapping[str, str]) -> str:
    """What is wrong with keys that were bound anew, in one sentence; "" for nothing."""
    ids = [key.id for key in KEYS]
    for id in keymap:
        if id not in ids and not id.startswith("transcript."):
            from difflib import get_close_matches  # the start does not wait for it

            near = get_close_matches(id, ids, 1)
            meant = f"did you mean {near[0]}?" if near else "F1 lists the commands."
            return f"[keys] in the settings: there is no command {id}; {meant}"
    return _taken_twice(keymap)


def _taken_twice(keymap: Mapping[str, str]) -> str:
    owners: dict[str, str] = {}
    for key in KEYS:
        for name in keymap.get(key.id, key.keys).split(","):
            other = owners.get(name.strip(), key.id)
            if other != key.id and (key.id in keymap or other in keymap):
                both = f"{caret(name.strip())} is both {other} and {key.id}"
                return f"[keys] in the settings: {both}; give one another key"
            owners[name.strip()] = key.id
    return ""
