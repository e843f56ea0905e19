"""Who may do what with the record book: the row-level security matrix on a real Postgres."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import errors, sql

from ops_actions.audit.entry import Audience
from tests.support.audit import entry
from tests.support.postgres import acting, migrate

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ALICE = "auth0|65f0c1a2b3d4e5f601020301"
BOB = "google-oauth2|113412341234123412341"


@pytest.fixture
def owner(database_url: str) -> Iterator[psycopg.Connection]:
    """The migrations' own user, a superuser here, with five entries in the book."""
    bodies = [
        entry(1, actor_sub=ALICE).body(),
        entry(2, actor_sub=BOB).body(),
        entry(3, actor_sub=ALICE, audience=Audience.FINANCE).body(),
        entry(4, actor_sub="system:reconcile", on_behalf_of=ALICE).body(),
        entry(5, actor_sub=BOB, environment="staging").body(),
    ]
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("select ops_audit_append(%s::text[])", (bodies,))
        yield connection


def _seen(connection: psycopg.Connection) -> list[int]:
    return [row[0] for row in connection.execute("select seq from ops_audit order by seq")]


@pytest.mark.parametrize(
    ("claims", "seen"),
    [
        ({"sub": ALICE}, [1, 4]),
        ({"sub": BOB}, [2, 5]),
        ({"sub": "auth0|nobody"}, []),
        ({}, []),
        ({"sub": ""}, []),
        ({"sub": None}, []),
        ({"ops_roles": ["ops_viewer"]}, []),
        ({"sub": ALICE, "ops_roles": []}, [1, 4]),
        ({"sub": ALICE, "ops_roles": ["ops_editor", "ops_viewer"]}, [1, 4]),
        ({"sub": ALICE, "ops_roles": ["ops_finance"]}, [1, 3, 4]),
        ({"sub": BOB, "ops_roles": ["ops_finance"]}, [2, 3, 5]),
        ({"sub": BOB, "ops_roles": ["ops_admin"]}, [1, 2, 3, 4, 5]),
        ({"sub": BOB, "ops_roles": {"role": "ops_admin"}}, [2, 5]),
        ({"sub": BOB, "ops_roles": [["ops_admin"]]}, [2, 5]),
        ({"sub": BOB, "ops_roles": None}, [2, 5]),
        ({"sub": BOB, "role": "ops_admin"}, [2, 5]),
    ],
)
def test_people_read_their_own_and_roles_what_is_theirs(
    owner: psycopg.Connection, claims: Mapping[str, object], seen: list[int]
) -> None:
    with acting(owner, "authenticated", claims) as connection:
        assert _seen(connection) == seen


def test_the_service_reads_everything_and_anon_nothing(owner: psycopg.Connection) -> None:
    with acting(owner, "service_role") as connection:
        assert _seen(connection) == [1, 2, 3, 4, 5]
    with (
        acting(owner, "anon", {"sub": ALICE, "ops_roles": ["ops_admin"]}) as connection,
        pytest.raises(errors.InsufficientPrivilege),
    ):
        _seen(connection)


@pytest.mark.parametrize("role", ["anon", "authenticated", "service_role", "postgres"])
@pytest.mark.parametrize(
    "deed",
    [
        "update ops_audit set target = 'x' where seq = 1",
        "delete from ops_audit where seq = 1",
        "truncate ops_audit",
        "update ops_audit_head set seq = 1",
        "update ops_audit_head set hash = repeat('f', 64)",
        "delete from ops_audit_head",
        "insert into ops_audit_head (singleton, seq, hash) values (true, 9, repeat('f', 64))",
        "truncate ops_audit_head",
    ],
)
def test_nobody_changes_history(owner: psycopg.Connection, role: str, deed: str) -> None:
    with (
        acting(owner, role, {"sub": ALICE, "ops_roles": ["ops_admin"]}) as connection,
        pytest.raises(errors.InsufficientPrivilege),
    ):
        connection.execute(deed.encode())


def test_replica_mode_does_not_switch_the_guards_off(owner: psycopg.Connection) -> None:
    owner.execute("set session_replication_role = replica")
    with pytest.raises(errors.InsufficientPrivilege):
        owner.execute("delete from ops_audit where seq = 1")


