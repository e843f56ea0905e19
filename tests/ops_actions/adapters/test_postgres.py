from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from ops_actions.adapters.postgres import Database, connect
from ops_actions.errors import BadRequestError, OpsError, OutsideError, RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator

PASSWORD = "canary-pass-word"


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    yield database
    database.close()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (f"postgresql://ops:{PASSWORD}@127.0.0.1:1/ops", "nothing listens there"),
        (f"host=/nowhere user=ops password={PASSWORD} dbname=ops", "nothing listens there"),
        (f"postgresql://ops:{PASSWORD}@no-such-host.invalid/ops", "can't be used"),
    ],
)
def test_an_unreachable_server_is_named_without_its_password(url: str, said: str) -> None:
    with pytest.raises(OutsideError, match=r"database\.unreachable") as caught:
        connect(url)
    assert said in str(caught.value)
    assert PASSWORD not in str(caught.value)
    assert caught.value.__suppress_context__


def test_an_address_that_can_t_be_read_is_refused_without_being_shown() -> None:
    with pytest.raises(BadRequestError, match=r"database\.address") as caught:
        connect(f"postgres:/ops:{PASSWORD}@db/ops")
    assert PASSWORD not in str(caught.value)


def test_a_missing_database_is_said_to_be_missing(postgres_server: str) -> None:
    with pytest.raises(OutsideError, match="no such database or user"):
        connect(make_conninfo(postgres_server, dbname="nowhere"))


def test_a_connection_is_lent_again(database: Database) -> None:
    with database.connection() as first:
        pid = first.info.backend_pid
    with database.connection() as second:
        assert second.info.backend_pid == pid


def test_two_threads_never_share_a_connection(database: Database) -> None:
    pids: list[int] = []
    barrier = threading.Barrier(4, timeout=60)

    def work() -> None:
        with database.connection() as connection:
            barrier.wait()
            pids.append(connection.info.backend_pid)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(pids)) == 4


def test_a_broken_connection_is_not_lent_again(database: Database, database_url: str) -> None:
    with database.connection() as connection:
        pid = connection.info.backend_pid
    with psycopg.connect(database_url, autocommit=True) as other:
        other.execute("select pg_terminate_backend(%s, 10000)", (pid,))
    with (
        pytest.raises(OutsideError, match=r"database\.lost"),
        database.connection() as connection,
    ):
        connection.execute("select 1")
    with database.connection() as connection:
        assert connection.execute("select 1").fetchone() == (1,)


def test_a_transaction_left_open_is_not_lent_again(database: Database) -> None:
    with database.connection() as connection:
        pid = connection.info.backend_pid
        connection.execute("begin")
    with database.connection() as connection:
        assert connection.info.backend_pid != pid


@pytest.mark.parametrize(
    ("query", "kind", "code"),
    [
        ("select * from nowhere", OutsideError, "database.not_migrated"),
        ("select nothing_of_that_name()", OutsideError, "database.not_migrated"),
        ("select 'canary-pass-word'::int", OutsideError, "database.error"),
        ("set role anon; select * from ops_audit", RefusedError, "database.forbidden"),
    ],
)
def test_each_refusal_of_a_statement_has_its_code(
    database: Database, query: str, kind: type[OpsError], code: str
) -> None:
    with pytest.raises(kind) as caught, database.connection() as connection:
        connection.execute(query.encode())
    assert caught.value.code == code
    assert PASSWORD not in str(caught.value)


def test_a_statement_that_takes_too_long_ends_as_lost(database: Database) -> None:
    with pytest.raises(OutsideError) as caught, database.connection() as connection:
        connection.execute("set statement_timeout = '1ms'; select pg_sleep(60)")
    assert caught.value.code == "database.lost"
