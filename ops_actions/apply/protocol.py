"""What this step needs of the world: effects, a durable runner, a lock and a record book."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from ops_actions.canonical import Json
from ops_actions.plan.model import Change, Kind

if TYPE_CHECKING:
    from datetime import datetime

    from ops_actions.audit.entry import AuditEntry
    from ops_actions.decision.model import RecentActions


@dataclass(frozen=True, slots=True)
class RunContext:
    """Which run a step belongs to.

    Attributes:
        change_id: stable name of what is applied, the same for every attempt.
        commit: merged commit, 40 hex digits, whose declared state is made true.
        environment: environment acted on; empty for guardrails and documents.
    """

    change_id: str
    commit: str
    environment: str


class Effect(Protocol):
    """Carries out changes of one kind.

    Performing must be repeat-safe: a second call for a state that is already reached changes
    nothing. The caller reads the state before and after each call.
    """

    always_perform: bool
    """True when it must run also for a reached state, to bring an engine's own records in line."""

    def observe(self, change: Change) -> Json:
        """Read the outside state of a change's target, in the form of ``expected_live``.

        Raises:
            OutsideError: it can't be read.
        """

    def perform(self, changes: Sequence[Change], context: RunContext) -> None:
        """Make the outside state what each change desires.

        Raises:
            RefusedError: the engine would do something else than the changes say.
            OutsideError: an outside system said no, or failed before anything was done.
            UnknownOutcomeError: the call was sent and no answer came.
        """


Effects = Mapping[Kind, Effect]
"""The effect of each kind that touches the outside; other kinds are in effect by the merge."""


class UnknownOutcomeError(Exception):
    """A call was sent and its answer is not known; only reading back can tell what happened."""


@dataclass(frozen=True, slots=True)
class OpenRun:
    """A run that was started and has not ended.

    Attributes:
        run_id: name of the attempt.
        owner: executor that holds it.
    """

    run_id: str
    owner: str


class Durable(Protocol):
    """Runs the apply workflow in steps whose results survive the process."""

    def start(self, run_id: str, payload: Json) -> Json:
        """Run the workflow under a name that is used once, and return its result.

        Started again with the same name it gives the first run's result and does nothing.
        """

    def open_runs(self) -> tuple[OpenRun, ...]:
        """Return the runs that were started and have not ended."""

    def attempts(self, change_id: str) -> int:
        """Return how many runs were ever started for a change."""

    def resume(self, run_id: str) -> Json:
        """Go on with a run whose owner is dead; recorded steps are not run again.

        What the run raises is raised here too.
        """

    def abandon(self, run_id: str) -> None:
        """End a run whose owner is dead for good; it can't be resumed any more."""


StepRunner = Callable[[str, Callable[[], Json]], Json]
"""Runs one named step durably: a step that was recorded gives its recorded result."""


@dataclass(frozen=True, slots=True)
class LockState:
    """Who holds an environment.

    Attributes:
        environment: its name; empty for the repository's own files.
        change_id: the change it is held for.
        holder: executor that took it.
        state: ``held`` while a run works, ``undecidable`` when a human must settle it.
        note: why a human is asked; empty while held.
    """

    environment: str
    change_id: str
    holder: str
    state: str
    note: str


@dataclass(frozen=True, slots=True)
class Message:
    """Something to tell people, stored with the facts it tells.

    Attributes:
        key: unique; the same key is told once.
        text: what to say, without secrets and personal data.
    """

    key: str
    text: str


@dataclass(frozen=True, slots=True)
class Closing:
    """How a run leaves the book: all of it in one transaction, or none of it.

    Attributes:
        entries: audit entries to append.
        environment: whose lock it is about.
        change_id: whose lock it is.
        advance: cursor's move as (from, to); None leaves it where it is.
        undecidable: why the lock stays, None to release it.
        messages: what to tell people.
        holding: the change has the lock now. When it turns out not to have it any more, an earlier
            try of this very step was closed already, and neither cursor nor lock are touched.
    """

    entries: tuple[AuditEntry, ...]
    environment: str
    change_id: str
    advance: tuple[str, str] | None
    undecidable: str | None
    messages: tuple[Message, ...] = ()
    holding: bool = False


class Book(Protocol):
    """The record book with what must move together with it: locks, cursor and outbox."""

    def record(self, entries: Sequence[AuditEntry], context: RunContext) -> None:
        """Append entries of a run; an entry whose key is there already is not written again.

        Raises:
            RefusedError: ``lock.not_held``, the run has lost its environment's lock.
        """

    def close(self, closing: Closing) -> None:
        """Append, release or mark the lock, move the cursor and store messages, all in one."""

    def attempted(self, change_id: str) -> bool:
        """Tell whether an intent of this change was ever written."""

    def cursor(self) -> str | None:
        """Return the last commit of main that was applied or refused for good."""

    def start_cursor(self, commit: str) -> None:
        """Set the cursor for the first time.

        Raises:
            RefusedError: ``cursor.moved``, there is one already.
        """

    def refused(self) -> frozenset[str]:
        """Return the changes that were turned down after whatever was intended of them.

        A change that a human gave up before anything was permitted is one of them: nobody with a
        say has approved it.
        """

    def retriable(self, change_id: str) -> bool:
        """Tell whether a change was refused, and nothing was done or decided about it since."""

    def recent(
        self, environment: str, author_sub: str, since: datetime, besides: str
    ) -> RecentActions:
        """Count the destructive actions that were intended since a moment.

        Args:
            environment: where.
            author_sub: whose actions are counted apart.
            since: from this moment on, aware.
            besides: change that does not count: its own earlier attempts are no others.
        """

    def take_lock(self, environment: str, change_id: str) -> LockState:
        """Take the lock of an environment for a change, also from its own dead holder.

        Raises:
            RefusedError: ``lock.held``, somebody else has it; names who and the next command.
            UndecidableError: ``lock.undecidable``, it waits for a human.
        """

    def locks(self) -> tuple[LockState, ...]:
        """Return all locks."""

    def reopen(self, lock: LockState) -> None:
        """Make a lock that waited for a human one that can be taken for the same change again."""

    def unsent(self) -> tuple[Message, ...]:
        """Return the messages that nobody has been told yet, oldest first."""

    def sent(self, key: str, reference: str) -> None:
        """Note that a message was told, and where."""


class Announcer(Protocol):
    """Tells people."""

    def announce(self, message: Message) -> str:
        """Post a message once, also when asked twice, and return its reference.

        Raises:
            OutsideError: it could not be posted; it stays in the outbox.
        """
