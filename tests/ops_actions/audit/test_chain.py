from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_actions.audit.chain import (
    GENESIS,
    INCOMPARABLE,
    BadEntry,
    Head,
    Record,
    chain_hash,
    parse_head,
    verify,
)
from ops_actions.errors import BadRequestError
from tests.support.audit import entry

if TYPE_CHECKING:
    from collections.abc import Iterator

STAMP = "2026-11-24T09:00:00.000000Z"


def _chain(length: int) -> list[Record]:
    """Build a chain as the database does, columns included."""
    records = []
    seq, prev_hash = GENESIS
    for _ in range(length):
        seq += 1
        body = entry(seq).body()
        opening, closing = body.split('{"after":{"enabled":true},"before":{"enabled":false}}')
        own_hash = chain_hash(seq, STAMP, prev_hash, body)
        records.append(Record(seq, STAMP, prev_hash, own_hash, body, opening, closing))
        prev_hash = own_hash
    return records


def _head(records: list[Record]) -> Head:
    return Head(records[-1].seq, records[-1].hash)


def test_the_hash_covers_the_documented_bytes() -> None:
    text = "coh.audit/1\n7\n2026-11-24T09:00:00.000000Z\n" + "0" * 64 + '\n{"ü":1}'
    assert chain_hash(7, STAMP, "0" * 64, '{"ü":1}') == hashlib.sha256(text.encode()).hexdigest()


def test_a_good_chain_is_good() -> None:
    records = _chain(20)
    verdict = verify(records, _head(records))
    assert verdict.ok
    assert verdict.checked == 20
    assert verdict.head == _head(records)


def test_an_empty_log_is_good() -> None:
    assert verify([], GENESIS).ok


@pytest.mark.parametrize("seq", [0, 1, 10, 20])
def test_a_log_goes_on_from_each_head_that_it_had(seq: int) -> None:
    records = _chain(20)
    kept = Head(seq, records[seq - 1].hash) if seq else GENESIS
    verdict = verify(records, _head(records), kept)
    assert verdict.ok
    assert verdict.checked == 20


def test_what_the_chain_alone_can_not_show_a_kept_head_shows() -> None:
    good, other = _chain(9), [record._replace(recorded_at="x") for record in _chain(9)]
    rewritten, last = good[:4], good[3].hash
    for record in other[4:]:
        own_hash = chain_hash(record.seq, record.recorded_at, last, record.body)
        rewritten.append(record._replace(prev_hash=last, hash=own_hash))
        last = own_hash

    def check(records: list[Record], kept: Head | None) -> BadEntry | None:
        return verify(records, _head(records) if records else GENESIS, kept).bad

    kept = Head(7, good[6].hash)
    assert check(good, kept) is None
    assert check(rewritten, None) is None
    assert check(rewritten, kept) == BadEntry(7, "rewritten")
    assert check(rewritten, Head(4, good[3].hash)) is None
    assert check(good[:6], None) is None
    assert check(good[:6], kept) == BadEntry(7, "cut")
    assert check([], kept) == BadEntry(1, "cut")
    assert check(good, Head(10, "f" * 64)) == BadEntry(10, "cut")
    assert check(good, Head(0, "f" * 64)) == BadEntry(0, "rewritten")
    assert check(good, Head(-1, "f" * 64)) == BadEntry(-1, "rewritten")


def test_an_entry_that_is_bad_by_itself_is_named_before_the_kept_head() -> None:
    good = _chain(9)
    bad = [*good[:3], good[3]._replace(recorded_at="x"), *good[4:]]
    assert verify(bad, _head(good), Head(7, "f" * 64)).bad == BadEntry(4, "hash")
    assert verify(good[:5], _head(good), Head(7, "f" * 64)).bad == BadEntry(6, "head")


def test_a_kept_head_is_written_and_read() -> None:
    head = Head(42, "0123456789abcdef" * 4)
    assert str(head) == "42:" + "0123456789abcdef" * 4
    assert parse_head(str(head)) == head
    assert parse_head(str(GENESIS)) == GENESIS


@pytest.mark.parametrize(
    "text",
    ["", "42", "42:", ":" + "a" * 64, "42:" + "a" * 63, "42:" + "A" * 64, "-1:" + "a" * 64,
     "42:" + "a" * 64 + "\n", " 42:" + "a" * 64, "0:" + "a" * 64, "9" * 20 + ":" + "a" * 64,
     "\u0664:" + "a" * 64],
)  # fmt: skip
def test_what_is_no_head_is_refused(text: str) -> None:
    with pytest.raises(BadRequestError, match=r"audit\.kept_head"):
        parse_head(text)


