"""Which outside a command talks to, and what this checkout declares."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from infra.settings.environment import EnvironmentSettings, load_environment, read_from_folder
from ops_actions.adapters.target import Target, read_target
from ops_actions.clock import system_clock

if TYPE_CHECKING:
    from datetime import datetime

ROOT = Path(__file__).resolve().parent.parent.parent
"""The checkout that this code runs from."""

MIGRATIONS = ROOT / "infra/database/migrations"
"""The SQL migrations that this code knows."""


def target(*, sandbox: bool) -> Target:
    """Return where the outside is."""
    return read_target(sandbox=sandbox, root=ROOT)


def now() -> datetime:
    """Take the time, once for each command."""
    return system_clock()


def local_settings(environment: str) -> EnvironmentSettings:
    """Return what this checkout declares for an environment."""
    return load_environment(environment, read_from_folder(ROOT))
