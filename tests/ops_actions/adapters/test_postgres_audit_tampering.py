"""Each way to change history that a superuser has, and what the verifier says to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from ops_actions.adapters.postgres import Database
from ops_actions.adapters.postgres_audit import PostgresAudit
from ops_actions.audit.chain import BadEntry
from ops_actions.audit.protocol import AuditLog, verify_log
from ops_actions.errors import OutsideError
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
        yield connection


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
    ],
)  # fmt: skip
def test_tampering_is_named_with_the_first_bad_entry(
    log: AuditLog, vandal: psycopg.Connection, deed: str, bad: BadEntry
) -> None:
    log.append([entry(n) for n in range(1, 11)])
    assert verify_log(log).ok
    vandal.execute(deed.encode())
    assert verify_log(log).bad == bad


def test_a_log_whose_head_is_gone_is_not_called_good(
    log: AuditLog, vandal: psycopg.Connection
) -> None:
    log.append([entry(1)])
    vandal.execute("delete from ops_audit_head")
    with pytest.raises(OutsideError, match=r"audit\.head_missing"):
        verify_log(log)
