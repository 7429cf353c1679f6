"""The table of features names tests that are there, one at least for every row of ours."""

from __future__ import annotations

import ast
import re
from pathlib import Path

TESTS = Path(__file__).parent
PEERS = 9


def rows() -> list[list[str]]:
    lines = (TESTS / "FEATURES.md").read_text().splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")]
    return cells[1:]


def functions(file: Path) -> set[str]:
    return {node.name for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.FunctionDef)}


def test_every_row_names_tests_that_are_there() -> None:
    assert len(rows()) > 30
    for feature, held, *_ in rows():
        named = re.findall(r"`([^`]+)`", held)
        assert named, feature
        for name in named:
            file, _, function = name.partition("::")
            assert (TESTS / file).is_file(), f"{feature}: there is no {file}"
            assert not function or function in functions(TESTS / file), f"{feature}: there is no {name}"


def test_every_cell_says_one_of_five_things() -> None:
    for row in rows():
        assert len(row) == PEERS + 2, row
        assert set(row[2:]) <= {"yes", "part", "no", "?", "-"}, row
