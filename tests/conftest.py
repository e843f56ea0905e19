"""Fixtures that every test may ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

pytest_plugins = ("tests.support.hub", "tests.support.postgres")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, so that all workers end together; files stay whole."""
    long = ("tests/stories/", "tests/ops_actions/adapters/test_pulumi", "tests/scripts/")

    def turn(item: pytest.Item) -> tuple[int, int]:
        name = item.nodeid
        return (0 if "kill" in name else 1, next((i for i, p in enumerate(long) if p in name), 9))

    items.sort(key=turn)
