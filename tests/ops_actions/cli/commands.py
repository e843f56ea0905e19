"""Every command of the command line, found by walking it."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import typer

from ops_actions.cli.main import COMMANDS, SINGLE


def leaves() -> dict[tuple[str, ...], Any]:
    """Return each command that does something, by the words that name it."""
    found: dict[tuple[str, ...], Any] = {}
    for name, command in COMMANDS.items():
        app: Any = typer.main.get_command(import_module(f"ops_actions.cli.{command.module}").app)
        below: dict[str, Any] = getattr(app, "commands", {})
        if name in SINGLE:
            found[name,] = below.get(name, app)
        else:
            found |= {(name, each): leaf for each, leaf in below.items()}
    return found
