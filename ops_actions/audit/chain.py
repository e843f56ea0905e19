"""The chain over the record book: how an entry is hashed and how all of them are checked.

The chain alone shows any change that leaves a later hash as it was. Whoever writes all later hashes
and the head anew, or cuts the end off and sets the head back, leaves a chain that holds: only a
head that was kept outside the database shows that (`verify` with ``kept``).

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
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from pydantic_core import from_json

from ops_actions.audit.entry import COLUMNS, SCHEMA
from ops_actions.errors import BadRequestError

if TYPE_CHECKING:
    from collections.abc import Iterable


class Record(NamedTuple):
    """One entry as it is stored. A tuple, because a verification makes millions of them.

    Attributes:
        seq: its number, counted from 1 without gaps; 0 or less only where somebody forged it, 0
            also for none at all.
        recorded_at: when the log took it, RFC 3339 in UTC with microseconds.
        prev_hash: hash of the entry before, 64 hex digits.
        hash: hash of this entry, 64 hex digits.
        body: canonical JSON that the writer gave.
        opening: what the columns say that sort before ``detail``, in the body's own form; empty
            when there are no columns to compare with, `INCOMPARABLE` when one of them is NULL or
            holds a quotation mark that could hide where it ends.
        closing: the same for the columns that sort after it.
    """

    seq: int
    recorded_at: str
    prev_hash: str
    hash: str
    body: str
    opening: str = ""
    closing: str = ""


INCOMPARABLE = "\0"
"""A text that Postgres can't store, so that no body can begin with it."""


class Head(NamedTuple):
    """Where a chain ends, now or when somebody kept it; written ``SEQ:HASH``.

    Attributes:
        seq: number of the last entry, 0 for an empty log.
        hash: its hash, 64 hex digits; 64 zeros for an empty log.
    """

    seq: int
    hash: str

    def __str__(self) -> str:
        """Give the form that people and CI keep, and that `parse_head` reads."""
        return f"{self.seq}:{self.hash}"


GENESIS = Head(0, "0" * 64)
"""The head of an empty log."""

_DETAIL = '"detail":'
_HEAD = re.compile(r"([0-9]{1,19}):([0-9a-f]{64})")


def parse_head(text: str) -> Head:
    """Read a head that was kept.

    Raises:
        BadRequestError: ``audit.kept_head``, the text is not ``SEQ:HASH`` of an entry or of an
            empty log.
    """
    match = _HEAD.fullmatch(text)
    head = Head(int(match[1]), match[2]) if match else None
    if head is None or (head.seq == 0 and head != GENESIS):
        raise BadRequestError(
            "audit.kept_head",
            "the kept head is not SEQ:HASH, a number and 64 small hexadecimal digits",
            "give it as `coh audit verify` or `coh audit tail` printed it",
        )
    return head


