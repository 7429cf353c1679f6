"""After each race: nothing may be left open."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.oracle import no_descriptor_more


@pytest.fixture(autouse=True)
def nothing_left_open() -> Iterator[None]:
    with no_descriptor_more():
        yield
