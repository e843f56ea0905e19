"""Options that many commands share, written once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from infra.settings.characters import shown_key
from infra.settings.environment import ENVIRONMENTS, FOLDER
from infra.settings.errors import SettingsError
from infra.settings.validation import known_names
from ops_actions.cli.output import errors_as_json


def _json(value: bool) -> bool:
    errors_as_json(value)
    return value


def known_environment(env: str, *others: str) -> str:
    """Return an environment's name; a mistyped one would look like one where nothing happened.

    Args:
        env: what was given.
        others: names that stand for no environment and are good here too.

    Raises:
        SettingsError: there is no such environment; names the known ones.
    """
    known = [*ENVIRONMENTS, *others]
    if env not in known:
        fact = f"there is no environment `{shown_key(env)}`"
        raise SettingsError(FOLDER, 1, fact, known_names(env, known))
    return env


def _environment(value: str) -> str:
    return known_environment(value)


Env = Annotated[
    str,
    typer.Option(
        "--env",
        help="Environment: sandbox, staging or production.",
        show_default=False,
        callback=_environment,
    ),
]
AsJson = Annotated[
    bool,
    typer.Option("--json", help="Answer as JSON with a versioned schema.", callback=_json),
]
InSandbox = Annotated[
    bool,
    typer.Option(
        "--sandbox",
        envvar="COH_SANDBOX",
        help="Talk to the sandbox of COH_STATE_DIR, not to the outside.",
    ),
]
Checkout = Annotated[
    Path | None,
    typer.Option(
        "--checkout",
        help="Git repository to read commits from; default: this checkout, or the sandbox's.",
    ),
]
Reason = Annotated[
    str, typer.Option("--reason", help="Why, in a sentence; reviewers read it.", show_default=False)
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Print what would be raised and write nothing.")
]
