"""TARGET on the command line: the options that name a backend, and what they mean together."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

import click

from tui.backends.base import Backend, BackendError, Target
from tui.backends.registry import ADAPTERS, make
from tui.commands.common import Trouble
from tui.config import Settings
from tui.reach import checked, headers_from, of_profile


@dataclass(frozen=True, slots=True)
class Wanted:
    """The TARGET options as given."""

    profile: str = ""
    backend: str = ""
    url: str = ""
    agent: str = ""
    conversation: str = ""
    abort_url: str = ""
    abort_body: str = ""
    headers: tuple[str, ...] = ()
    token_env: str = ""
    ca_file: str = ""
    proxy: str = ""
    options: tuple[str, ...] = ()
    no_store: bool = False


_OPTIONS = (
    click.option("--profile", default="", metavar="NAME", help="A backend from config.toml."),
    click.option("--backend", default="", metavar="NAME", help=f"Its protocol: {', '.join(ADAPTERS)}."),
    click.option("--url", default="", help="Its base address."),
    click.option("--agent", default="", metavar="NAME", help="The agent (ADK: the app) at that address."),
    click.option(
        "--conversation", default="", metavar="ID", help="Go on in this conversation of the backend."
    ),
    click.option(
        "--abort-url",
        default="",
        metavar="TEMPLATE",
        help="Where the abort goes, with {base}, {agent}, {conversation_id} and {run_id}.",
    ),
    click.option("--abort-body", default="", metavar="TEMPLATE", help="The abort's body, as JSON, likewise."),
    click.option(
        "--header",
        "headers",
        multiple=True,
        metavar="'K: V'",
        help="Sent with each request; 'K: env:VAR' takes the value from the environment.",
    ),
    click.option("--token-env", default="", metavar="VAR", help="Variable that holds the bearer token."),
    click.option(
        "--ca-file", default="", metavar="FILE", help="Certificates to trust instead of the system's."
    ),
    click.option(
        "--proxy", default="", metavar="URL", help="Proxy to go through; none is taken from elsewhere."
    ),
    click.option("--option", "options", multiple=True, metavar="K=V", help="What else the adapter knows."),
    click.option("--no-store", is_flag=True, help="Keep this conversation off the disk."),
)


def target_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the TARGET options; it gets them as its first argument, a `Wanted`."""
    names = [field.name for field in fields(Wanted)]

    @functools.wraps(command)
    def with_target(*args: Any, **given: Any) -> Any:
        wanted = Wanted(**{name: given.pop(name) for name in names if name in given})
        return command(wanted, *args, **given)

    for option in reversed(_OPTIONS):
        with_target = option(with_target)
    return with_target


def resolve(wanted: Wanted, settings: Settings) -> Target | None:
    """What the options and the settings name together; None means the embedded backend. Raises Trouble."""
    if wanted.profile and (wanted.backend or wanted.url):
        raise Trouble("Give either --profile or --backend and --url, not both")
    base = _from_profile(wanted.profile, settings) if wanted.profile else _from_options(wanted)
    return None if base is None else overridden(base, wanted)


def overridden(base: Target, wanted: Wanted) -> Target:
    """A target with what the options say instead. Raises Trouble."""
    if base.backend not in ADAPTERS:
        raise Trouble(f"There is no backend {base.backend!r}; it must be one of {', '.join(ADAPTERS)}")
    given = {name: getattr(wanted, name) or getattr(base, name) for name in _OVERRIDABLE}
    headers = (*base.headers, *own_headers(wanted))
    options = base.options | dict(map(_option, wanted.options))
    return checked(replace(base, headers=headers, options=options, **given))


def own_headers(wanted: Wanted) -> tuple[tuple[str, str], ...]:
    """The headers given on the command line, by name and value. Raises Trouble."""
    try:
        return headers_from(map(_header, wanted.headers))
    except BackendError as error:
        raise Trouble(str(error)) from None


def make_backend(target: Target) -> Backend:
    """The adapter for a target, nothing sent yet. Raises Trouble."""
    try:
        return make(target)
    except BackendError as error:
        raise Trouble(str(error)) from None


_OVERRIDABLE = ("agent", "abort_url", "abort_body", "token_env", "ca_file", "proxy")


def _from_profile(name: str, settings: Settings) -> Target:
    profile = settings.profiles.get(name)
    if profile is None:
        known = ", ".join(settings.profiles) or "none is there yet"
        raise Trouble(f"There is no profile {name!r} in config.toml; known: {known}")
    try:
        return of_profile(profile)
    except BackendError as error:
        raise Trouble(str(error)) from None


def _from_options(wanted: Wanted) -> Target | None:
    if wanted.backend and wanted.url:
        return Target(wanted.backend, wanted.url)
    if wanted.backend or wanted.url:
        has, lacks = ("--backend", "--url URL") if wanted.backend else ("--url", "--backend NAME")
        raise Trouble(f"{has} needs {lacks} beside it")
    if alone := [name for name in (*_OVERRIDABLE, "headers", "options") if getattr(wanted, name)]:
        option = alone[0].removesuffix("s").replace("_", "-")
        raise Trouble(f"--{option} needs a backend: give --profile, or --backend and --url")
    return None


def _header(given: str) -> tuple[str, str]:
    name, colon, value = given.partition(":")
    if not colon or not name.strip() or not value.strip():
        raise Trouble("A header is given as --header 'Name: value'")
    return name.strip(), value.strip()


def _option(given: str) -> tuple[str, str]:
    name, equals, value = given.partition("=")
    if not equals or not name:
        raise Trouble("An adapter's option is given as --option name=value")
    return name, value
