"""For all tests: one time zone, no colours or delays from the environment."""

from __future__ import annotations

import os
import time

os.environ["TZ"] = "UTC"
time.tzset()
for name in ("NO_COLOR", "FORCE_COLOR", "ESCDELAY", "SSH_CONNECTION", "SSH_TTY", "STOPKEY_TOKEN"):
    os.environ.pop(name, None)
