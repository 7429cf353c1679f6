"""Adapters: one wire protocol a file, bytes in and our events out. Usable without a screen."""

from tui.backends.registry import connect, make

__all__ = ["connect", "make"]
