"""Migrations through the real engine into a real database."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import psycopg
import pytest

from infra.settings.migrations import Migration, read_migrations
from ops_actions.errors import OutsideError, RefusedError
from tests.support.pulumi_shim.world import World, apply_all, flagsmith_world, settings_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SETTINGS = settings_of({})


def migration(version: int, name: str, sql: str) -> Migration:
    return Migration(version, name, hashlib.sha256(sql.encode()).hexdigest(), sql)


FIRST = migration(1, "one", "create table one (id int primary key);")
SECOND = migration(2, "two", "alter table one add column two int; insert into one values (1, 2);")
BROKEN = migration(3, "three", "create table three (id int); select no_such_function();")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with flagsmith_world(tmp_path) as made:
        yield made


def rows(url: str, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(query.encode()).fetchall()


def test_migrations_run_in_order_once_and_stay_as_they_ran(
    world: World, empty_database_url: str
) -> None:
    url = empty_database_url
    engine = world.engine(url)
    steps = engine.preview(SETTINGS, (FIRST, SECOND))
    names = [step.name for step in steps if step.type == "opshub:supabase:Migration"]
    assert names == ["0001_one", "0002_two"]
    engine.up(SETTINGS, (FIRST, SECOND), None, steps)
    assert rows(url, "select id, two from one") == [(1, 2)]
    ledger = "select version, name, sha256 from ops_schema_migration order by version"
    expected = [(1, "one", FIRST.sha256), (2, "two", SECOND.sha256)]
    assert rows(url, ledger) == expected
    assert engine.preview(SETTINGS, (FIRST, SECOND), refresh=True) == ()

    edited = migration(2, "two", "alter table one add column two bigint;")
    with pytest.raises(RefusedError) as refused:
        engine.preview(SETTINGS, (FIRST, edited))
    assert refused.value.code == "infra.migration_edited"
    assert "0002_two" in refused.value.fact

    with pytest.raises(OutsideError, match="no_such_function"):
        apply_all(engine, SETTINGS, (FIRST, SECOND, BROKEN))
    assert rows(url, ledger) == expected
    assert rows(url, "select to_regclass('three')") == [(None,)]

    with pytest.raises(RefusedError) as removed:
        apply_all(engine, SETTINGS, (FIRST,))
    assert removed.value.code == "infra.migration_removed"
    assert rows(url, ledger) == expected


def test_a_lost_state_takes_over_the_database_as_it_is(
    world: World, empty_database_url: str
) -> None:
    apply_all(world.engine(empty_database_url), SETTINGS, (FIRST, SECOND))
    for path in sorted((world.folder / "state").rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    engine = world.engine(empty_database_url)
    apply_all(engine, SETTINGS, (FIRST, SECOND))
    assert rows(empty_database_url, "select count(*) from one") == [(1,)]
    assert engine.preview(SETTINGS, (FIRST, SECOND), refresh=True) == ()


def test_the_hubs_own_migrations_run_on_an_empty_database(
    world: World, empty_database_url: str
) -> None:
    engine = world.engine(empty_database_url)
    apply_all(engine, SETTINGS, read_migrations())
    found = rows(empty_database_url, "select to_regclass('public.ops_audit') is not null")
    assert found == [(True,)]
