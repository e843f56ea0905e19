from __future__ import annotations

from typing import TYPE_CHECKING, LiteralString

import psycopg
import pytest

from ops_actions.adapters.postgres import Database
from ops_actions.adapters.postgres_audit import PostgresAudit
from ops_actions.adapters.postgres_lock import ApplyLock, Holder, fence
from ops_actions.errors import RefusedError, UndecidableError
from tests.support.audit import entry

if TYPE_CHECKING:
    from collections.abc import Iterator

ONE = Holder("apply-production", 101, "runner-1")
TWO = Holder("apply-production", 202, "runner-2")


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    yield database
    database.close()


@pytest.fixture
def locks(database: Database) -> Iterator[tuple[ApplyLock, ApplyLock]]:
    """The locks as two processes hold them."""
    pair = ApplyLock(database), ApplyLock(database)
    yield pair
    for lock in pair:
        lock.close()


def run(database: Database, statement: LiteralString) -> None:
    with database.connection() as connection:
        connection.execute(statement)


def test_a_free_lock_is_taken_once_and_given_back(
    locks: tuple[ApplyLock, ApplyLock], database: Database
) -> None:
    one, two = locks
    assert one.acquire("production", "change-1", ONE)
    run(database, "delete from public.ops_apply_lock")
    one.forget("production")
    assert two.acquire("production", "change-2", TWO)


def test_a_living_holder_keeps_everybody_out(locks: tuple[ApplyLock, ApplyLock]) -> None:
    one, two = locks
    one.acquire("production", "change-1", ONE)
    for change in ("change-1", "change-2"):
        with pytest.raises(RefusedError) as caught:
            two.acquire("production", change, TWO)
        assert caught.value.code == "lock.held"
        assert "apply-production (process 101 on runner-1)" in caught.value.fact
        assert "change-1" in caught.value.fact
        assert "coh reconcile --env production" in caught.value.next_step


def test_environments_do_not_wait_for_each_other(locks: tuple[ApplyLock, ApplyLock]) -> None:
    one, two = locks
    assert one.acquire("production", "change-1", ONE)
    assert two.acquire("staging", "change-2", TWO)


def test_the_holder_itself_may_ask_again_but_not_for_another_change(
    locks: tuple[ApplyLock, ApplyLock],
) -> None:
    one, _ = locks
    assert one.acquire("production", "change-1", ONE) is True
    assert one.acquire("production", "change-1", ONE) is False
    with pytest.raises(RefusedError, match=r"lock\.held"):
        one.acquire("production", "change-2", ONE)


def test_a_dead_holder_s_change_is_resumed_and_nothing_else(
    locks: tuple[ApplyLock, ApplyLock],
) -> None:
    one, two = locks
    one.acquire("production", "change-1", ONE)
    one.close()
    with pytest.raises(RefusedError, match=r"lock\.held"):
        two.acquire("production", "change-2", TWO)
    assert two.acquire("production", "change-1", TWO) is False
    with pytest.raises(RefusedError, match="process 202 on runner-2"):
        one.acquire("production", "change-1", ONE)


def test_a_killed_connection_counts_as_dead_and_its_process_is_fenced_off(
    locks: tuple[ApplyLock, ApplyLock], database: Database, database_url: str
) -> None:
    one, two = locks
    log = PostgresAudit(database)

    def fenced(holder: Holder, number: int) -> None:
        log.append([entry(number)], also=lambda t: fence(t, "production", "change-1", holder))

    one.acquire("production", "change-1", ONE)
    fenced(ONE, 1)
    with psycopg.connect(database_url, autocommit=True) as other:
        other.execute(
            "select pg_terminate_backend(pid, 10000) from pg_locks where locktype = 'advisory'"
        )
    assert two.acquire("production", "change-1", TWO) is False
    fenced(TWO, 2)
    with pytest.raises(RefusedError, match=r"lock\.not_held"):
        fenced(ONE, 3)
    assert [record.seq for record in log.tail(9)] == [1, 2]


def test_an_undecidable_change_waits_for_a_human(
    locks: tuple[ApplyLock, ApplyLock], database: Database
) -> None:
    one, two = locks
    one.acquire("production", "change-1", ONE)
    run(database, "update public.ops_apply_lock set state = 'undecidable', note = 'no answer'")
    one.forget("production")
    for lock, holder in ((one, ONE), (two, TWO)):
        for change in ("change-1", "change-2"):
            with pytest.raises(UndecidableError, match="no answer") as caught:
                lock.acquire("production", change, holder)
            assert caught.value.exit_code == 5
    log = PostgresAudit(database)
    with pytest.raises(RefusedError, match=r"lock\.not_held"):
        log.append([entry(9)], also=lambda t: fence(t, "production", "change-1", ONE))
    assert log.tail(9) == ()
