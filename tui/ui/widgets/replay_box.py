"""The text box while a recording plays: no text goes in, keys move the recording."""

from __future__ import annotations

from textual.content import Content

from tui.session.player import RECORDING, Player
from tui.ui.widgets.prompt_box import PromptBox

KEYS = "Space {go}  . step  + - speed"


class ReplayBox(PromptBox):
    """Space holds the recording and lets it go on, `.` shows the next event, + and - change the speed."""

    def __init__(self, player: Player) -> None:
        super().__init__()
        self.read_only = True
        self.player = player
        self.tell()

    def on_mount(self) -> None:
        self.player.on_move = self.tell
        self.set_interval(0.25, self.tell)

    def tell(self) -> None:
        """Say where the recording is."""
        reel = self.player.reel
        sign = "at its end" if reel.over else "paused" if reel.paused else "playing"
        where = f"{reel.mono():,.1f} s, event {reel.shown:,}"
        keys = KEYS.format(go="go on" if reel.paused else "pause")
        line = f"recording {sign} ×{reel.speed:g}  {where}" + ("" if reel.over else f"   {keys}")
        if str(self.placeholder) != line:
            self.placeholder = Content(line)

    def put(self, text: str) -> None:
        """Nothing is written into a recording's box."""

    def _meant_for_us(self, key: str) -> bool:
        player = self.player
        if key == "space":
            player.pause(not player.reel.paused)
        elif key in ("full_stop", "right"):
            player.pause(True)
            player.step()
            self.tell()
        elif key in ("plus", "equals_sign", "minus"):
            player.change_speed(-1 if key == "minus" else 1)
        elif key in ("pageup", "pagedown", "end"):
            return super()._meant_for_us(key)
        elif key == "enter" or len(key) == 1:
            player.say(RECORDING)
        else:
            return False
        return True
