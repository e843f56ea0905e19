"""The rules in their own words, read from the policies' metadata by ``opa inspect``."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

from ops_actions.decision.rules import Rule
from ops_actions.errors import OutsideError

if TYPE_CHECKING:
    from pathlib import Path

TIMEOUT = 30.0
"""Seconds the engine may take."""


def read_rules(binary: Path, folder: Path) -> dict[str, Rule]:
    """Return every rule of a policy folder by its code.

    Args:
        binary: the OPA engine.
        folder: the policies.

    Raises:
        OutsideError: the engine failed.
    """
    try:
        done = subprocess.run(
            [str(binary), "inspect", "--annotations", "--format", "json", str(folder / "ops")],
            check=True,
            capture_output=True,
            timeout=TIMEOUT,
            env={},
        )
        found: list[dict[str, Any]] = json.loads(done.stdout)["annotations"]
    except (OSError, ValueError, KeyError, subprocess.SubprocessError) as error:
        raise OutsideError(
            "engine.failed", f"opa inspect failed ({type(error).__name__})", "scripts/setup"
        ) from error
    rules = (_rule(entry["annotations"]) for entry in found)
    return {rule.code: rule for rule in rules if rule is not None}


def _rule(annotations: dict[str, Any]) -> Rule | None:
    """Read one annotation; only those of whole rules have a code."""
    custom = annotations.get("custom", {})
    if "code" not in custom:
        return None
    return Rule(
        code=custom["code"],
        title=annotations.get("title", ""),
        description=" ".join(annotations.get("description", "").split()),
        severity=custom.get("severity", ""),
        message=custom.get("failure_msg", ""),
        solution=custom.get("solution", ""),
    )
