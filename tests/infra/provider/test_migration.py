"""The migration resource against a real Postgres, without an engine."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import sql

from infra.provider.handler import HandlerError
from infra.provider.lifecycle import Lifecycle
from infra.provider.migration import MigrationHandler
from infra.settings.migrations import read_migrations

if TYPE_CHECKING:
    from infra.clients.transport import Json


def inputs(version: int, name: str, text: str) -> dict[str, Json]:
    digest = hashlib.sha256(text.encode()).hexdigest()
    return {"version": version, "name": name, "sha256": digest, "sql": text}


ONE = inputs(1, "one", "create table one (id int); insert into one values (1);")
TWO = inputs(2, "two", "create table two (id int);")


def count(url: str, table: str) -> int:
    with psycopg.connect(url) as connection:
        query = sql.SQL("select count(*) from {}").format(sql.Identifier(table))
        row = connection.execute(query).fetchone()
    assert row is not None
    return int(row[0])


def test_it_runs_once_and_is_read_back(empty_database_url: str) -> None:
    life = Lifecycle(MigrationHandler(empty_database_url))
    assert life.identify(ONE) == "1"
    assert life.read("1", ONE) is None
    assert life.create(ONE) == ONE
    assert life.create(ONE) == ONE
    assert count(empty_database_url, "one") == 1
    assert life.read("1", ONE) == ONE
    assert life.read("2", TWO) is None


def test_several_at_the_same_time_run_it_once(empty_database_url: str) -> None:
    life = Lifecycle(MigrationHandler(empty_database_url))
    slow = inputs(1, "one", "select pg_sleep(0.3); create table one (id int);")
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(life.create, [slow] * 4))
    assert made == [slow] * 4
    assert count(empty_database_url, "ops_schema_migration") == 1


def test_a_failing_migration_leaves_nothing(empty_database_url: str) -> None:
    life = Lifecycle(MigrationHandler(empty_database_url))
    with pytest.raises(psycopg.Error):
        life.create(inputs(1, "half", "create table half (id int); select 1 / 0;"))
    with psycopg.connect(empty_database_url) as connection:
        found = connection.execute(
            "select to_regclass('half'), to_regclass('ops_schema_migration')"
        ).fetchone()
    assert found == (None, None)


def test_a_gap_is_refused(empty_database_url: str) -> None:
    life = Lifecycle(MigrationHandler(empty_database_url))
    with pytest.raises(HandlerError) as refused:
        life.create(TWO)
    assert refused.value.code == "infra.migration_gap"


def test_an_edited_migration_is_refused_by_check_create_and_update(
    empty_database_url: str,
) -> None:
    life = Lifecycle(MigrationHandler(empty_database_url))
    life.create(ONE)
    edited = inputs(1, "one", "create table one (id bigint);")
    renamed = inputs(1, "uno", str(ONE["sql"]))
    for other in (edited, renamed):
        assert [f.name for f in life.check(ONE, other)] == ["sha256"]
        with pytest.raises(HandlerError, match=r"infra\.migration_edited"):
            life.create(other)
        with pytest.raises(HandlerError, match=r"infra\.migration_edited"):
            life.update(ONE, other)
    assert life.check(ONE, ONE) == ()


def test_an_edit_of_the_ledger_by_hand_is_drift_and_then_refused(empty_database_url: str) -> None:
    life = Lifecycle(MigrationHandler(empty_database_url))
    life.create(ONE)
    with psycopg.connect(empty_database_url) as connection:
        connection.execute("update ops_schema_migration set sha256 = %s", ("0" * 64,))
    found = life.read("1", ONE)
    assert found is not None
    assert life.differ(found, ONE, ()) != ()
    assert life.check(found, ONE)[0].reason.startswith("infra.migration_edited")


def test_a_wait_for_somebody_elses_lock_has_an_end(empty_database_url: str) -> None:
    life = Lifecycle(MigrationHandler(empty_database_url, lock_seconds=1))
    life.create(ONE)
    alter = inputs(2, "alter", "alter table one add column more int;")
    with psycopg.connect(empty_database_url) as other:
        other.execute("select * from one")
        with pytest.raises(HandlerError, match="for 1 s") as refused:
            life.create(alter)
        other.execute("select pg_advisory_lock(%s)", (0x636F685F6D69,))
        with pytest.raises(HandlerError, match="pg_stat_activity"):
            life.create(TWO)
    assert refused.value.code == "infra.database_locked"
    assert life.create(alter) == alter


def test_a_statement_that_never_ends_is_ended(empty_database_url: str) -> None:
    life = Lifecycle(MigrationHandler(empty_database_url, statement_seconds=1))
    with pytest.raises(HandlerError, match="for 1 s") as refused:
        life.create(inputs(1, "slow", "create table slow (id int); select pg_sleep(30);"))
    assert refused.value.code == "infra.database_slow"
    assert life.create(ONE) == ONE


def test_waits_end_without_being_asked_to(empty_database_url: str) -> None:
    text = (
        "create table limits as select current_setting('lock_timeout') as lock,"
        " current_setting('statement_timeout') as statement;"
    )
    Lifecycle(MigrationHandler(empty_database_url)).create(inputs(1, "limits", text))
    with psycopg.connect(empty_database_url) as connection:
        assert connection.execute("select * from limits").fetchone() == ("30s", "10min")


def test_delete_is_refused(empty_database_url: str) -> None:
    life = Lifecycle(MigrationHandler(empty_database_url))
    life.create(ONE)
    with pytest.raises(HandlerError) as refused:
        life.delete(ONE, lambda _: None)
    assert refused.value.code == "infra.migration_removed"
    assert count(empty_database_url, "one") == 1


@pytest.mark.parametrize(
    "text", ["select 1;\nCOMMIT;", "begin;\nselect 1;", "  rollback ;", "start  transaction;"]
)
def test_a_migration_with_its_own_transaction_is_refused(text: str) -> None:
    failures = Lifecycle(MigrationHandler(None)).check({}, inputs(1, "one", text))
    assert [failure.name for failure in failures] == ["sql"]
    assert failures[0].reason.startswith("infra.migration_transaction")


def test_a_wrong_digest_is_refused() -> None:
    failures = Lifecycle(MigrationHandler(None)).check({}, {**ONE, "sha256": "0" * 64})
    assert failures[0].reason.startswith("infra.migration_digest")


def test_the_ledger_is_closed_to_sessions_of_people(empty_database_url: str) -> None:
    life = Lifecycle(MigrationHandler(empty_database_url))
    for one in read_migrations():
        life.create(inputs(one.version, one.name, one.sql))
    with psycopg.connect(empty_database_url) as connection:
        connection.execute("set role authenticated")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("select * from public.ops_schema_migration")


def test_without_access_only_plans_work() -> None:
    with pytest.raises(HandlerError, match="COH_DATABASE_URL"):
        Lifecycle(MigrationHandler(None)).create(ONE)
