"""For all tests: one time zone, no colours or delays from the environment."""

from __future__ import annotations

import os
import time

import pytest
from hypothesis import settings

os.environ["TZ"] = "UTC"
time.tzset()
for name in ("NO_COLOR", "FORCE_COLOR", "ESCDELAY", "SSH_CONNECTION", "SSH_TTY", "STOPKEY_TOKEN"):
    os.environ.pop(name, None)

settings.register_profile(
    "suite", max_examples=40, deadline=None
)  # STOPKEY_FUZZ for more; a busy machine for slow
settings.load_profile("suite")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """STOPKEY_FUZZ=N gives every property N times its examples, other ones each time (see CONTRIBUTING)."""
    times = int(os.environ.get("STOPKEY_FUZZ", "1"))
    if times == 1:
        return
    for test in {getattr(item, "obj", None) for item in items}:
        chosen = getattr(test, "_hypothesis_internal_use_settings", None)  # there is no public way
        if chosen is not None:
            more = settings(chosen, max_examples=chosen.max_examples * times)
            test._hypothesis_internal_use_settings = more
