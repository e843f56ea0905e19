"""The contract the emulator is held to: GitHub's, with the endpoints the extract leaves out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from sandbox.emulator.contract import Contract

EXTRACT = Path(__file__).parent.parent / "contracts" / "github.yaml"
ADDITIONS = Path(__file__).parent / "additions.yaml"


def load() -> Contract:
    """Read the contract; longer paths come first, since some paths match the longer ones too."""
    document = _merged(_read(EXTRACT), _read(ADDITIONS))
    ordered = sorted(document["paths"].items(), key=lambda item: -item[0].count("/"))
    return Contract({**document, "paths": dict(ordered)})


def _read(path: Path) -> dict[str, Any]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    document: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506 - safe loaders
    return document


def _merged(one: dict[str, Any], two: dict[str, Any]) -> dict[str, Any]:
    both = dict(one)
    for name, value in two.items():
        held = both.get(name)
        inner = isinstance(held, dict) and isinstance(value, dict)
        both[name] = _merged(held, value) if inner and held is not None else value
    return both
