"""Finish what a crash left open, and ask a human only about what can't be known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ops_actions.apply.protocol import Closing, LockState
from ops_actions.change.model import is_commit
from ops_actions.errors import RefusedError
from ops_actions.flow.apply import apply_one
from ops_actions.flow.case import run_left_open
from ops_actions.flow.tools import ApplyReport, ApplyTools, deliver

if TYPE_CHECKING:
    from datetime import datetime

    from ops_actions.audit.entry import AuditEntry


_BUSY = ("lock.held", "lock.overtaken")
"""Codes that say that another process is at work on the same change."""


def reconcile(
    tools: ApplyTools, now: datetime, environment: str | None = None
) -> tuple[ApplyReport, ...]:
    """Go on with every run and every lock whose owner is dead or in doubt.

    1. A run that its dead owner left open goes on at its last recorded step.
    2. A lock without an open run belongs to an attempt that never started or ended in doubt: the
       commit is judged afresh and the outside is read again; done and not done go on by
       themselves, anything else keeps the lock.
    3. Messages that were not told are told.

    Runs whose owner is alive are left alone and reported as ``busy``.

    Args:
        tools: what applying needs.
        now: the moment of the decision.
        environment: only the lock of this one; None for everything that is open.
    """
    mine = [lock for lock in tools.book.locks() if environment in (None, lock.environment)]
    reports = [_finish(tools, lock, now) for lock in mine]
    known = {lock.change_id for lock in tools.book.locks()} | {r.commit for r in reports}
    for run in tools.durable.open_runs() if environment is None else ():
        change_id = run.run_id.partition("#")[0]
        if change_id not in known:
            reports.append(apply_one(tools, change_id, now))
    deliver(tools)
    return tuple(reports)


def _finish(tools: ApplyTools, lock: LockState, now: datetime) -> ApplyReport:
    """Go on with the change that has a lock, unless its holder is at work."""
    if not is_commit(lock.change_id):
        return _of_an_engine_run(lock)
    try:
        if lock.state == "undecidable":
            # Time has passed and the call has ended by now: reading again may settle it.
            tools.book.reopen(lock)
        return apply_one(tools, lock.change_id, now)
    except RefusedError as error:
        if error.code not in _BUSY:
            raise
        return ApplyReport(lock.change_id, "busy", error.code, error.fact, error.next_step, 0)


def _of_an_engine_run(lock: LockState) -> ApplyReport:
    """Leave a lock of `coh infra up` alone: the same command goes on with it, alive or dead."""
    environment = lock.environment or "production"
    return ApplyReport(
        lock.change_id,
        "busy",
        "lock.held",
        f"{lock.holder} brings up {environment}, or died while it did",
        f"wait until it ends; if its process is gone: coh infra up --env {environment}",
        RefusedError.exit_code,
    )


def next_in_line(tools: ApplyTools, commit: str) -> LockState | None:
    """Return the lock that a commit would have that stops the line without holding any.

    A run that ended as not done gives its lock back and is tried again by every `coh apply`; one
    that can never succeed must be given up. None when it is not the first commit to be applied.
    """
    cursor, repository = tools.book.cursor(), tools.judge.repository
    if cursor is None or not is_commit(commit) or repository.is_ancestor(commit, cursor):
        return None
    if repository.first_parent(commit) != cursor:
        return None
    return LockState("", commit, "", "held", "stops the line, holds no lock")


def settle(tools: ApplyTools, lock: LockState, entry: AuditEntry) -> ApplyReport:
    """Give a change up on a human's word: record it, release the lock, pass the commit.

    Whatever the outside shows then is drift, which the next change of it will meet.
    """
    if lock.state == "undecidable":
        tools.book.reopen(lock)
    tools.book.take_lock(lock.environment, lock.change_id)  # refuses while its holder is alive
    run = run_left_open(tools, lock.change_id)
    if run is not None:
        tools.durable.abandon(run.run_id)  # first: without its lock it would be taken for ended
    cursor = tools.book.cursor()
    follows = (
        cursor is not None
        and is_commit(lock.change_id)
        and not tools.judge.repository.is_ancestor(lock.change_id, cursor)
        and tools.judge.repository.first_parent(lock.change_id) == cursor
    )
    tools.book.close(
        Closing(
            entries=(entry,),
            environment=lock.environment,
            change_id=lock.change_id,
            advance=(cursor, lock.change_id) if cursor is not None and follows else None,
            undecidable=None,
            holding=True,
        )
    )
    return ApplyReport(lock.change_id, "settled", "", entry.result, "", 0)
