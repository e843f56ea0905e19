"""The chain over the record book: how an entry is hashed and how all of them are checked.

The hash of an entry is SHA-256 over these UTF-8 bytes, lines separated by one line feed::

    coh.audit/1
    <seq, decimal>
    <recorded_at, UTC, such as 2026-11-24T09:00:00.000000Z>
    <hash of the entry before, 64 hex digits; 64 zeros before the first>
    <body>

Only the body, which comes last, could hold a line feed, so no two entries share these bytes.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from pydantic_core import from_json

from ops_actions.audit.entry import COLUMNS, SCHEMA

if TYPE_CHECKING:
    from collections.abc import Iterable


class Record(NamedTuple):
    """One entry as it is stored. A tuple, because a verification makes millions of them.

    Attributes:
        seq: its number, counted from 1 without gaps.
        recorded_at: when the log took it, RFC 3339 in UTC with microseconds.
        prev_hash: hash of the entry before, 64 hex digits.
        hash: hash of this entry, 64 hex digits.
        body: canonical JSON that the writer gave.
        opening: what the columns say that sort before ``detail``, in the body's own form; empty
            when there are no columns to compare with, as in a backup.
        closing: the same for the columns that sort after it.
    """

    seq: int
    recorded_at: str
    prev_hash: str
    hash: str
    body: str
    opening: str = ""
    closing: str = ""


class Head(NamedTuple):
    """Where a chain ends, or where a check starts.

    Attributes:
        seq: number of the last entry, 0 for an empty log.
        hash: its hash, 64 hex digits; 64 zeros for an empty log.
    """

    seq: int
    hash: str


GENESIS = Head(0, "0" * 64)
"""The head of an empty log."""


@dataclass(frozen=True, slots=True)
class BadEntry:
    """The first place where a log does not hold together.

    Attributes:
        seq: number of the entry that is bad or missing.
        what: ``gap`` (missing, twice or out of order), ``link`` (does not follow the entry before),
            ``hash`` (number, time, link or body were changed), ``column <name>`` (says something
            else than the body), ``columns`` (can't even be compared), ``body`` (is not in the
            canonical form), or ``head`` (entries and recorded end of the log differ).
    """

    seq: int
    what: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a verification found.

    Attributes:
        checked: how many entries are good, from the start on.
        head: the last good entry, to be compared with heads that were kept elsewhere.
        bad: the first bad place, None when all is well.
    """

    checked: int
    head: Head
    bad: BadEntry | None

    @property
    def ok(self) -> bool:
        """Whether every entry is good and the log ends where it says."""
        return self.bad is None


def chain_hash(seq: int, recorded_at: str, prev_hash: str, body: str) -> str:
    """Return the hash of an entry, 64 lower-case hex digits; see the module for the bytes."""
    text = f"{SCHEMA}\n{seq}\n{recorded_at}\n{prev_hash}\n{body}"
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def verify(records: Iterable[Record], head: Head, start: Head = GENESIS) -> Verdict:
    """Check a chain in one pass and constant memory, up to the first bad entry.

    Args:
        records: entries after ``start``, in the order of their numbers.
        head: where the log says that it ends, read at the same moment as the records.
        start: a head that is trusted already; entries up to it are not looked at.
    """
    seq, last_hash = start
    for record in records:
        what = _first_fault(record, seq + 1, last_hash)
        if what is not None:
            return Verdict(seq - start.seq, Head(seq, last_hash), BadEntry(seq + 1, what))
        seq, last_hash = record.seq, record.hash
    end = Head(seq, last_hash)
    bad = None
    if end != head:
        bad = BadEntry(seq if head.seq == seq else min(seq, head.seq) + 1, "head")
    return Verdict(seq - start.seq, end, bad)


def _first_fault(record: Record, expected: int, last_hash: str) -> str | None:
    """Name what is wrong with one entry, in the order from the coarse to the fine."""
    seq, recorded_at, prev_hash, own_hash, body, opening, closing = record
    if seq != expected:
        return "gap"
    if prev_hash != last_hash:
        return "link"
    if own_hash != chain_hash(seq, recorded_at, prev_hash, body):
        return "hash"
    if opening and not _is_framed(body, opening, closing):
        return _wrong_column(body, opening, closing)
    return None


def _is_framed(body: str, opening: str, closing: str) -> bool:
    """Tell whether the body is exactly opening, one JSON value, closing.

    This says the same as parsing the body and comparing each column, at half the price.
    """
    if not (body.startswith(opening) and body.endswith(closing)):
        return False
    try:
        from_json(body[len(opening) : len(body) - len(closing)])
    except ValueError:
        return False
    return True


def _wrong_column(body: str, opening: str, closing: str) -> str:
    """Name the first column that says something else than the body."""
    try:
        document = from_json(body)
    except ValueError:
        return "body"
    try:
        columns = from_json(f"{opening}null{closing}")
    except ValueError:
        return "columns"  # a quote stands where none may stand, so no single one can be named
    if not isinstance(document, dict):
        return "body"
    wrong = (name for name in COLUMNS if document.get(name, ...) != columns[name])
    return next((f"column {name}" for name in wrong), "body")
