"""`stopkey probe`: the stop drill against one backend, or against several side by side."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable, Sequence
from enum import IntEnum
from pathlib import Path
from typing import Any

import click

from tui.backends.base import Target
from tui.commands.common import Exit, Trouble, settings
from tui.commands.drilling import EMBEDDED, INTERRUPTED, Asked, drilled
from tui.commands.target import Wanted, resolve, target_options
from tui.config import Settings
from tui.probe.explain import EXPLAINED
from tui.probe.report import Report, as_data, as_junit, as_markdown, as_text, side_by_side


class Found(IntEnum):
    """What `probe` exits with."""

    TRUTHFUL = 0
    NOT = 1
    UNREACHABLE = 3
    INTERRUPTED = 130


def _explain(context: click.Context, option: click.Parameter, given: bool) -> None:
    if given:
        click.echo(EXPLAINED, nl=False)
        context.exit(0)


_FILE = click.Path(dir_okay=False)
_OPTIONS = (
    click.option(
        "--trials", type=click.IntRange(1, 1000), default=10, show_default=True, metavar="N",
        help="How many stops: one of each kind, the rest at random points in the text.",
    ),
    click.option(
        "--timeout", "seconds", type=click.FloatRange(1, 86400), default=300, show_default=True, metavar="S",
        help="Seconds for each target; then the verdict on what was tried.",
    ),
    click.option(
        "--witness", default="", metavar="URL|FILE",
        help="A log of the backend's model and tool calls; --explain says its format.",
    ),
    click.option("--prompt", "long", default="", metavar="TEXT", help="What has a long reply."),
    click.option(
        "--tool-prompt", "tool", default="", metavar="TEXT",
        help="What makes the agent use a tool. Without it no stop inside a tool is tried.",
    ),
    click.option("--short-prompt", "short", default="", metavar="TEXT", help="What has a short reply."),
    click.option("--seed", type=int, metavar="N", help="Repeat the random points of an earlier drill."),
    click.option(
        "--compare", multiple=True, metavar="PROFILE|BACKEND=URL",
        help="Drill this one, too, and show them side by side; may be repeated; 'embedded' works.",
    ),
    click.option("--json", "as_json", is_flag=True, help="Print the result as JSON."),
    click.option("--junit", type=_FILE, metavar="FILE", help="Write it for a CI server."),
    click.option("--md", type=_FILE, metavar="FILE", help="Write it for a bug report."),
    click.option(
        "--explain", is_flag=True, is_eager=True, expose_value=False, callback=_explain,
        help="Print what a truthful Stop needs, the witness's format and the verdicts.",
    ),
)  # fmt: skip


def _drill_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@click.command("probe")
@target_options
@_drill_options
def probe_command(
    wanted: Wanted, compare: tuple[str, ...], as_json: bool, junit: str | None, md: str | None, **given: Any
) -> int:
    """Find out what a backend's Stop really does: stop it again and again, and watch what happens.

    Without TARGET the embedded backend is drilled. Exits with 0 if Stop works and tells the truth, 1 if not,
    2 for wrong usage, 3 if the backend cannot be reached. Ctrl+C ends the drill and stops what it started.
    """
    known = settings()
    if given["seed"] is None:
        given["seed"] = random.SystemRandom().randrange(10**6)
    targets = [resolve(wanted, known), *(_other(text, known) for text in compare)]
    reports = asyncio.run(_all(targets, Asked(**given), known))
    _print(reports, as_json)
    _write(junit, as_junit(reports))
    _write(md, "\n".join(map(as_markdown, reports)).encode())
    return _code(reports)


def _other(text: str, known: Settings) -> Target | None:
    """A further target: the name of a profile, BACKEND=URL, or the embedded backend. Raises Trouble."""
    if text == EMBEDDED:
        return None
    backend, equals, url = text.partition("=")
    return resolve(Wanted(backend=backend, url=url) if equals else Wanted(profile=text), known)


async def _all(targets: Sequence[Target | None], asked: Asked, known: Settings) -> list[Report]:
    """One after the other, so that none disturbs another's times. Ctrl+C ends it."""
    reports: list[Report] = []
    for target in targets:
        reports.append(await drilled(target, asked, known))
        if reports[-1].problem.startswith(INTERRUPTED):
            break
    return reports


def _print(reports: Sequence[Report], as_json: bool) -> None:
    if as_json:
        data = [as_data(report) for report in reports]
        print(json.dumps(data[0] if len(data) == 1 else data, ensure_ascii=True, indent=1, default=str))
        return
    print("\n".join(map(as_text, reports)), end="")
    if len(reports) > 1:
        print("\n" + side_by_side(reports), end="")


def _write(path: str | None, content: bytes) -> None:
    if path is None:
        return
    try:
        Path(path).write_bytes(content)
    except OSError as error:
        raise Trouble(f"{path} could not be written ({error.strerror})", Exit.FAILED) from None


def _code(reports: Sequence[Report]) -> int:
    if any(report.problem.startswith(INTERRUPTED) for report in reports):
        return Found.INTERRUPTED
    if any(report.problem and not report.trials for report in reports):
        return Found.UNREACHABLE
    return Found.TRUTHFUL if all(report.passed for report in reports) else Found.NOT
