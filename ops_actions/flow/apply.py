"""Apply what was merged, in order, each commit judged by the one before it.

For each commit after the cursor, oldest first:
    the one merged pull request behind it → plan now and plan approved → decision → lock → live
    state → permit → durable run → told

A commit that is refused is recorded and passed: it never blocks the ones after it. A commit whose
run did not reach the end stops the line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from ops_actions.apply.payload import dump, run_of
from ops_actions.errors import BadRequestError, OutsideError, RefusedError
from ops_actions.flow.case import (
    Case,
    attempt_of,
    judge_commit,
    let_go,
    nothing_to_do,
    permit_for,
    refuse,
    run_left_open,
)
from ops_actions.flow.tools import ApplyReport, ApplyTools, deliver

if TYPE_CHECKING:
    from datetime import datetime

    from ops_actions.apply.protocol import OpenRun
    from ops_actions.canonical import Json

_NOT_ITS_FAULT = ("lock.",)
"""Codes that say *not here, not now*: the commit stays where it is and is tried again."""


def apply_upto(tools: ApplyTools, commit: str, now: datetime) -> tuple[ApplyReport, ...]:
    """Apply every commit of main after the cursor up to and with one.

    Raises:
        RefusedError: there is no cursor, or the commit is not ahead of it.
        UndecidableError: a lock waits for a human.
        OutsideError: an outside system failed before anything was done.
    """
    reports: list[ApplyReport] = []
    for previous, each in _line(tools, commit):
        report = apply_one(tools, each, previous, now)
        reports.append(report)
        if report.status in ("not_done", "undecidable"):
            break
    deliver(tools)
    return tuple(reports)


def _line(tools: ApplyTools, commit: str) -> list[tuple[str, str]]:
    """Return (cursor before, commit) for each commit to be processed, oldest first."""
    repository, cursor = tools.judge.repository, tools.book.cursor()
    if cursor is None:
        raise RefusedError(
            "apply.no_cursor",
            "nothing was ever applied, so the first commit to apply is not known",
            "coh apply --start-after COMMIT, once, with the commit that the outside already shows",
        )
    if commit == cursor:
        return [(cursor, commit)] if tools.book.refused(commit) else []
    if repository.is_ancestor(commit, cursor):
        if tools.book.refused(commit):
            raise RefusedError(
                "apply.superseded",
                f"{commit} was refused, and newer commits were applied after it",
                "raise the change again on top of main",
            )
        return []
    if not repository.is_ancestor(cursor, commit):
        raise RefusedError(
            "apply.diverged",
            f"{commit} does not contain {cursor}, which was applied last",
            "find out who rewrote main; coh apply only moves forward",
        )
    commits = repository.first_parent_range(cursor, commit)
    return list(zip((cursor, *commits[:-1]), commits, strict=True))


def apply_one(tools: ApplyTools, commit: str, previous: str, now: datetime) -> ApplyReport:
    """Judge and apply one commit; a crashed earlier run of it is finished instead.

    Args:
        tools: what applying needs.
        commit: merged commit.
        previous: where the cursor stands.
        now: the moment of the decision.
    """
    crashed = _open_run(tools, commit)
    if crashed is not None:
        return _report(commit, tools.durable.resume(crashed.run_id))
    case = Case(commit, previous, attempt_of(tools, commit))
    try:
        case.judged = judge_commit(tools, commit, now)
        if not case.judged.now.changes:
            return nothing_to_do(tools, case)
        permit = permit_for(tools, case)
    except (RefusedError, BadRequestError) as error:
        if error.code.startswith(_NOT_ITS_FAULT):
            raise
        return refuse(tools, case, error)
    except OutsideError:
        let_go(tools, case)
        raise
    result = tools.durable.start(case.attempt, dump(run_of(permit, previous)))
    return _report(commit, result)


def _open_run(tools: ApplyTools, commit: str) -> OpenRun | None:
    """Return the run that a dead process left open for a commit.

    Getting its lock is the proof of death: a living holder does not give it away. An open run
    without a lock had closed its book already and only has to be told so.

    Raises:
        RefusedError: ``lock.held``, its owner is at work.
    """
    run = run_left_open(tools, commit)
    if run is not None:
        for lock in tools.book.locks():
            if lock.change_id == commit:
                tools.book.take_lock(lock.environment, commit)
    return run


def _report(commit: str, result: Json) -> ApplyReport:
    document = cast("dict[str, str]", result)
    status = document["status"]
    return ApplyReport(
        commit=commit,
        status=status,
        code=document.get("code", ""),
        fact=document.get("fact", ""),
        next_step=document.get("next", ""),
        exit_code=0 if status == "done" else int(document.get("exit_code", 3)),
    )
