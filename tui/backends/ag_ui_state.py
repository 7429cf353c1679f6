"""The state that an AG-UI agent shares with its client: kept as told, sent back with the next prompt. Pure.

A client that always sends an empty state would make such an agent forget it at every turn.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any


class _Misfit(Exception):
    """An operation that does not fit the state."""


def patched(state: Any, patches: Iterable[Any]) -> Any:
    """The state after these JSON Patches (RFC 6902), in order; `state` itself stays as it is.

    What does not fit is left out: the agent has its own state, ours is only what it gets back.
    """
    holder = {"": copy.deepcopy(state)}
    for patch in patches:
        try:
            for operation in patch:
                _apply(holder, operation)
        except (_Misfit, TypeError, KeyError, IndexError, ValueError, AttributeError):
            continue
    return holder.get("")


def _apply(holder: Any, operation: dict[str, Any]) -> None:
    name, path = operation["op"], _steps(operation["path"])
    if name == "add":
        _add(holder, path, copy.deepcopy(operation["value"]))
    elif name == "remove":
        _remove(holder, path)
    elif name == "replace":
        _remove(holder, path)
        _add(holder, path, copy.deepcopy(operation["value"]))
    elif name == "move":
        _add(holder, path, _remove(holder, _steps(operation["from"])))
    elif name == "copy":
        _add(holder, path, copy.deepcopy(_at(holder, _steps(operation["from"]))))
    elif name != "test" or _at(holder, path) != operation["value"]:
        raise _Misfit


def _steps(pointer: str) -> list[str]:
    """A JSON Pointer (RFC 6901) as steps from the holder; the first leads to the state."""
    if pointer and not pointer.startswith("/"):
        raise _Misfit
    return ["", *(step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:])]


def _at(node: Any, steps: list[str]) -> Any:
    for step in steps:
        node = node[_key(node, step)]
    return node


def _add(holder: Any, steps: list[str], value: Any) -> None:
    parent = _at(holder, steps[:-1])
    if not isinstance(parent, list):
        parent[steps[-1]] = value
    elif steps[-1] == "-":
        parent.append(value)
    else:
        parent.insert(_index(steps[-1], len(parent)), value)


def _remove(holder: Any, steps: list[str]) -> Any:
    parent = _at(holder, steps[:-1])
    return parent.pop(_key(parent, steps[-1]))


def _key(node: Any, step: str) -> Any:
    return _index(step, len(node) - 1) if isinstance(node, list) else step


def _index(step: str, most: int) -> int:
    if not (step.isascii() and step.isdigit()) or int(step) > most:
        raise _Misfit
    return int(step)
