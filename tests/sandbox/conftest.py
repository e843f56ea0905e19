"""State folders for tests that start and stop sandboxes themselves."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox import control
from sandbox.home import Home

NewPlace = Callable[[str], Home]


@pytest.fixture
def new_place() -> Iterator[NewPlace]:
    """Make state folders by name; what still runs in them is stopped in the end."""
    top = Path(tempfile.mkdtemp(prefix="coh-t-"))  # short: a socket's path may have 107 bytes
    places: list[Home] = []

    def make(name: str) -> Home:
        places.append(Home(top / name))
        return places[-1]

    try:
        yield make
    finally:
        for place in places:
            control.down(place)
        shutil.rmtree(top)


@pytest.fixture
def place(new_place: NewPlace) -> Home:
    """Give one state folder that does not exist yet."""
    return new_place("s")
