"""Front door of ``pulumi up``: the stack's name is the environment, the working tree its source."""

from __future__ import annotations

import sys
from pathlib import Path

import pulumi

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    # The language host runs this folder by its path, which puts the folder on the path, not its
    # parent, and this project need not be installed.
    sys.path.insert(0, str(ROOT))

from infra.program import declare  # noqa: E402 - needs the path from above
from infra.settings.environment import load_environment, read_from_folder  # noqa: E402
from infra.settings.migrations import read_migrations  # noqa: E402

declare(load_environment(pulumi.get_stack(), read_from_folder(ROOT)), read_migrations())
