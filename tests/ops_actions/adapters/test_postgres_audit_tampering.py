"""Each way to change history that a superuser has, and what the verifier says to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import sql

from ops_actions.adapters.postgres import Database
from ops_actions.adapters.postgres_audit import PostgresAudit
from ops_actions.audit.chain import BadEntry
from ops_actions.audit.entry import COLUMNS
from ops_actions.audit.protocol import AuditLog, verify_log
from tests.support.audit import entry

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    yield database
    database.close()


@pytest.fixture
def log(database: Database) -> AuditLog:
    return PostgresAudit(database)


@pytest.fixture
def vandal(database_url: str) -> Iterator[psycopg.Connection]:
    """A superuser who has switched off what stands in the way."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        for table in ("ops_audit", "ops_audit_head"):
            connection.execute(f"alter table {table} disable trigger all".encode())
            for kind in ("c", "p"):
                rows = connection.execute(
                    "select conname from pg_constraint where conrelid = %s::regclass"
                    " and contype = %s",
                    (table, kind),
                ).fetchall()
                for (name,) in rows:
                    connection.execute(f'alter table {table} drop constraint "{name}"'.encode())
        for column in COLUMNS_NOT_NULL:
            connection.execute(f"alter table ops_audit alter {column} drop not null".encode())
        for column in ("singleton", "seq", "hash"):
            connection.execute(f"alter table ops_audit_head alter {column} drop not null".encode())
        yield connection


COLUMNS_NOT_NULL = (
    "seq", "recorded_at", "environment", "actor_sub", "action", "target", "risk", "phase", "result",
    "audience", "idempotency_key", "body", "prev_hash", "hash",
)  # fmt: skip


_EDIT_BODY = "update ops_audit set body = replace(body, 'webhooks', 'campaigns') where seq = 5"
_EDIT_COLUMN = "update ops_audit set actor_login = 'li-wen' where seq = 5"
_SWAP = """
    update ops_audit set seq = 1005 where seq = 5;
    update ops_audit set seq = 5 where seq = 6;
    update ops_audit set seq = 6 where seq = 1005"""
_RESEAL = """
    update ops_audit set body = replace(body, 'webhooks', 'campaigns') where seq = 5;
    update ops_audit set target = replace(target, 'webhooks', 'campaigns') where seq = 5;
    update ops_audit set hash = encode(sha256(convert_to(concat_ws(e'\\n', 'coh.audit/1', seq,
      to_char(recorded_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), prev_hash, body),
      'UTF8')), 'hex') where seq = 5"""


# A row like the fifth, with another number and key.
_FORGE = """
    alter table ops_audit drop constraint ops_audit_idempotency_key_key;
    create temporary table forged as select * from ops_audit where seq = 5;
    update forged set seq = {seq};
    insert into ops_audit select * from forged"""
# From the fifth entry on all is written anew, as the append function would, and the head set.
_REWRITE = """
    update ops_audit set target = 'other', body = replace(body, 'ops_module_webhooks', 'other')
      where seq >= 5;
    do $$
    declare
      row record; last text;
    begin
      select hash into last from ops_audit where seq = 4;
      for row in select * from ops_audit where seq >= 5 order by seq loop
        update ops_audit set prev_hash = last, hash = encode(sha256(convert_to(concat_ws(e'\\n',
          'coh.audit/1', seq, to_char(recorded_at at time zone 'UTC',
          'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), last, body), 'UTF8')), 'hex')
          where seq = row.seq returning hash into last;
      end loop;
      update ops_audit_head set hash = last;
    end $$"""
_CUT = """
    delete from ops_audit where seq > 7;
    update ops_audit_head set seq = 7, hash = (select hash from ops_audit where seq = 7)"""
_EMPTIED = "truncate ops_audit; update ops_audit_head set seq = 0, hash = repeat('0', 64)"
_REPLAYED = f"{_EMPTIED}; select ops_audit_append(array(select body from kept order by seq))"  # noqa: S608 - constants
_BEFORE_CHRIST = """
    update ops_audit set recorded_at = (to_char(recorded_at at time zone 'UTC',
      'YYYY-MM-DD HH24:MI:SS.US') || '+00 BC')::timestamptz where seq = 5"""
_INHERIT = """
    create table more () inherits (ops_audit);
    insert into more select * from ops_audit where seq = 5"""
# Own functions and operators in front of those that a verifier must use.
_SHADOW = """
    update ops_audit set actor_login = 'li-wen' where seq = 5;
    create schema evil;
    create function evil.to_json(text) returns json language sql as $$ select '"x"'::json $$;
    create or replace function public.ops_audit_opening(
      action text, actor_login text, actor_sub text, audience text, change_id text,
      commit_sha text) returns text language sql stable as $$
      select split_part(body, '{"after"', 1) from ops_audit where seq = 5 $$;
    do $$ begin execute format('alter database %I set search_path = evil, public, pg_catalog',
      current_database()); end $$"""


