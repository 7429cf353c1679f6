"""Fuzzing guided by coverage: `python -m tests.fuzz`. What it found stands in `found/`; pytest plays it."""

NAMES = ("sse", "ag-ui", "flue", "adk", "contractspec", "safe-text", "markdown", "log", "config")
"""The targets of `targets.py`, named here so that they can be imported with their coverage counted."""
