from __future__ import annotations

import threading
import tracemalloc
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from ops_actions.adapters.postgres import Database
from ops_actions.adapters.postgres_audit import PostgresAudit
from ops_actions.audit.chain import GENESIS, Head
from ops_actions.audit.entry import AuditEntry, Phase, parse_body
from ops_actions.audit.protocol import AuditLog, Transaction, verify_log
from ops_actions.errors import OutsideError, RefusedError
from tests.support.audit import entry

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    yield database
    database.close()


@pytest.fixture
def log(database: Database) -> AuditLog:
    return PostgresAudit(database)


def _count(database: Database) -> int:
    with database.connection() as connection:
        row = connection.execute("select count(*) from ops_audit").fetchone()
    assert row is not None
    return int(row[0])


def test_entries_get_numbers_without_gaps_and_verify(log: AuditLog) -> None:
    assert log.append([entry(1)]) == (1,)
    assert log.head() == verify_log(log).head
    assert log.append([entry(2), entry(3)]) == (2, 3)
    verdict = verify_log(log)
    assert verdict.ok
    assert verdict.checked == 3
    assert verify_log(log, verdict.head).ok


def test_an_empty_log_verifies_and_nothing_appends_nothing(log: AuditLog) -> None:
    assert log.append([]) == ()
    assert log.head() == GENESIS
    assert verify_log(log).ok


def test_what_was_said_reads_back(log: AuditLog) -> None:
    said = entry(
        1,
        key='k "1" \\',
        target='odd "quoted" \\ target',
        detail={"note": 'tab\t, line\n, "ü" \\n'},
    )
    log.append([said])
    [record] = log.tail(1)
    assert parse_body(record.body) == parse_body(said.body())
    with log.stream() as snapshot:
        assert list(snapshot.records) == [record]
        assert snapshot.head == Head(record.seq, record.hash)
    assert verify_log(log).ok


def test_the_same_key_appends_once(log: AuditLog, database: Database) -> None:
    assert log.append([entry(1), entry(2)]) == (1, 2)
    assert log.append([entry(2), entry(3), entry(1), entry(3)]) == (2, 3, 1, 3)
    assert log.append([entry(1, detail={"attempt": 2})]) == (1,)
    assert _count(database) == 3
    assert verify_log(log).ok


@pytest.mark.parametrize("batch", [[entry(9), entry(1, result="other")], [entry(1, target="x")]])
def test_a_key_that_says_something_else_is_refused_whole(
    log: AuditLog, database: Database, batch: Sequence[AuditEntry]
) -> None:
    log.append([entry(1)])
    with pytest.raises(RefusedError, match=r"audit\.key_reused"):
        log.append(batch)
    assert _count(database) == 1
    assert verify_log(log).ok


def test_what_also_happens_stands_or_falls_with_the_entry(
    log: AuditLog, database: Database
) -> None:
    def put(transaction: Transaction, key: str = "one") -> None:
        transaction.execute(
            "insert into ops_outbox (kind, key, payload) values (%s, %s, '{}')", ("slack", key)
        )

    def fail(transaction: Transaction) -> None:
        put(transaction, "two")
        message = "the effect failed"
        raise LookupError(message)

    log.append([entry(1)], also=put)
    with pytest.raises(LookupError):
        log.append([entry(2)], also=fail)
    with pytest.raises(OutsideError, match=r"database\.error"):
        log.append([entry(3)], also=put)
    assert _count(database) == 1
    with database.connection() as connection:
        assert connection.execute("select key from ops_outbox").fetchall() == [("one",)]
    assert log.append([entry(4)]) == (2,)
    assert verify_log(log).ok


def test_a_log_that_only_reads_refuses_to_write(database: Database) -> None:
    log = PostgresAudit(database, read_only=True)
    with pytest.raises(RefusedError, match=r"audit\.read_only"):
        log.append([entry(1)])
    assert log.tail(5) == ()
    assert _count(database) == 0


def test_the_tail_is_the_newest_of_one_environment_oldest_first(log: AuditLog) -> None:
    log.append([entry(n, environment=("staging", "production")[n % 2]) for n in range(1, 9)])
    assert [record.seq for record in log.tail(3)] == [6, 7, 8]
    assert [record.seq for record in log.tail(2, "production")] == [5, 7]


