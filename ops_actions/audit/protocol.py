"""What the rest of the house needs of a record book."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, LiteralString, Protocol

from ops_actions.audit.chain import Head, Record, Verdict, verify

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from ops_actions.audit.entry import AuditEntry


class Result(Protocol):
    """What a statement gives back."""

    @property
    def rowcount(self) -> int:
        """How many rows it returned or changed."""


class Transaction(Protocol):
    """An open database transaction, for statements that must stand or fall with an entry."""

    def execute(self, query: LiteralString, params: Sequence[object] | None = None) -> Result:
        """Run one statement with its parameters."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A log at one moment.

    Attributes:
        head: where it says that it ends; None when it does not say so exactly once.
        records: its entries by number, forged ones included, read as they are asked for.
    """

    head: Head | None
    records: Iterator[Record]


class AuditLog(Protocol):
    """An append-only, hash-chained log."""

    def append(
        self,
        entries: Sequence[AuditEntry],
        *,
        also: Callable[[Transaction], None] | None = None,
    ) -> tuple[int, ...]:
        """Record entries durably, all or none, and return their numbers in the given order.

        An entry whose key is recorded already is not recorded again; its number is returned.

        Args:
            entries: what to record.
            also: runs in the same transaction, after the entries; what it raises undoes both.

        Raises:
            RefusedError: ``audit.read_only``, or ``audit.key_reused``: the key belongs to an entry
                that says something else.
            OutsideError: the log can't be reached, or the connection broke while writing; the same
                entries may be appended again either way.
        """

    def tail(self, count: int, environment: str | None = None) -> tuple[Record, ...]:
        """Return the newest entries, of one environment or of all, oldest first."""

    def head(self) -> Head | None:
        """Return where the log says that it ends; None when it does not say so exactly once."""

    def stream(self) -> AbstractContextManager[Snapshot]:
        """Open a consistent snapshot of all entries, whatever number they bear."""


def verify_log(log: AuditLog, kept: Head | None = None) -> Verdict:
    """Check a whole log and, when one was kept, that it goes on from that head."""
    with log.stream() as snapshot:
        return verify(snapshot.records, snapshot.head, kept)
