"""Options that many commands share, written once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ops_actions.cli.output import errors_as_json


def _json(value: bool) -> bool:
    errors_as_json(value)
    return value


Env = Annotated[
    str,
    typer.Option("--env", help="Environment: sandbox, staging or production.", show_default=False),
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