def test_each_way_to_tamper_is_named_with_the_first_bad_entry() -> None:
    good = _chain(9)
    head = _head(good)

    def check(records: list[Record], end: Head = head) -> BadEntry | None:
        return verify(records, end).bad

    four = good[3]
    edited = four.body.replace("webhooks", "campaigns")
    resealed = four._replace(
        body=edited,
        closing=four.closing.replace("webhooks", "campaigns"),
        hash=chain_hash(4, STAMP, four.prev_hash, edited),
    )
    other = four._replace(closing=four.closing.replace("guarded", "safe"))
    swapped = [*good[:3], good[4], good[3], *good[5:]]
    renumbered = [*good[:3], good[4]._replace(seq=4), good[3]._replace(seq=5), *good[5:]]
    assert check([*good[:3], four._replace(body=edited), *good[4:]]) == BadEntry(4, "hash")
    assert check([*good[:3], resealed, *good[4:]]) == BadEntry(5, "link")
    assert check([*good[:8], good[8]._replace(hash="f" * 64)]) == BadEntry(9, "hash")
    assert check([*good[:3], other, *good[4:]]) == BadEntry(4, "column risk")
    assert check([*good[:3], *good[4:]]) == BadEntry(4, "gap")
    assert check(swapped) == BadEntry(4, "gap")
    assert check(renumbered) == BadEntry(4, "link")
    assert check([*good[:4], four, *good[4:]]) == BadEntry(4, "extra")
    assert check([*good, good[8]]) == BadEntry(9, "extra")
    assert check([four._replace(seq=0), *good]) == BadEntry(0, "extra")
    assert check([four._replace(seq=-7), *good]) == BadEntry(-7, "extra")
    assert check([four._replace(opening=INCOMPARABLE)]) == BadEntry(1, "gap")
    assert check([*good[:3], four._replace(opening=INCOMPARABLE)]) == BadEntry(4, "columns")
    assert check(good[:6]) == BadEntry(7, "head")
    assert check([]) == BadEntry(1, "head")
    assert check(good, Head(5, good[4].hash)) == BadEntry(6, "head")
    assert check(good, Head(9, "f" * 64)) == BadEntry(9, "head")
    assert check(good, Head(-7, "f" * 64)) == BadEntry(1, "head")
    assert check(good, GENESIS) == BadEntry(1, "head")
    assert verify(good, None).bad == BadEntry(10, "no head")
    assert verify([], None).bad == BadEntry(1, "no head")
    assert check([four._replace(recorded_at="2026-11-24T09:00:00.000001Z"), *good[4:]]) == BadEntry(
        1, "gap"
    )


@pytest.mark.parametrize(
    ("middle", "what"),
    [
        ('{},"action":"flag.disable"', "column action"),
        ('{},"action":"flag.enable"', "body"),
        ("", "body"),
        ("{", "body"),
    ],
)
def test_a_body_that_smuggles_something_in_is_bad_even_with_a_right_hash(
    middle: str, what: str
) -> None:
    [one] = _chain(1)
    body = one.opening + middle + one.closing
    bad = one._replace(body=body, hash=chain_hash(1, STAMP, one.prev_hash, body))
    assert verify([bad], _head([bad])).bad == BadEntry(1, what)


def test_a_column_that_reaches_into_the_detail_is_bad() -> None:
    # The text in front of the second "detail" is the body's own, but the columns say other things.
    [one] = _chain(1)
    inner = one.opening.removeprefix("{").replace("flag.enable", "flag.disable") + "{}"
    body = one.opening + "{" + inner + "}" + one.closing
    opening = body[: body.rindex('"detail":') + len('"detail":')]
    closing = "}" + one.closing
    hashed = chain_hash(1, STAMP, one.prev_hash, body)
    bad = one._replace(body=body, hash=hashed, opening=opening, closing=closing)
    assert verify([bad], _head([bad])).bad == BadEntry(1, "columns")
    good = bad._replace(opening=one.opening, closing=one.closing)
    assert verify([good], _head([good])).ok


def test_without_columns_only_the_chain_is_checked() -> None:
    records = [record._replace(opening="", closing="") for record in _chain(3)]
    assert verify(records, _head(records)).ok


@given(st.integers(0, 8), st.sampled_from(("body", "hash", "prev_hash", "recorded_at", "opening")))
def test_one_changed_character_anywhere_is_found(place: int, name: str) -> None:
    records = _chain(9)
    old = getattr(records[place], name)
    middle = len(old) // 2
    changed = old[:middle] + ("x" if old[middle] != "x" else "y") + old[middle + 1 :]
    head = _head(records)
    if name == "opening":
        # A column can hold other text, but the text that says so is always JSON.
        changed = old.replace("mara-lind", "li-wen")
    records[place] = records[place]._replace(**{name: changed})
    bad = verify(records, head).bad
    assert bad is not None
    assert bad.seq == place + 1


def test_entries_are_taken_one_at_a_time() -> None:
    taken = 0

    def endless() -> Iterator[Record]:
        nonlocal taken
        for record in _chain(5):
            taken += 1
            yield record
        message = "the check read past the first bad entry"
        raise AssertionError(message)

    broken = (r._replace(prev_hash="f" * 64) if r.seq == 3 else r for r in endless())
    assert verify(broken, GENESIS).bad == BadEntry(3, "link")
    assert taken == 3
