"""Apply what was merged, in order, each commit judged by the one before it.

For each commit after the cursor, oldest first:
    the one merged pull request behind it → plan now and plan approved → decision → lock → live
    state → permit → durable run → told

A commit that is refused is recorded and passed: it never blocks the ones after it. A commit whose
run did not reach the end stops the line, and so does whatever says *not here, not now*: a service,
a setting or a git object that is missing refuses nobody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from ops_actions.apply.payload import dump, run_of
from ops_actions.apply.permit import TurnedDownError
from ops_actions.change.model import is_commit
from ops_actions.errors import BadRequestError, OpsError, OutsideError, RefusedError
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

_ITS_FAULT = ("gate.", "declared.", "request.", "plan.")
_ITS_FAULT_TOO = frozenset(
    {"change.not_a_file", "change.file_too_big", "change.link_in_tree", "change.bad_path"}
)
"""Codes that turn a commit down for good, besides the policies'. All others say *not now*."""


def apply_upto(tools: ApplyTools, commit: str, now: datetime) -> tuple[ApplyReport, ...]:
    """Apply every commit of main after the cursor up to and with one.

    Raises:
        RefusedError: there is no cursor, or the commit is not ahead of it.
        UndecidableError: a lock waits for a human.
        OutsideError: an outside system failed before anything was done.
    """
    reports: list[ApplyReport] = []
    for each in _line(tools, commit):
        report = apply_one(tools, each, now)
        reports.append(report)
        if report.status in ("not_done", "undecidable"):
            break
    deliver(tools)
    return tuple(reports)


def _line(tools: ApplyTools, commit: str) -> tuple[str, ...]:
    """Return the commits to be processed, oldest first; what was left open comes before all."""
    repository, cursor = tools.judge.repository, tools.book.cursor()
    if cursor is None:
        raise RefusedError(
            "apply.no_cursor",
            "nothing was ever applied, so the first commit to apply is not known",
            "coh apply --start-after COMMIT, once, with the commit that the outside already shows",
        )
    behind = _left_open(tools, cursor)
    if commit == cursor:
        again = (commit,) if tools.book.retriable(commit) else ()
        return (*behind, *(each for each in again if each not in behind))
    if repository.is_ancestor(commit, cursor):
        if tools.book.retriable(commit):
            raise RefusedError(
                "apply.superseded",
                f"{commit} was refused, and newer commits were applied after it",
                "raise the change again on top of main",
            )
        return behind
    if not repository.is_ancestor(cursor, commit):
        raise RefusedError(
            "apply.diverged",
            f"{commit} does not contain {cursor}, which was applied last",
            "find out who rewrote main; coh apply only moves forward",
        )
    return (*behind, *repository.first_parent_range(cursor, commit))


def _left_open(tools: ApplyTools, cursor: str) -> tuple[str, ...]:
    """Return the commits that the cursor has passed, and that are not done with all the same.

    A refused commit was passed; approved later and tried again it may have died on the way.
    """
    return tuple(
        lock.change_id
        for lock in tools.book.locks()
        if is_commit(lock.change_id) and tools.judge.repository.is_ancestor(lock.change_id, cursor)
    )


def apply_one(tools: ApplyTools, commit: str, now: datetime) -> ApplyReport:
    """Judge and apply one commit; a crashed earlier run of it is finished instead.

    Args:
        tools: what applying needs.
        commit: merged commit, the next one after the cursor or one that the cursor has passed.
        now: the moment of the decision.
    """
    crashed = _open_run(tools, commit)
    if crashed is not None:
        return _report(commit, tools.durable.resume(crashed.run_id))
    cursor, previous = _place(tools, commit)
    case = Case(commit, cursor, previous, attempt_of(tools, commit))
    try:
        case.judged = judge_commit(tools, commit, now)
        if not case.judged.now.changes:
            return nothing_to_do(tools, case)
        permit = permit_for(tools, case)
    except (RefusedError, BadRequestError) as error:
        if _its_fault(error):
            return refuse(tools, case, error)
        if not error.code.startswith("lock."):  # else it is not ours to give back
            let_go(tools, case)
        raise
    except OutsideError:
        let_go(tools, case)
        raise
    result = tools.durable.start(case.attempt, dump(run_of(permit, previous)))
    return _report(commit, result)


def _its_fault(error: OpsError) -> bool:
    """Tell whether it is the commit that is wrong, and not the machine that would apply it."""
    return (
        isinstance(error, TurnedDownError)
        or error.code.startswith(_ITS_FAULT)
        or error.code in _ITS_FAULT_TOO
    )


def _place(tools: ApplyTools, commit: str) -> tuple[str, str | None]:
    """Return where the cursor stands, and where it moves on from: None when it has passed by.

    Raises:
        RefusedError: ``apply.no_cursor``; ``apply.out_of_order``, commits before it are open.
    """
    cursor, repository = tools.book.cursor(), tools.judge.repository
    if cursor is None:
        raise RefusedError(
            "apply.no_cursor",
            "there is something to finish, and nothing says what was applied last",
            "coh apply --start-after COMMIT",
        )
    if repository.is_ancestor(commit, cursor):
        return cursor, None
    if repository.first_parent(commit) != cursor:
        raise RefusedError(
            "apply.out_of_order",
            f"{commit} does not follow {cursor}, which was applied last",
            f"coh apply --commit {commit} applies what lies between first",
        )
    return cursor, cursor


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
