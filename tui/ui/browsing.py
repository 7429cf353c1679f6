"""Opening a link of a reply: never by itself, and only after the person has seen where it really leads."""

from __future__ import annotations

import asyncio
from typing import Any

from tui.core.links import Link, look_at
from tui.core.safe_text import SafeText, safe, safe_line
from tui.ui.screens.choice import Choice, ChoiceScreen

MOST = 9
"""Links offered at once: each is chosen with a digit."""
NO_WINDOW = "Copied, not opened: no browser here has a window of its own."


def ask(app: Any, target: str) -> None:
    """Show host and address of one link, and open it if that is what the person then chooses."""
    link = look_at(target)
    if link.refusal:
        app.note(link.refusal)
        return
    choices = [
        Choice("leave", "n", "Not now"),
        Choice("copy", "c", "Copy the address"),
        Choice("open", "o", "Open in the browser"),
    ]
    screen = ChoiceScreen(app.pane, "Open this link?", _sentence(link), choices)
    app.push_screen(screen, lambda chosen: _chosen(app, link, chosen or ""))


def ask_which(app: Any, targets: list[str]) -> None:
    """One link is asked about at once; of several the person first says which."""
    if len(targets) < 2:
        ask(app, targets[0]) if targets else app.note("There is no link in what the cursor stands on.")
        return
    rows = [Choice(target, str(n), safe_line(target, 56)) for n, target in enumerate(targets[:MOST], 1)]
    left = f" The first {MOST} of {len(targets)}." if len(targets) > MOST else ""
    screen = ChoiceScreen(app.pane, "Which link?", f"Nothing is opened yet.{left}", rows)
    app.push_screen(screen, lambda chosen: ask(app, chosen) if chosen else None)


def _sentence(link: Link) -> SafeText:
    """The host stands first and alone: in a long address it is easily overlooked."""
    parts = [f"It leads to  {link.ascii_host}", safe_line(link.url, 300), link.caution]
    return safe("\n\n".join(part for part in parts if part))


def _chosen(app: Any, link: Link, chosen: str) -> None:
    if chosen == "copy":
        app.copy(link.url)
    elif chosen == "open":
        app.spawn(_open(app, link))


async def _open(app: Any, link: Link) -> None:
    """In a thread: finding a browser looks through the disk and starts programs."""
    if app.is_web:  # the person's browser shows us; one on this machine may be far from them
        app.open_url(link.url)
        app.note(safe_line(f"opened {link.ascii_host} in another tab", 100))
    elif await asyncio.to_thread(_browse, link.url):
        app.note(safe_line(f"opened {link.ascii_host} in the browser", 100))
    else:
        app.copy_to_clipboard(link.url)
        app.note(NO_WINDOW)


def _browse(url: SafeText) -> bool:
    """Whether a browser took it. One that runs in the terminal would draw over this client: not used."""
    import webbrowser  # the start does not wait for it

    try:
        browser = webbrowser.get()
        return type(browser) is not webbrowser.GenericBrowser and browser.open(url)
    except (webbrowser.Error, OSError):
        return False
