"""Bring up a live environment by hand: only what was applied, under its lock, and on the record.

clean checkout of the commit at the cursor → nothing in it was refused → lock → steps → intent → the
engine → outcome, lock released
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from infra.settings.environment import file_of
from infra.settings.flags import Flag, parse_flags
from ops_actions.apply.protocol import Closing, RunContext
from ops_actions.audit.entry import AuditEntry, Phase
from ops_actions.clock import rfc3339
from ops_actions.errors import BadRequestError, OpsError, RefusedError
from ops_actions.flow.trust import judging_files, trusted_before
from ops_actions.plan.sides import differing, parse_side

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from ops_actions.apply.protocol import Book
    from ops_actions.canonical import Json
    from ops_actions.change.model import Repository

Step = TypeVar("Step")

CHANGE = "infra-up"
"""What the lock is held for: no commit, and the same for every try, so that the next one may take
up the lock of one that died."""

_SHOWN = 3  # names in a refusal; more are no help


@dataclass(frozen=True, slots=True)
class BringUp:
    """One try to bring an environment up.

    Attributes:
        commit: what the checkout is at, 40 hex digits.
        login: GitHub login of the person; None when nothing says who it is.
        now: when it began.
    """

    environment: str
    commit: str
    login: str | None
    now: datetime


def refuse_uncommitted(commit: str, paths: Sequence[str]) -> None:
    """Refuse a checkout that is not what its commit says.

    Raises:
        RefusedError: ``infra.uncommitted``.
    """
    if paths:
        raise RefusedError(
            "infra.uncommitted",
            f"the checkout differs from its commit {commit} in {_some(paths)}",
            "git status; only a clean checkout of what was applied is brought up",
        )


def refuse_not_applied(repository: Repository, book: Book, one: BringUp) -> None:
    """Refuse a commit that is not the one applied last, or that holds what was refused.

    Without a cursor nothing was ever applied, and there is nothing to compare with.

    Args:
        repository: the checkout's history.
        book: knows the cursor and what was refused.
        one: the try.

    Raises:
        RefusedError: ``infra.not_applied``, ``infra.refused_state``; ``gate.no_trust``.
        OutsideError: the book can't be read; ``database.not_migrated`` when there is none yet.
    """
    cursor = book.cursor()
    if cursor is None:
        return
    if cursor != one.commit:
        raise RefusedError(
            "infra.not_applied",
            f"the checkout is at {one.commit}, main is applied up to {cursor}",
            f"git checkout {cursor}; what is newer comes by the apply workflow",
        )
    refused = book.refused()
    trusted = trusted_before(repository, refused, one.commit)
    wrong = (
        *judging_files(repository, trusted, one.commit),
        *_refused_flags(repository, refused, one),
    )
    if wrong:
        raise RefusedError(
            "infra.refused_state",
            f"{one.commit} still holds what was refused, or came on top of it: {_some(wrong)}",
            "coh audit tail names the refusals; revert them on main",
        )


def under_lock(
    book: Book,
    one: BringUp,
    preview: Callable[[], Sequence[Step]],
    up: Callable[[Sequence[Step]], object],
    document: Callable[[Step], Json],
) -> tuple[Step, ...]:
    """Bring an environment up while nobody else changes it, and write down what was begun and done.

    Args:
        book: record book with the locks.
        one: the try.
        preview: tells the steps.
        up: does them.
        document: gives a step the form that is written down.

    Returns:
        The steps that were done.

    Raises:
        RefusedError: ``lock.held``; what `preview` and `up` refuse.
        UndecidableError: the lock waits for a human.
        OutsideError: an outside system failed; what was done is in the steps of the entry.
    """
    book.take_lock(one.environment, CHANGE)
    written: list[Json] | None = None
    try:
        steps = tuple(preview())
        written = [document(step) for step in steps]
        context = RunContext(CHANGE, one.commit, one.environment)
        book.record((_entry(one, "intended", {"steps": written}),), context)
        up(steps)
    except BaseException as error:
        result = error.code if isinstance(error, OpsError) else "failed"
        entries = () if written is None else (_entry(one, result, {"steps": written}),)
        book.close(_closing(one, entries))
        raise
    book.close(_closing(one, (_entry(one, "done", {"steps": written}),)))
    return steps


def first_time(book: Book, one: BringUp, steps: Sequence[Json]) -> None:
    """Write down what was done before there was a book to write it into."""
    book.close(_closing(one, (_entry(one, "done", {"steps": list(steps), "first": True}),)))


def _refused_flags(
    repository: Repository, refused: frozenset[str], one: BringUp
) -> tuple[str, ...]:
    """Return the flags that are not as the last commit that was not refused wants them.

    The first commit of the line is not refused: `trusted_before` would have said so. Contents are
    read only of the commits that touch the file, since the line gets longer for ever.
    """
    line = repository.first_parents(one.commit)
    first = next((number for number, each in enumerate(line) if each in refused), len(line))
    if first == len(line):
        return ()
    approved = dict(_flags(repository, one, line[first - 1]))
    for parent, each in zip(line[first - 1 :], line[first:], strict=False):
        if each not in refused and _path(one) in repository.changed_paths(parent, each):
            approved |= _moved(repository, one, parent, each)
    return tuple(n for n, *_ in differing(approved, _flags(repository, one, one.commit)))


def _moved(
    repository: Repository, one: BringUp, parent: str, commit: str
) -> dict[str, Flag | None]:
    """Return the flags that a commit moved and what they are since; none when that is unknown."""
    try:
        before, after = _flags(repository, one, parent), _flags(repository, one, commit)
    except BadRequestError:
        # A refused commit broke the file. Who approved an edit or the mend of it saw no flag move.
        return {}
    return {name: new for name, _, new in differing(before, after)}


def _flags(repository: Repository, one: BringUp, commit: str) -> Mapping[str, Flag | None]:
    path = _path(one)
    found = parse_side(repository.read(commit, path), path, parse_flags)
    return {} if found is None else dict(found.flags)


def _path(one: BringUp) -> str:
    return file_of(one.environment, "flags")


def _closing(one: BringUp, entries: tuple[AuditEntry, ...]) -> Closing:
    return Closing(entries, one.environment, CHANGE, advance=None, undecidable=None)


def _entry(one: BringUp, result: str, detail: Mapping[str, Json]) -> AuditEntry:
    return AuditEntry(
        environment=one.environment,
        actor_sub=f"github|{one.login}" if one.login else f"system:{CHANGE}",
        actor_login=one.login,
        action="infra.up",
        target=one.environment,
        risk="guarded",
        phase=Phase.SYSTEM,
        result=result,
        change_id=CHANGE,
        commit=one.commit,
        key=f"{CHANGE}/{one.environment}/{rfc3339(one.now)}/{result}",
        detail=detail,
    )


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