@pytest.mark.parametrize("role", ["anon", "authenticated", "service_role"])
def test_nobody_inserts_past_the_function(owner: psycopg.Connection, role: str) -> None:
    with (
        acting(owner, role, {"sub": ALICE}) as connection,
        pytest.raises(errors.InsufficientPrivilege),
    ):
        connection.execute("insert into ops_audit select * from ops_audit")


def test_only_the_service_calls_the_append_function(owner: psycopg.Connection) -> None:
    for role in ("anon", "authenticated"):
        with (
            acting(owner, role, {"sub": ALICE}) as connection,
            pytest.raises(errors.InsufficientPrivilege),
        ):
            connection.execute("select ops_audit_append(%s)", ([entry(6).body()],))
    with acting(owner, "service_role") as connection:
        row = connection.execute("select ops_audit_append(%s)", ([entry(6).body()],)).fetchone()
        assert row == ([6],)


@pytest.mark.parametrize(
    "change",
    [
        ('"action":', '"action":"other","action":'),
        ('"risk":"guarded"', '"risk":"fatal"'),
        ('"phase":"intent"', '"phase":"dream"'),
        ('"schema":"coh.audit/1"', '"schema":"coh.audit/2"'),
        ('"detail":{', '"extra":1,"detail":{'),
        (',"target":"ops_module_webhooks"', ""),
        ('"detail":{', '"detail":{},"action":"flag.disable","detail":{'),
        ('"action":"flag.enable"', '"action" : "flag.enable"'),
        ('"environment":"production"', '"environment":1'),
        ("}", ""),
    ],
)
def test_a_body_in_another_form_is_not_recorded(
    owner: psycopg.Connection, change: tuple[str, str]
) -> None:
    body = entry(6).body()
    assert change[0] in body
    with pytest.raises((errors.IntegrityError, errors.DataError)):
        owner.execute("select ops_audit_append(%s)", ([body.replace(*change)],))
    assert len(_seen(owner)) == 5


@pytest.mark.parametrize("table", ["ops_apply_lock", "ops_apply_cursor", "ops_outbox"])
def test_the_tables_of_an_apply_are_not_for_people(owner: psycopg.Connection, table: str) -> None:
    query = sql.SQL("select count(*) from {}").format(sql.Identifier(table))
    for role in ("anon", "authenticated"):
        with (
            acting(owner, role, {"sub": ALICE, "ops_roles": ["ops_admin"]}) as connection,
            pytest.raises(errors.InsufficientPrivilege),
        ):
            connection.execute(query)
    with acting(owner, "service_role") as connection:
        assert connection.execute(query).fetchone() == (0,)


def test_every_table_forces_row_level_security(owner: psycopg.Connection) -> None:
    rows = owner.execute(
        "select relname from pg_class where relnamespace = 'public'::regnamespace"
        " and relkind = 'r' and not (relrowsecurity and relforcerowsecurity)"
    ).fetchall()
    assert rows == []


def test_an_owner_without_superpowers_can_migrate_and_append(
    owner: psycopg.Connection, empty_database_url: str
) -> None:
    # Like Supabase's `postgres`: not a superuser, and here not even free of row-level security.
    user = "plain_owner"
    if owner.execute("select from pg_roles where rolname = %s", (user,)).rowcount == 0:
        owner.execute("create role plain_owner login")
    with psycopg.connect(empty_database_url, autocommit=True) as connection:
        connection.execute("grant create on schema public to plain_owner")
        connection.execute(
            "do $$ begin execute format('grant create on database %I to plain_owner',"
            " current_database()); end $$"
        )
    url = psycopg.conninfo.make_conninfo(empty_database_url, user=user)
    migrate(url)
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute("select ops_audit_append(%s)", ([entry(1).body()],)).fetchone()
        assert row == ([1],)
        assert _seen(connection) == [1]


def test_supabase_s_own_auth_schema_is_left_alone(empty_database_url: str) -> None:
    with psycopg.connect(empty_database_url, autocommit=True) as connection:
        connection.execute(
            "create schema auth; create function auth.jwt() returns jsonb language sql stable"
            ' as $$ select \'{"sub": "auth0|theirs", "ops_roles": ["ops_admin"]}\'::jsonb $$'
        )
        migrate(empty_database_url)
        row = connection.execute("select ops_subject(), ops_has_role('ops_admin')").fetchone()
        assert row == ("auth0|theirs", True)
        names = connection.execute(
            "select proname from pg_proc where pronamespace = 'auth'::regnamespace"
        ).fetchall()
        assert names == [("jwt",)]
