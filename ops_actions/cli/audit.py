"""``coh audit``: read and verify the audit log."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from ops_actions.apply.entries import REPOSITORY
from ops_actions.audit.chain import BadEntry, Head, Record, Verdict, parse_head
from ops_actions.audit.entry import COLUMNS
from ops_actions.audit.protocol import verify_log
from ops_actions.canonical import Json
from ops_actions.cli.options import AsJson, InSandbox, known_environment
from ops_actions.cli.output import console, emit_json, emit_table, say
from ops_actions.errors import RefusedError
from ops_actions.wiring import place
from ops_actions.wiring.record import audit_log

app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False)


_COLUMNS = ("seq", "time (UTC)", "environment", "who", "action", "target", "phase", "result")


@app.command()
def tail(
    count: Annotated[int, typer.Option("--count", "-n", min=1, max=10_000, help="How many.")] = 20,
    env: Annotated[str | None, typer.Option("--env", help="Only this environment.")] = None,
    sandbox: InSandbox = False,
    as_json: AsJson = False,
) -> None:
    """Show the newest entries, oldest first, and the head of the log as SEQ:HASH.

    With --json each entry has a head of its own; coh audit verify --from takes any of them.

    Example: coh audit tail -n 50 --env production
    """
    if env is not None:
        known_environment(env, REPOSITORY)
    log = audit_log(place.target(sandbox=sandbox))
    head = log.head()
    records = log.tail(count, env)
    if as_json:
        emit_json("coh.audit_entries/1", "entries", [_document(record) for record in records])
        return
    emit_table("Audit log", _COLUMNS, [_row(record) for record in records])
    _print_head(head)


@app.command()
def verify(
    kept: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="SEQ:HASH",
            help="A head that was kept elsewhere: the log must still hold it and go on from it.",
        ),
    ] = None,
    sandbox: InSandbox = False,
    as_json: AsJson = False,
) -> int:
    """Check the whole chain and name the first bad entry; print the head as SEQ:HASH, to be kept.

    The chain alone does not show that somebody with full rights cut its end off, or wrote it anew
    from some entry on, and set the recorded head to match. A head kept elsewhere shows both.

    Example: coh audit verify --json
    """
    known = parse_head(kept) if kept is not None else None
    verdict = verify_log(audit_log(place.target(sandbox=sandbox)), known)
    bad = verdict.bad
    if as_json:
        document: dict[str, Json] = {
            "intact": verdict.ok,
            "checked": verdict.checked,
            "head": str(verdict.head),
            "kept": str(known) if known else None,
            "bad": {"seq": bad.seq, "what": bad.what} if bad else None,
        }
        emit_json("coh.audit_verdicts/1", "verdicts", [document])
    elif bad is None:
        past = f", past the kept head of entry {known.seq}" if known else ""
        console().print(f"[green]Intact[/]: {verdict.checked} entries in one chain{past}")
        _print_head(verdict.head)
        if known is None:
            say("Not checked: whether the log was cut or written anew as a whole; --from shows it.")
    if bad is None:
        return 0
    raise _tampered(verdict, bad)


def _tampered(verdict: Verdict, bad: BadEntry) -> RefusedError:
    """Say what is wrong and what can be done about it now."""
    facts = {
        "no head": "ops_audit_head has not exactly one whole row, so nobody can say where the log "
        f"ends; its {verdict.checked} entries hang together",
        "cut": f"entry {bad.seq} and those after it are missing: the log ends before the kept head",
        "rewritten": f"entry {bad.seq} is not the kept one: the log was cut or rewritten at or "
        "before it",
    }
    usual = f"entry {bad.seq} is bad ({bad.what}); the {verdict.checked} before it hang together"
    return RefusedError(
        "audit.head_missing" if bad.what == "no head" else "audit.tampered",
        facts.get(bad.what, usual),
        "change nothing in the database; coh audit verify --from SEQ:HASH with each head that was "
        "kept tells up to which one the log is still the same",
    )


def _print_head(head: Head | None) -> None:
    """Print a head on one line of its own, so that it can be copied."""
    shown = str(head) if head else "none is recorded, run coh audit verify"
    console().print(f"Head: {shown}", markup=False, soft_wrap=True)


def _row(record: Record) -> tuple[str, ...]:
    said = _said(record)
    return (
        str(record.seq),
        record.recorded_at[:19],
        str(said["environment"]),
        str(said["actor_login"] or said["actor_sub"]),
        str(said["action"]),
        str(said["target"])[:40],
        str(said["phase"]),
        str(said["result"]),
    )


def _document(record: Record) -> dict[str, Json]:
    chained: dict[str, Json] = {
        "seq": record.seq,
        "recorded_at": record.recorded_at,
        "hash": record.hash,
        "prev_hash": record.prev_hash,
        "head": f"{record.seq}:{record.hash}",
    }
    return {**chained, **_said(record)} | chained


def _said(record: Record) -> dict[str, Json]:
    """Read a body as far as it must be shown; what `coh audit verify` judges is not judged here."""
    try:
        said = json.loads(record.body)
    except ValueError:
        said = None
    if isinstance(said, dict) and said.keys() >= set(COLUMNS):
        return said
    raise RefusedError(
        "audit.tampered", f"the body of entry {record.seq} can't be read", "coh audit verify"
    )
