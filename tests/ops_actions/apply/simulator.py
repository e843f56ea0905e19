"""The outside of a run in memory: flags, record book and durable steps, with a crash switch.

How to use it:

1. Make a `World` with the flags that are there, and a `Run` whose changes are about them (`run`).
2. ``world.apply(run)`` carries the run out as a process would. It returns how the run ended, or
   raises `Crash` when the process died.
3. ``world.crash_at(n)`` lets the process die at its n-th point, counted from 0. Points lie before
   and after everything that leaves a trace: an entry, a call, a step's record, the closing.
   What was written before the point stays, as in a database; all else is gone with the process.
4. ``world.apply(run)`` again is the next process: recorded steps give their recorded results.
5. Look at ``world.flags``, ``world.calls``, ``world.book``.

The service is made to misbehave by its fields: ``troubles`` for its next calls, ``unreadable`` for
its next reads, ``unreadable_after_calls``, ``slow_reads`` that still show the old state after a
call, and ``lands_on``, the state that a call makes instead of the desired one.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from ops_actions.apply.payload import Run
from ops_actions.apply.protocol import Closing, LockState, Message, RunContext
from ops_actions.apply.workflow import Tools, apply_run
from ops_actions.clock import rfc3339
from ops_actions.decision.model import RecentActions
from ops_actions.errors import RefusedError
from ops_actions.plan.model import Change, Kind, Risk, Verb

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ops_actions.audit.entry import AuditEntry
    from ops_actions.canonical import Json

BEFORE, COMMIT = "a" * 40, "c" * 40
ATTEMPT = f"{COMMIT}#1"
LAST = datetime(2026, 11, 24, 18, tzinfo=UTC)
"""Last moment of every action."""

OFF: Json = {"enabled": False, "value": None}
ON: Json = {"enabled": True, "value": None}


class Crash(BaseException):
    """The process died; nothing may catch it and go on."""


@dataclass(frozen=True)
class Trouble:
    """What goes wrong in one call of an effect."""

    error: Exception
    happened: bool = False


def flag_change(
    name: str, expected: Json = OFF, desired: Json = ON, kind: Kind = Kind.FLAG
) -> Change:
    """Return a change that takes a target from one state to another; an action runs until LAST."""
    asked = {"not_after": rfc3339(LAST)} if kind is Kind.ACTION else desired
    return Change(
        verb=Verb.UPDATE,
        kind=kind,
        risk=Risk.GUARDED,
        environment="production",
        target=name,
        path="infra/environments/production/flags.yaml",
        before=expected,
        after=asked,
        expected_live=expected,
        desired_live=desired,
        summary=f"{name} changes",
        inverse=f"change {name} back",
        reversible=True,
    )


def run(*changes: Change, environment: str = "production") -> Run:
    """Return a run of some changes."""
    return Run(
        context=RunContext(COMMIT, COMMIT, environment),
        previous=BEFORE,
        plan_digest="sha256:" + "1" * 64,
        policy_digest="sha256:" + "2" * 64,
        pull_request=7,
        author="tariq-noor",
        author_sub="auth0|tariq",
        approvers=("sofia-berg",),
        changes=changes,
    )


@dataclass
class Book:
    """Implements `apply.protocol.Book`: each method is one transaction."""

    point: Callable[[], None]
    entries: dict[str, AuditEntry] = field(default_factory=dict)
    lock: LockState | None = None
    last: str | None = BEFORE
    outbox: dict[str, Message] = field(default_factory=dict)
    posted: dict[str, str] = field(default_factory=dict)

    def record(self, entries: Sequence[AuditEntry], context: RunContext) -> None:
        self.point()
        for entry in entries:
            if self.lock is None or self.lock.change_id != context.change_id:
                raise RefusedError("lock.not_held", "the lock is somebody else's", "coh reconcile")
            if self.entries.setdefault(entry.key, entry).body() != entry.body():
                raise RefusedError("audit.key_reused", "it says something else", "coh audit tail")
        self.point()

    def close(self, closing: Closing) -> None:
        self.point()
        has_it = self.lock is not None and self.lock.change_id == closing.change_id
        if closing.advance is not None and (has_it or not closing.holding):
            if self.last != closing.advance[0]:
                raise RefusedError("cursor.moved", "it stands elsewhere", "coh apply")
            self.last = closing.advance[1]
        self.entries |= {entry.key: entry for entry in closing.entries}
        if self.lock is not None and has_it:
            note = closing.undecidable
            marked = replace(self.lock, state="undecidable", note=note or "")
            self.lock = None if note is None else marked
        for message in closing.messages:
            self.outbox.setdefault(message.key, message)
        self.point()

    def attempted(self, change_id: str) -> bool:
        return any(
            one.change_id == change_id and one.phase.value == "intent"
            for one in self.entries.values()
        )

    def refused(self) -> frozenset[str]:
        return frozenset(
            one.change_id
            for one in self.entries.values()
            if one.change_id and one.phase.value == "refusal" and not self.attempted(one.change_id)
        )

    def retriable(self, change_id: str) -> bool:
        return change_id in self.refused()

    def cursor(self) -> str | None:
        return self.last

    def start_cursor(self, commit: str) -> None:
        self.last = commit

    def recent(self, *_: object) -> RecentActions:
        return RecentActions(0, 0)

    def take_lock(self, environment: str, change_id: str) -> LockState:
        self.lock = LockState(environment, change_id, "simulated", "held", "")
        return self.lock

    def locks(self) -> tuple[LockState, ...]:
        return (self.lock,) if self.lock else ()

    def reopen(self, lock: LockState) -> None:
        self.lock = replace(lock, state="held")

    def unsent(self) -> tuple[Message, ...]:
        return tuple(one for key, one in self.outbox.items() if key not in self.posted)

    def sent(self, key: str, reference: str) -> None:
        self.posted[key] = reference


@dataclass
class FlagService:
    """Implements `apply.protocol.Effect`: targets in memory, each call is counted."""

    flags: dict[str, Json]
    point: Callable[[], None]
    always_perform: bool = False
    calls: list[str] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)
    unreadable: list[Exception] = field(default_factory=list)
    unreadable_after_calls: list[Exception] = field(default_factory=list)
    slow_reads: int = 0
    lands_on: Json = None
    _old: dict[str, Json] = field(default_factory=dict)

    def observe(self, change: Change) -> Json:
        broken = self.unreadable_after_calls if self.calls else self.unreadable
        if broken:
            raise broken.pop(0)
        if change.target in self._old and self.slow_reads > 0:
            self.slow_reads -= 1
            return self._old[change.target]
        return self.flags[change.target]

    def perform(self, changes: Sequence[Change], context: RunContext) -> None:
        assert context == RunContext(COMMIT, COMMIT, "production")
        self.point()
        trouble = self.troubles.pop(0) if self.troubles else None
        if trouble is None or trouble.happened:
            for change in changes:
                if self.flags[change.target] != change.desired_live:
                    self._old[change.target] = self.flags[change.target]
                    self.calls.append(change.target)
                    self.flags[change.target] = self.lands_on or change.desired_live
        self.point()
        if trouble is not None:
            raise trouble.error


class World:
    """Everything a run touches; it outlives the processes."""

    def __init__(self, flags: dict[str, Json], *, always_perform: bool = False) -> None:
        self.flags = flags
        self.service = FlagService(flags, self.point, always_perform)
        self.book = Book(self.point)
        self.book.take_lock("production", COMMIT)
        self.recorded: dict[str, Json] = {}
        self.waits: list[int] = []
        self.now = LAST - timedelta(hours=1)
        self.gate: bool | None = True
        self.points = 0
        self._fatal: int | None = None

    def crash_at(self, number: int | None) -> None:
        """Let the process die at a point of its own; None lets it live."""
        self.points, self._fatal = 0, number

    def point(self) -> None:
        """Pass a point, or die there."""
        self.points += 1
        if self.points - 1 == self._fatal:
            raise Crash

    def apply(self, what: Run, attempt: str = ATTEMPT) -> Json:
        """Be one process that carries a run out, from its last recorded step on."""
        effects = {Kind.FLAG: self.service, Kind.ACTION: self.service}
        tools = Tools(effects, self.book, self.waits.append, lambda: self.now, lambda *_: self.gate)
        return apply_run(what, attempt, self._step, tools)

    def _step(self, name: str, work: Callable[[], Json]) -> Json:
        if name not in self.recorded:
            self.point()
            result = work()
            self.point()
            self.recorded[name] = result
            self.point()
        return self.recorded[name]

    def results(self) -> list[tuple[str, str, str]]:
        """Return phase, target and result of each entry, in order."""
        return [(e.phase.value, e.target, e.result) for e in self.book.entries.values()]