def test_destructive_actions_are_counted_once_each(database: Database) -> None:
    log = PostgresAudit(database)
    risky = {"risk": "destructive", "action": "deployment.rollback"}
    other = "auth0|65f0c1a2b3d4e5f601020305"
    log.append(
        [
            entry(1, **risky),
            entry(2, **risky, phase=Phase.OUTCOME, result="done"),
            entry(3, **risky, target="other"),
            entry(4, **risky, change_id="change-2", actor_sub=other),
            entry(5, **risky, change_id="change-3", phase=Phase.REFUSAL),
            entry(6, **risky, change_id="change-4", environment="staging"),
            entry(7, change_id="change-5"),
        ]
    )
    hour_ago = datetime.now(UTC) - timedelta(hours=1)
    assert log.count_destructive("production", hour_ago) == 3
    assert log.count_destructive("production", hour_ago, other) == 1
    assert log.count_destructive("production", datetime.now(UTC) + timedelta(hours=1)) == 0


def test_a_change_does_not_count_itself(database: Database) -> None:
    log = PostgresAudit(database)
    risky = {"risk": "destructive", "action": "deployment.rollback"}
    log.append(
        [
            entry(1, **risky),
            entry(2, **risky, phase=Phase.OUTCOME, result="failed"),
            entry(3, **risky, change_id="change-2"),
            entry(4, **risky, change_id=None),
            entry(5, **risky, change_id=""),
        ]
    )
    since = datetime.now(UTC) - timedelta(hours=1)
    actor = entry(1).actor_sub
    assert log.count_destructive("production", since) == 4
    assert log.count_destructive("production", since, besides="") == 4
    assert log.count_destructive("production", since, besides="change-1") == 3
    assert log.count_destructive("production", since, actor, besides="change-2") == 3
    assert log.count_destructive("production", since, actor, besides="change-9") == 4


def test_eight_writers_leave_no_gap_and_no_bad_entry(log: AuditLog, database: Database) -> None:
    failures: list[BaseException] = []

    def write(writer: int) -> None:
        try:
            for number in range(100):
                log.append([entry(writer * 1_000 + number)])
        except BaseException as error:
            failures.append(error)
            raise

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    verdict = verify_log(log)
    assert verdict.ok
    assert verdict.checked == 800
    with database.connection() as connection:
        row = connection.execute(
            "select bool_and(recorded_at >= before) from (select recorded_at,"
            " lag(recorded_at) over (order by seq) as before from ops_audit) as pairs"
        ).fetchone()
    assert row == (True,)


def test_the_same_batch_from_many_writers_is_recorded_once(
    log: AuditLog, database: Database
) -> None:
    numbers: list[tuple[int, ...]] = []
    batch = [entry(n) for n in range(20)]
    threads = [threading.Thread(target=lambda: numbers.append(log.append(batch))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert numbers == [tuple(range(1, 21))] * 4
    assert _count(database) == 20


def test_a_reader_may_stop_half_way(log: AuditLog) -> None:
    log.append([entry(n) for n in range(500)])
    with log.stream() as snapshot:
        assert next(snapshot.records).seq == 1
    assert verify_log(log).ok


def test_a_snapshot_does_not_see_what_is_appended_meanwhile(log: AuditLog) -> None:
    log.append([entry(n) for n in range(1, 4)])
    with log.stream() as snapshot:
        log.append([entry(4)])
        assert [record.seq for record in snapshot.records] == [1, 2, 3]
        assert snapshot.head is not None
        assert snapshot.head.seq == 3


def test_a_log_verifies_at_any_moment_while_others_write(log: AuditLog) -> None:
    done = threading.Event()

    def write() -> None:
        number = 0
        while not done.is_set():
            number += 1
            log.append([entry(number)])

    writer = threading.Thread(target=write)
    writer.start()
    try:
        verdicts = [verify_log(log) for _ in range(60)]
    finally:
        done.set()
        writer.join()
    assert {verdict.bad for verdict in verdicts} == {None}
    assert verdicts[-1].checked > verdicts[0].checked


def test_verification_takes_the_same_memory_for_any_length(log: AuditLog) -> None:
    def peak() -> int:
        tracemalloc.start()
        assert verify_log(log).ok
        _, highest = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return highest

    long = {"log": "x" * 1_000}
    log.append([entry(n, detail=long) for n in range(500)])
    few = peak()
    log.append([entry(n, detail=long) for n in range(500, 5_000)])
    assert peak() < 2 * few + 100_000


def test_a_database_without_migrations_says_so(empty_database_url: str) -> None:
    database = Database(empty_database_url)
    with pytest.raises(OutsideError, match=r"database\.not_migrated"):
        PostgresAudit(database).append([entry(1)])
    database.close()
