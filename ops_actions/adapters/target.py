"""Where the outside is: addresses and credentials, read once from the process environment.

Nothing is guessed and nothing falls back to the sandbox: a missing value stops with its name.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from platformdirs import user_cache_path

from ops_actions.errors import BadRequestError, OutsideError

if TYPE_CHECKING:
    from collections.abc import Mapping

CONNECTIONS = "connections.json"
"""File of a sandbox's state folder with the addresses of its services."""

_GITHUB_ACTIONS = {
    "COH_GITHUB_API": "GITHUB_API_URL",
    "COH_GITHUB_REPOSITORY": "GITHUB_REPOSITORY",
    "COH_GITHUB_TOKEN": "GITHUB_TOKEN",
}
"""What GitHub Actions calls the same things."""


@dataclass(frozen=True, slots=True)
class Target:
    """One outside: the real one, or one sandbox.

    Attributes:
        values: ``COH_…`` names and their values; never shown, they hold credentials.
        sandbox: the state folder of the sandbox, None for the real outside.
        root: checkout that this code runs from.
    """

    values: Mapping[str, str] = field(repr=False)
    sandbox: Path | None
    root: Path

    def get(self, name: str) -> str | None:
        """Return a value, None when it is missing or empty."""
        return self.values.get(name) or self.values.get(_GITHUB_ACTIONS.get(name, "")) or None

    def need(self, name: str) -> str:
        """Return a value.

        Raises:
            BadRequestError: ``target.missing``, names it.
        """
        value = self.get(name)
        if value is None:
            raise BadRequestError(
                "target.missing",
                f"{name} is not set, so it is not known where to go",
                f"set {name}, or add --sandbox to talk to a sandbox",
            )
        return value

    @property
    def words(self) -> str:
        """Say which outside this is, for every command's first line."""
        return f"the sandbox in {self.sandbox}" if self.sandbox else "the live services"


def state_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Return the state folder of the sandbox: ``COH_STATE_DIR``, or one below the user's cache."""
    named = environment.get("COH_STATE_DIR")
    return Path(named).resolve() if named else user_cache_path("clarivum-ops") / "sandbox"


def read_target(
    *, sandbox: bool, root: Path, environment: Mapping[str, str] = os.environ
) -> Target:
    """Read where the outside is.

    Args:
        sandbox: take the running sandbox's services instead of the real ones.
        root: checkout that this code runs from.
        environment: variables of the process; in a sandbox those of the sandbox come on top,
            except a token that was given on purpose.

    Raises:
        OutsideError: ``sandbox.down``, there is no sandbox to take.
    """
    if not sandbox:
        return Target(values=dict(environment), sandbox=None, root=root)
    folder = state_folder(environment)
    try:
        stored = json.loads((folder / CONNECTIONS).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise OutsideError(
            "sandbox.down", f"no sandbox runs in {folder}", "coh sandbox up, then coh sandbox seed"
        ) from error
    values = {**environment, **stored["values"]}
    given = environment.get("COH_GITHUB_TOKEN")
    if given:
        logins = {token: login for login, token in stored["tokens"].items()}
        values |= {"COH_GITHUB_TOKEN": given, "COH_GITHUB_ACCOUNT": logins.get(given, "")}
    return Target(values=values, sandbox=folder, root=root)
