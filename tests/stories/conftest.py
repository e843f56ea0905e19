"""The desk that most stories sit at: one running hub for each file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.stories.desk import Desk, seated
from tests.support.hub import COLLEAGUE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.hub import Hub


@pytest.fixture(scope="module")
def desk(shared_hub: Hub) -> Iterator[Desk]:
    with seated(shared_hub) as opened:
        yield opened


@pytest.fixture(scope="module")
def waiting(desk: Desk) -> str:
    """Merge an approved change that waits to be applied; a write of it would be seen."""
    number = desk.toggle("ops_module_audit_feed", enabled=False, reason="Feed is noisy")
    return desk.merged(number, COLLEAGUE)


@pytest.fixture(scope="module")
def asked(desk: Desk, waiting: str) -> int:
    """Raise a pull request to be checked; it comes after what waits to be applied."""
    assert waiting
    number = desk.note("To be checked")
    desk.check(number)
    return number