@pytest.mark.parametrize(
    ("deed", "bad"),
    [
        (_EDIT_BODY, BadEntry(5, "hash")),
        (_EDIT_COLUMN, BadEntry(5, "column actor_login")),
        ("update ops_audit set on_behalf_of = 'auth0|x' where seq = 5",
         BadEntry(5, "column on_behalf_of")),
        ("update ops_audit set commit_sha = null where seq = 5", BadEntry(5, "column commit_sha")),
        ("update ops_audit set target = e'a\\tb\\\\\"' where seq = 5",
         BadEntry(5, "column target")),
        ("update ops_audit set action = 'a\"b' where seq = 5", BadEntry(5, "columns")),
        ("update ops_audit set body = body || e'\\n\\t' where seq = 5", BadEntry(5, "hash")),
        ("update ops_audit set recorded_at = recorded_at - interval '1 microsecond' where seq = 5",
         BadEntry(5, "hash")),
        ("update ops_audit set hash = repeat('f', 64) where seq = 5", BadEntry(5, "hash")),
        ("update ops_audit set prev_hash = repeat('f', 64) where seq = 5", BadEntry(5, "link")),
        (_RESEAL, BadEntry(6, "link")),
        ("delete from ops_audit where seq = 5", BadEntry(5, "gap")),
        ("delete from ops_audit where seq = 1", BadEntry(1, "gap")),
        (_SWAP, BadEntry(5, "link")),
        ("delete from ops_audit where seq > 7", BadEntry(8, "head")),
        ("delete from ops_audit", BadEntry(1, "head")),
        ("update ops_audit_head set seq = 7", BadEntry(8, "head")),
        ("update ops_audit_head set hash = repeat('f', 64)", BadEntry(10, "head")),
        ("update ops_audit_head set seq = -3", BadEntry(1, "head")),
        ("update ops_audit_head set seq = 70", BadEntry(11, "head")),
        ("update ops_audit_head set hash = null", BadEntry(11, "no head")),
        ("update ops_audit_head set seq = null", BadEntry(11, "no head")),
        ("delete from ops_audit_head", BadEntry(11, "no head")),
        ("truncate ops_audit_head", BadEntry(11, "no head")),
        ("insert into ops_audit_head select true, seq, hash from ops_audit_head",
         BadEntry(11, "no head")),
        ("truncate ops_audit", BadEntry(1, "head")),
        ("truncate ops_audit, ops_audit_head", BadEntry(1, "no head")),
        ("update ops_audit set recorded_at = recorded_at - interval '1 day' where seq = 5",
         BadEntry(5, "hash")),
        (_BEFORE_CHRIST, BadEntry(5, "hash")),
        ("update ops_audit set recorded_at = 'infinity' where seq = 5", BadEntry(5, "hash")),
        (_FORGE.format(seq=0), BadEntry(0, "extra")),
        (_FORGE.format(seq=-9), BadEntry(-9, "extra")),
        (_FORGE.format(seq="null"), BadEntry(0, "extra")),
        (_FORGE.format(seq=5), BadEntry(5, "extra")),
        (_FORGE.format(seq=11), BadEntry(11, "link")),
        (_FORGE.format(seq=12), BadEntry(11, "gap")),
        (_INHERIT, BadEntry(5, "extra")),
        (_SHADOW, BadEntry(5, "column actor_login")),
    ],
)  # fmt: skip
def test_tampering_is_named_with_the_first_bad_entry(
    log: AuditLog, vandal: psycopg.Connection, deed: str, bad: BadEntry
) -> None:
    log.append([entry(n) for n in range(1, 11)])
    assert verify_log(log).ok
    vandal.execute(deed.encode())
    assert verify_log(log).bad == bad


def _set(vandal: psycopg.Connection, column: str, value: str | None) -> None:
    query = sql.SQL("update ops_audit set {} = %s where seq = 5").format(sql.Identifier(column))
    vandal.execute(query, (value,))


@pytest.mark.parametrize(
    ("column", "what"),
    [
        *((name, "columns") for name in COLUMNS_NOT_NULL if name in COLUMNS),
        ("recorded_at", "hash"),
        ("body", "hash"),
        ("hash", "hash"),
        ("prev_hash", "link"),
    ],
)
def test_an_emptied_column_is_named(
    log: AuditLog, vandal: psycopg.Connection, column: str, what: str
) -> None:
    log.append([entry(n) for n in range(1, 11)])
    _set(vandal, column, None)
    assert verify_log(log).bad == BadEntry(5, what)
    assert [record.seq for record in log.tail(6)] == [5, 6, 7, 8, 9, 10]


@pytest.mark.parametrize("column", COLUMNS)
def test_a_changed_column_is_named(log: AuditLog, vandal: psycopg.Connection, column: str) -> None:
    log.append([entry(n, on_behalf_of="auth0|one") for n in range(1, 11)])
    _set(vandal, column, "other")
    assert verify_log(log).bad == BadEntry(5, f"column {column}")


@pytest.mark.parametrize(
    ("deed", "bad"),
    [
        (_REWRITE, BadEntry(8, "rewritten")),
        (_CUT, BadEntry(8, "cut")),
        (_EMPTIED, BadEntry(1, "cut")),
        (_REPLAYED, BadEntry(8, "rewritten")),
    ],
    ids=["rewritten", "cut", "emptied", "replayed"],
)  # fmt: skip
def test_what_only_a_kept_head_can_show(
    log: AuditLog, vandal: psycopg.Connection, deed: str, bad: BadEntry
) -> None:
    log.append([entry(n) for n in range(1, 9)])
    kept = log.head()
    log.append([entry(9), entry(10)])
    assert verify_log(log, kept).ok
    vandal.execute("create temporary table kept as select * from ops_audit")

    vandal.execute(deed.encode())

    assert verify_log(log).ok
    assert verify_log(log, kept).bad == bad


def test_a_log_whose_head_is_gone_has_none(log: AuditLog, vandal: psycopg.Connection) -> None:
    log.append([entry(1)])
    vandal.execute("delete from ops_audit_head")
    assert log.head() is None
    assert verify_log(log).bad == BadEntry(2, "no head")
