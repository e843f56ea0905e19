"""A refusal that names a command which does not exist leaves its reader with nothing."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import typer

from ops_actions.cli.main import COMMANDS, SINGLE

ROOT = Path(__file__).parents[2]
_NAMED = re.compile(r"(?:`|\"|'|scripts/|, |; )coh ([a-z][a-z-]+)(?: ([a-z][a-z-]+))?")
_WHERE = ("ops_actions", "infra", "sandbox", "policies", "docs", "README.md", "CONTRIBUTING.md")


def _files() -> list[Path]:
    found: list[Path] = []
    for name in _WHERE:
        place = ROOT / name
        found += [place] if place.is_file() else sorted(place.rglob("*"))
    return [one for one in found if one.suffix in {".py", ".rego", ".md", ".sql"}]


def _commands(group: str) -> set[str]:
    module = import_module(f"ops_actions.cli.{COMMANDS[group].module}")
    command = typer.main.get_command(module.app)
    return set(getattr(command, "commands", {}))


def test_every_command_that_a_text_names_exists() -> None:
    known = {name: set() if name in SINGLE else _commands(name) for name in COMMANDS}
    wrong: list[str] = []
    seen = 0
    for file in _files():
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            for group, command in _NAMED.findall(line):
                seen += 1
                bad = group not in known or (
                    known[group] and command and command not in known[group]
                )
                if bad:
                    wrong.append(
                        f"{file.relative_to(ROOT)}:{number}: coh {group} {command}".strip()
                    )
    assert seen > 100
    assert wrong == []
