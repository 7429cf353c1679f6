"""`stopkey chat` and `stopkey open`: the screen, with everything it needs put together."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from tui.commands.common import Exit, Trouble, need_terminal, tell_of
from tui.commands.target import Wanted, target_options
from tui.config import Loaded, load
from tui.core.safe_text import safe_line

if TYPE_CHECKING:
    from tui.desk import Desk
    from tui.session import Opening
    from tui.ui.app import StopkeyApp

TURN_S = 0.0005
"""How long the thread that saves may keep the interpreter to itself while the screen wants it. Python's own
5 ms, taken at every read and every write, were most of what a key waited for in a flood."""
DRAWS_A_SECOND = "240"
"""How often Textual looks whether something is to be drawn, while something is: a key's pixels wait for that.
The transcript itself draws growth 30 times a second at most."""
THEMES = {"dark": "textual-dark", "light": "textual-light"}


_PLAIN = click.option("--plain", is_flag=True, help="No animation, ASCII signs; for screen readers.")


@click.command("chat")
@target_options
@_PLAIN
def chat_command(wanted: Wanted, plain: bool) -> int:
    """Chat with a backend: one from config.toml, one named here, or the embedded one."""
    from tui.commands.desks import open_new

    need_terminal("The chat")
    loaded = _settings(wanted)
    return _show(*open_new(wanted, loaded.settings), loaded, plain)


@click.command("open")
@target_options
@_PLAIN
@click.argument("identity", metavar="ID")
def open_command(wanted: Wanted, plain: bool, identity: str) -> int:
    """Go on with a stored conversation. ID may be cut short; `stopkey list` shows them."""
    from tui.commands.desks import open_stored

    need_terminal("The chat")
    loaded = _settings(wanted)
    return _show(*open_stored(identity, wanted, loaded.settings), loaded, plain)


def _settings(wanted: Wanted) -> Loaded:
    """The settings. A mistake in them stops the start only if it is in the very profile asked for."""
    loaded = load()
    if loaded.problems and wanted.profile and wanted.profile not in loaded.settings.profiles:
        raise Trouble("\n".join(loaded.problems))
    return loaded


def _show(desk: Desk, opening: Opening, loaded: Loaded, plain: bool) -> int:
    """Run the app. Whatever happens, what is left is written and the embedded backend ends."""
    from tui.ui.collector import held

    opening.note = opening.note or (loaded.problems[0] if loaded.problems else "")
    sys.setswitchinterval(TURN_S)
    os.environ.setdefault("TEXTUAL_FPS", DRAWS_A_SECOND)  # Textual reads it when it is imported, just below
    try:
        with held():
            app = _app(desk, opening, loaded, plain)
            code = app.run(mouse=loaded.settings.mouse)
    finally:
        desk.embedded.close()
        desk.store.close()
    if app.fault:
        tell_of(app.fault)
        return Exit.FAILED
    return code or 0


def _app(desk: Desk, opening: Opening, loaded: Loaded, plain: bool) -> StopkeyApp:
    from tui.ui.app import StopkeyApp
    from tui.ui.driver import use

    chosen = loaded.settings
    app = StopkeyApp(
        opening,
        desk=desk,
        theme=THEMES["dark"],
        still=chosen.plain or plain,
        plain=chosen.plain or plain,
        notifications=chosen.notifications,
        double=chosen.stop_confirm == "double",
        keymap=dict(chosen.keys),
    )
    app.driver_class = use(chosen.esc_delay_ms)
    if os.environ.get("STOPKEY_WEB"):
        from tui.ui.web_driver import PageDriver

        app.driver_class = PageDriver
    app.settings_file = loaded.file
    theme = THEMES.get(chosen.theme, chosen.theme)
    if theme in app.available_themes:
        app.chosen_theme = theme
    else:
        known = ", ".join([*THEMES, *app.available_themes])
        opening.note = safe_line(f"{loaded.file}: there is no theme {chosen.theme!r}; known: {known}", 400)
    return app