@dataclass(frozen=True, slots=True)
class BadEntry:
    """The first place where a log does not hold together.

    Attributes:
        seq: number of the entry that is bad or missing.
        what: ``gap`` (missing), ``extra`` (one too many: its number is there twice, below 1 or
            none), ``link`` (does not follow the entry before), ``hash`` (number, time, link or body
            were changed), ``column <name>`` (says something else than the body), ``columns`` (one
            is NULL or can't be compared), ``body`` (is not in the canonical form), ``head``
            (entries and recorded end of the log differ), ``no head`` (there is not exactly one
            recorded end), ``cut`` (the log ends before the kept head) or ``rewritten`` (the kept
            head is not the hash of this entry any more: it or one before it was changed).
    """

    seq: int
    what: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a verification found.

    Attributes:
        checked: how many entries hang together, from the first on.
        head: the last of them, to be kept outside the database.
        bad: the first bad place, None when all is well.
    """

    checked: int
    head: Head
    bad: BadEntry | None

    @property
    def ok(self) -> bool:
        """Whether all entries hang together, up to the recorded end and past the kept head."""
        return self.bad is None


def chain_hash(seq: int, recorded_at: str, prev_hash: str, body: str) -> str:
    """Return the hash of an entry, 64 lower-case hex digits; see the module for the bytes."""
    text = f"{SCHEMA}\n{seq}\n{recorded_at}\n{prev_hash}\n{body}"
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def verify(records: Iterable[Record], head: Head | None, kept: Head | None = None) -> Verdict:
    """Check a chain in one pass and constant memory, up to the first bad entry.

    Args:
        records: all entries in the order of their numbers, whatever these are.
        head: where the log says that it ends, read at the same moment as the records; None when it
            does not say so exactly once.
        kept: a head that was kept outside the log; the log must go on from it.
    """
    seq, last_hash = GENESIS
    kept_seq = None if kept is None else kept.seq
    for record in records:
        bad = _first_fault(record, seq + 1, last_hash)
        if bad is not None:
            return Verdict(seq, Head(seq, last_hash), bad)
        seq, last_hash = record.seq, record.hash
        if seq == kept_seq and Head(seq, last_hash) != kept:
            return Verdict(seq, Head(seq, last_hash), BadEntry(seq, "rewritten"))
    end = Head(seq, last_hash)
    return Verdict(seq, end, _wrong_end(end, head) or _lost(end, kept))


def _wrong_end(end: Head, head: Head | None) -> BadEntry | None:
    """Compare the last entry with where the log says that it ends."""
    if head is None:
        return BadEntry(end.seq + 1, "no head")
    if head == end:
        return None
    return BadEntry(end.seq if head.seq == end.seq else max(min(end.seq, head.seq), 0) + 1, "head")


def _lost(end: Head, kept: Head | None) -> BadEntry | None:
    """Tell whether the kept head is past the end, or never was one."""
    if kept is None:
        return None
    if kept.seq > end.seq:
        return BadEntry(end.seq + 1, "cut")
    return BadEntry(kept.seq, "rewritten") if kept.seq <= 0 and kept != GENESIS else None


def _first_fault(record: Record, expected: int, last_hash: str) -> BadEntry | None:
    """Name what is wrong with one entry, in the order from the coarse to the fine."""
    seq, recorded_at, prev_hash, own_hash, body, opening, closing = record
    if seq != expected:
        return BadEntry(seq, "extra") if seq < expected else BadEntry(expected, "gap")
    if prev_hash != last_hash:
        return BadEntry(seq, "link")
    if own_hash != chain_hash(seq, recorded_at, prev_hash, body):
        return BadEntry(seq, "hash")
    if opening and not _is_framed(body, opening, closing):
        return BadEntry(seq, _wrong_column(body, opening, closing))
    return None


def _is_framed(body: str, opening: str, closing: str) -> bool:
    """Tell whether the body is exactly opening, one JSON value, closing.

    This says the same as parsing the body and comparing each column, at half the price. An opening
    that goes on past the first ``"detail":`` has a column that holds quotation marks.
    """
    if not (body.startswith(opening) and body.endswith(closing)):
        return False
    if opening.find(_DETAIL) != len(opening) - len(_DETAIL):
        return False
    try:
        from_json(body[len(opening) : len(body) - len(closing)])
    except ValueError:
        return False
    return True


def _wrong_column(body: str, opening: str, closing: str) -> str:
    """Name the first column that says something else than the body."""
    if opening.count(_DETAIL) > 1:
        return "columns"
    try:
        document = from_json(body)
    except ValueError:
        return "body"
    try:
        columns = from_json(f"{opening}null{closing}")
    except ValueError:
        return "columns"  # one is NULL, or holds a quote: what they say can't be told apart
    if not isinstance(document, dict):
        return "body"
    wrong = (name for name in COLUMNS if document.get(name, ...) != columns[name])
    return next((f"column {name}" for name in wrong), "body")
