from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from ops_actions.adapters.postgres import Database
from ops_actions.adapters.postgres_audit import PostgresAudit
from ops_actions.adapters.postgres_book import PostgresBook
from ops_actions.adapters.postgres_lock import Holder
from ops_actions.apply.entries import REPOSITORY
from ops_actions.apply.protocol import Closing, LockState, Message, RunContext
from ops_actions.audit.entry import Phase
from ops_actions.audit.protocol import verify_log
from ops_actions.errors import RefusedError, UndecidableError
from tests.support.audit import entry
from tests.support.files import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

A, B, C = "a" * 40, "b" * 40, "c" * 40
ENVIRONMENT = "production"
ONE = Holder("runner-1:101:aaaa", 101, "runner-1")
TWO = Holder("runner-2:202:bbbb", 202, "runner-2")
DONE = Closing((), ENVIRONMENT, B, advance=(A, B), undecidable=None)
RUN = RunContext(B, B, ENVIRONMENT)
TOLD = Message(f"{B}/applied", "*applied* in production")


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    yield database
    database.close()


@pytest.fixture
def books(database: Database) -> Iterator[tuple[PostgresBook, PostgresBook]]:
    """The book as two workers have it open."""
    pair = PostgresBook(database, ONE), PostgresBook(database, TWO)
    pair[0].start_cursor(A)
    yield pair
    for book in pair:
        book.leave()


def test_closing_ends_everything_together(
    books: tuple[PostgresBook, PostgresBook], database: Database
) -> None:
    book, other = books
    book.take_lock(ENVIRONMENT, B)
    outcome = entry(1, change_id=B, phase=Phase.OUTCOME, result="done")
    book.close(replace(DONE, entries=(outcome,), messages=(TOLD,)))
    assert book.cursor() == B
    assert book.locks() == ()
    assert book.unsent() == (TOLD,)
    assert len(PostgresAudit(database).tail(9)) == 1
    assert other.take_lock(ENVIRONMENT, C).change_id == C


def test_closing_twice_is_closing_once(
    books: tuple[PostgresBook, PostgresBook], database: Database
) -> None:
    book, other = books
    book.take_lock(ENVIRONMENT, B)
    closing = replace(DONE, entries=(entry(1, change_id=B),), messages=(TOLD,), holding=True)
    book.close(closing)
    book.sent(TOLD.key, "C1/1.2")
    other.take_lock(ENVIRONMENT, C)
    book.close(closing)
    other.close(closing)
    assert book.cursor() == B
    assert book.unsent() == ()
    assert [lock.change_id for lock in book.locks()] == [C]
    assert len(PostgresAudit(database).tail(9)) == 1


