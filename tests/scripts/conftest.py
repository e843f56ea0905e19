"""One Python environment for all machines that are not about making it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.machine import Machine, make_environment, make_machine

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def ready_environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment that every machine shares: they have the same lock and Python."""
    return make_environment(tmp_path_factory.mktemp("ready"))


@pytest.fixture
def machine(tmp_path: Path, ready_environment: Path) -> Machine:
    """A machine with Go and a ready environment, without engines."""
    return make_machine(tmp_path, ready_environment)


@pytest.fixture
def bare_machine(tmp_path: Path) -> Machine:
    """A machine with the engines and no environment."""
    made = make_machine(tmp_path)
    made.install_engines()
    return made
