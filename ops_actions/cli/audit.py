"""``coh audit``: read and verify the audit log."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from ops_actions.audit.chain import Record
from ops_actions.audit.protocol import verify_log
from ops_actions.canonical import Json
from ops_actions.cli.options import AsJson, InSandbox
from ops_actions.cli.output import console, emit_json, emit_table
from ops_actions.errors import RefusedError
from ops_actions.wiring import place
from ops_actions.wiring.record import audit_log

app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False)


@app.command()
def tail(
    count: Annotated[int, typer.Option("--count", "-n", min=1, max=10_000, help="How many.")] = 20,
    env: Annotated[str | None, typer.Option("--env", help="Only this environment.")] = None,
    sandbox: InSandbox = False,
    as_json: AsJson = False,
) -> None:
    """Show the newest entries, oldest first.

    Example: coh audit tail -n 50 --env production
    """
    records = audit_log(place.target(sandbox=sandbox)).tail(count, env)
    if as_json:
        emit_json("coh.audit_entries/1", "entries", [_document(record) for record in records])
        return
    rows = [
        (
            str(r.seq),
            r.recorded_at[:19],
            b["environment"],
            b["actor_login"] or b["actor_sub"],
            b["action"],
            b["target"][:40],
            b["phase"],
            b["result"],
        )
        for r, b in ((record, json.loads(record.body)) for record in records)
    ]
    columns = ("seq", "time (UTC)", "environment", "who", "action", "target", "phase", "result")
    emit_table("Audit log", columns, rows)


@app.command()
def verify(sandbox: InSandbox = False, as_json: AsJson = False) -> int:
    """Check the whole chain and name the first bad entry.

    Example: coh audit verify --json
    """
    verdict = verify_log(audit_log(place.target(sandbox=sandbox)))
    if as_json:
        bad = verdict.bad
        document: dict[str, Json] = {
            "intact": verdict.ok,
            "checked": verdict.checked,
            "head": {"seq": verdict.head.seq, "hash": verdict.head.hash},
            "bad": {"seq": bad.seq, "what": bad.what} if bad else None,
        }
        emit_json("coh.audit_verdicts/1", "verdicts", [document])
    elif verdict.ok:
        out = console()
        out.print(f"[green]Intact[/]: {verdict.checked} entries, head {verdict.head.hash[:16]}…")
    if verdict.bad is None:
        return 0
    raise RefusedError(
        "audit.tampered",
        f"entry {verdict.bad.seq} is bad ({verdict.bad.what}); the {verdict.checked} before it are "
        "good",
        "keep the database as it is, restore the backup beside it and compare",
    )


def _document(record: Record) -> dict[str, Json]:
    return {
        "seq": record.seq,
        "recorded_at": record.recorded_at,
        "hash": record.hash,
        "prev_hash": record.prev_hash,
        **json.loads(record.body),
    }
