"""How answers look: JSON with a versioned schema, or text; colours only on a terminal."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from ops_actions.canonical import Json
from ops_actions.errors import OpsError

_JSON_ERRORS = False


def console(*, errors: bool = False) -> Console:
    """Return a console that colours and animates only on a terminal."""
    stream = sys.stderr if errors else sys.stdout
    return Console(
        file=stream, highlight=False, soft_wrap=not stream.isatty(), width=_width(stream)
    )


def _width(stream: object) -> int | None:
    """Let a pipe have lines as long as they are; a terminal knows its own width."""
    isatty = getattr(stream, "isatty", lambda: False)
    return None if isatty() or "COLUMNS" in os.environ else 160


def emit_json(schema: str, key: str, items: Sequence[Json]) -> None:
    """Print ``{"schema": …, key: [...]}``, the one shape of every ``--json``."""
    sys.stdout.write(json.dumps({"schema": schema, key: list(items)}, indent=2, ensure_ascii=False))
    sys.stdout.write("\n")


def errors_as_json(enabled: bool) -> None:
    """Make errors come as JSON too, for the rest of this process."""
    global _JSON_ERRORS  # noqa: PLW0603 - set once while arguments are parsed
    _JSON_ERRORS = enabled


def emit_error(error: OpsError) -> int:
    """Print an error on standard error and return its exit code."""
    if _JSON_ERRORS:
        document = {
            "schema": "coh.error/1",
            "errors": [{"code": error.code, "fact": error.fact, "next": error.next_step}],
        }
        sys.stderr.write(json.dumps(document, ensure_ascii=False) + "\n")
    else:
        out = console(errors=True)
        out.print(f"[bold red]{error.code}[/]: ", end="", soft_wrap=True)
        out.print(error.fact, markup=False, soft_wrap=True)
        out.print(f"  next: {error.next_step}", markup=False, soft_wrap=True)
    return error.exit_code


def emit_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table; on a pipe it is plain text."""
    table = Table(title=title, title_justify="left", header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*row)
    console().print(table)


def say(text: str) -> None:
    """Print a line for people; never part of a JSON answer."""
    console(errors=True).print(text, markup=False)
