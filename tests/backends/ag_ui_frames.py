"""AG-UI frames through the decoder, for its tests."""

from __future__ import annotations

import json
from typing import Any

from tui.backends.ag_ui_decode import Decoder
from tui.core.events import Event


def decode(*frames: Any, started: bool = True) -> list[Event]:
    """What frames (or texts) become, in a run that was started before unless told otherwise."""
    decoder = Decoder("run-1", "thread-1")
    if started:
        decoder.decode('{"type":"RUN_STARTED","threadId":"thread-1","runId":"run-1"}')
    return [e for f in frames for e in decoder.decode(f if isinstance(f, str) else json.dumps(f))]
