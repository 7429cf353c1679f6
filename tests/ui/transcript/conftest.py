"""A property that holds does not cease to hold on a slow machine."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("patient", settings.get_profile("default"), deadline=None)
if settings.get_current_profile_name() == "default":
    settings.load_profile("patient")
