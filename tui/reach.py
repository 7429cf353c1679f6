"""How backends are reached: targets out of profiles and out of what is stored with a conversation."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from typing import Any

from tui.backends.base import BackendError, Target
from tui.config import Profile, Settings
from tui.core.safe_text import safe_line
from tui.crash import hide

_STORED = ("token_env", "abort_url", "abort_body", "ca_file", "proxy")


def of_profile(profile: Profile) -> Target:
    """The target of a profile. Raises BackendError where a header's variable is not set."""
    given: dict[str, Any] = {field.name: getattr(profile, field.name) for field in fields(profile)}
    given |= {"headers": headers_from(profile.headers.items()), "options": dict(profile.options)}
    return checked(Target(**given))


def checked(target: Target) -> Target:
    """The target with its paths spelled out; its token will not be told by any report."""
    hide(os.environ.get(target.token_env, "").strip())
    return replace(target, ca_file=os.path.expanduser(target.ca_file))


def headers_from(pairs: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Headers with the values `env:VAR` taken from the environment. Raises BackendError."""
    return tuple((name, _from_env(name, value)) for name, value in pairs)


def to_store(target: Target | None) -> dict[str, Any]:
    """What else is needed to reach the backend again, never anything secret. None: the embedded backend."""
    if target is None:
        return {}
    kept: dict[str, Any] = {name: getattr(target, name) for name in _STORED if getattr(target, name)}
    return kept | ({"options": dict(target.options)} if target.options else {})


def again(
    backend: str, url: str, agent: str, stored: Mapping[str, Any], settings: Settings | None = None
) -> Target:
    """The target of a stored conversation. Headers are not stored: they come from the profile for that place.

    Raises BackendError.
    """
    for profile in settings.profiles.values() if settings else ():
        if (profile.backend, profile.url, profile.agent) == (backend, url, agent):
            return of_profile(profile)
    known: dict[str, Any] = {name: str(stored.get(name) or "") for name in _STORED}
    options = {str(name): str(value) for name, value in dict(stored.get("options") or {}).items()}
    return checked(Target(backend, url, agent=agent, options=options, **known))


def _from_env(name: str, value: str) -> str:
    if not value.startswith("env:"):
        return value
    variable = value.removeprefix("env:")
    found = os.environ.get(variable, "").strip()
    if not found:
        shown = safe_line(variable, 60)
        raise BackendError(
            f"The environment variable {shown} for the header {safe_line(name, 60)} is not set: set it first."
        )
    hide(found)
    return found
