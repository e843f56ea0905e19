"""What the rest of the house needs of a record book."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, LiteralString, Protocol

from ops_actions.audit.chain import GENESIS, Head, Record, Verdict, verify

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
        head: where it ends.
        records: its entries in order, read as they are asked for.
    """

    head: Head
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

    def stream(self, after: int = 0) -> AbstractContextManager[Snapshot]:
        """Open a consistent snapshot of all entries after a number, for verification and backup."""


def verify_log(log: AuditLog, start: Head = GENESIS) -> Verdict:
    """Check a whole log, or what came after a head that is trusted already."""
    with log.stream(start.seq) as snapshot:
        return verify(snapshot.records, snapshot.head, start)