@pytest.mark.parametrize("with_entries", [True, False])
def test_a_closing_that_fails_half_way_has_not_begun(
    books: tuple[PostgresBook, PostgresBook],
    database: Database,
    with_entries: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    book, _ = books
    book.take_lock(ENVIRONMENT, B)
    entries = (entry(1, change_id=B),) if with_entries else ()
    with pytest.raises(RefusedError, match=r"cursor\.moved"):
        book.close(replace(DONE, entries=entries, advance=(C, B), messages=(TOLD,)))
    assert book.cursor() == A
    assert [lock.change_id for lock in book.locks()] == [B]
    assert book.unsent() == ()
    assert PostgresAudit(database).tail(9) == ()


@pytest.mark.parametrize(
    ("advance", "cursor"), [((A, B), B), ((A, A), A), ((B, C), A), ((C, A), A), ((C, B), A)]
)
def test_the_cursor_moves_from_where_it_stands_only(
    books: tuple[PostgresBook, PostgresBook], advance: tuple[str, str], cursor: str
) -> None:
    book, _ = books
    if advance[0] == A:
        book.close(replace(DONE, advance=advance))
    else:
        with pytest.raises(RefusedError, match=r"cursor\.moved"):
            book.close(replace(DONE, advance=advance))
    assert book.cursor() == cursor


def test_a_cursor_is_started_once(books: tuple[PostgresBook, PostgresBook]) -> None:
    with pytest.raises(RefusedError, match=r"cursor\.moved"):
        books[1].start_cursor(C)
    assert books[0].cursor() == A


def test_entries_of_a_worker_that_lost_its_lock_are_refused(
    books: tuple[PostgresBook, PostgresBook], database: Database
) -> None:
    one, two = books
    one.take_lock(ENVIRONMENT, B)
    one.record([entry(1, change_id=B)], RUN)
    one.record([entry(1, change_id=B)], RUN)  # what is there already is not written again
    one.leave()
    two.take_lock(ENVIRONMENT, B)
    for number in (1, 2):
        with pytest.raises(RefusedError, match=r"lock\.not_held"):
            one.record([entry(number, change_id=B)], RUN)
    two.record([entry(2, change_id=B)], RUN)
    with pytest.raises(RefusedError, match=r"lock\.not_held"):
        two.record([entry(3, change_id=C)], replace(RUN, change_id=C))
    assert len(PostgresAudit(database).tail(9)) == 2
    assert verify_log(PostgresAudit(database)).ok


def test_a_worker_that_lost_its_lock_can_not_give_it_away(
    books: tuple[PostgresBook, PostgresBook],
) -> None:
    one, two = books
    one.take_lock(ENVIRONMENT, B)
    one.leave()
    two.take_lock(ENVIRONMENT, B)
    one.close(replace(DONE, advance=None))
    one.close(replace(DONE, advance=None, undecidable="who knows"))
    assert two.locks() == (LockState(ENVIRONMENT, B, TWO.executor, "held", ""),)


def test_an_undecidable_change_keeps_its_lock_until_it_is_reopened(
    books: tuple[PostgresBook, PostgresBook],
) -> None:
    one, two = books
    one.take_lock(ENVIRONMENT, B)
    one.close(replace(DONE, advance=None, undecidable="no answer"))
    (lock,) = one.locks()
    assert (lock.state, lock.note, one.cursor()) == ("undecidable", "no answer", A)
    for change in (B, C):
        with pytest.raises(UndecidableError, match="no answer"):
            two.take_lock(ENVIRONMENT, change)
    two.reopen(lock)
    with pytest.raises(RefusedError, match=r"lock\.held"):
        two.take_lock(ENVIRONMENT, C)
    assert two.take_lock(ENVIRONMENT, B).holder == TWO.executor
    two.close(DONE)
    assert (two.locks(), two.cursor()) == ((), B)


def test_a_living_worker_is_not_reopened_away(books: tuple[PostgresBook, PostgresBook]) -> None:
    one, two = books
    lock = one.take_lock(ENVIRONMENT, B)
    two.reopen(lock)
    with pytest.raises(RefusedError, match=r"lock\.held"):
        two.take_lock(ENVIRONMENT, B)


def test_the_repository_has_a_lock_of_its_own(books: tuple[PostgresBook, PostgresBook]) -> None:
    one, two = books
    assert one.take_lock("", B).environment == ""
    two.take_lock(ENVIRONMENT, C)
    assert [lock.environment for lock in one.locks()] == [ENVIRONMENT, ""]
    one.record([entry(1, change_id=B, environment=REPOSITORY)], replace(RUN, environment=""))
    one.close(replace(DONE, environment=""))
    assert [lock.environment for lock in one.locks()] == [ENVIRONMENT]


_HOLD = """
import sys
from ops_actions.adapters.postgres import Database
from ops_actions.adapters.postgres_book import PostgresBook
from ops_actions.adapters.postgres_lock import Holder
book = PostgresBook(Database(sys.argv[1]), Holder("child", 1, "here"))
book.take_lock("production", sys.argv[2])
print("held", flush=True)
sys.stdin.read()
"""


def test_a_process_holds_it_while_it_lives_and_leaves_its_change_when_it_is_killed(
    books: tuple[PostgresBook, PostgresBook], database_url: str
) -> None:
    book, _ = books
    child = subprocess.Popen(
        [sys.executable, "-c", _HOLD, database_url, B],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    assert child.stdin is not None
    try:
        assert child.stdout.readline() == "held\n"
        for change in (B, C):
            with pytest.raises(RefusedError, match=r"lock\.held") as caught:
                book.take_lock(ENVIRONMENT, change)
            assert "child (process 1 on here)" in caught.value.fact
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdin.close()
        child.stdout.close()
    with pytest.raises(RefusedError, match=r"lock\.held"):
        book.take_lock(ENVIRONMENT, C)
    assert book.take_lock(ENVIRONMENT, B).holder == ONE.executor


def test_a_message_is_stored_once_and_told_in_order(
    books: tuple[PostgresBook, PostgresBook],
) -> None:
    book, other = books
    messages = tuple(Message(f"key-{number}", f"text {number} “✓”") for number in range(3))
    book.close(replace(DONE, advance=None, messages=messages))
    other.close(replace(DONE, advance=None, messages=(Message("key-0", "something else"),)))
    assert book.unsent() == messages
    book.sent("key-1", "C1/1.2")
    assert other.unsent() == (messages[0], messages[2])


def test_what_was_begun_and_what_was_refused_is_known_by_change(
    books: tuple[PostgresBook, PostgresBook],
) -> None:
    book, _ = books
    assert not book.attempted(B)
    assert B not in book.refused()
    refusal = entry(1, change_id=B, phase=Phase.REFUSAL, result="flags.owner")
    book.close(replace(DONE, advance=None, entries=(refusal,)))
    assert (book.attempted(B), B in book.refused()) == (False, True)
    assert C not in book.refused()
    book.take_lock(ENVIRONMENT, B)
    book.record([entry(2, change_id=B, phase=Phase.INTENT)], RUN)
    assert (book.attempted(B), B in book.refused()) == (True, False)
    assert not book.retriable(B)
    again = entry(3, change_id=B, phase=Phase.REFUSAL, result="change.approvals")
    book.close(replace(DONE, advance=None, entries=(again,)))
    assert (B in book.refused(), book.retriable(B)) == (True, True)


def test_what_a_human_gave_up_before_any_permit_was_never_approved(
    books: tuple[PostgresBook, PostgresBook],
) -> None:
    book, _ = books
    for number, change in enumerate((B, C)):
        book.take_lock(ENVIRONMENT, change)
        if change == C:
            run = replace(RUN, change_id=C)
            book.record([entry(10 + number, change_id=C, phase=Phase.INTENT)], run)
        given_up = entry(20 + number, change_id=change, phase=Phase.SETTLE, result="given_up")
        book.close(replace(DONE, change_id=change, advance=None, entries=(given_up,)))
    assert book.refused() == {B}
    assert not book.retriable(B)
    assert not book.retriable(C)


def test_recent_destructive_changes_count_from_their_intent(
    books: tuple[PostgresBook, PostgresBook],
) -> None:
    book, _ = books
    since = datetime.now(UTC) - timedelta(hours=1)
    book.take_lock(ENVIRONMENT, B)
    mine = entry(1, change_id=B, risk="destructive")
    book.record([mine], RUN)
    book.record([entry(2, change_id=B, risk="destructive", phase=Phase.OUTCOME)], RUN)
    book.record(
        [entry(3, change_id=B, risk="destructive", actor_sub="auth0|2", target="other")], RUN
    )
    book.record([entry(4, change_id=B, target="guarded")], RUN)
    recent = book.recent(ENVIRONMENT, mine.actor_sub, since, "")
    assert (recent.environment, recent.author) == (2, 1)
    later = book.recent(ENVIRONMENT, mine.actor_sub, datetime.now(UTC) + timedelta(hours=1), "")
    assert (later.environment, later.author) == (0, 0)
    assert book.recent("staging", mine.actor_sub, since, "").environment == 0
