"""What a signed-in person may write into the record book from the console: little."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import errors

from ops_actions.adapters.postgres import Database
from ops_actions.adapters.postgres_audit import PostgresAudit
from ops_actions.audit.entry import parse_body
from ops_actions.audit.protocol import verify_log
from tests.support.audit import entry
from tests.support.postgres import acting

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ALICE = "auth0|65f0c1a2b3d4e5f601020301"
BOB = "google-oauth2|113412341234123412341"
VIEWER: Mapping[str, object] = {"sub": ALICE, "ops_roles": ["ops_viewer"]}
FINANCE: Mapping[str, object] = {"sub": ALICE, "ops_roles": ["ops_finance"]}
ADMIN: Mapping[str, object] = {"sub": ALICE, "ops_roles": ["ops_admin"]}

GOOD: Mapping[str, object] = {
    "actor_sub": ALICE,
    "audience": "operations",
    "idempotency_key": "console:ack-1",
    "action": "console.incident.acknowledge",
    "environment": "production",
    "target": "INC-88",
    "result": "done",
    "risk": "safe",
    "phase": "system",
    "detail": {},
}


@pytest.fixture
def owner(database_url: str) -> Iterator[psycopg.Connection]:
    """The migrations' own user, with one entry of an apply in the book."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("select ops_audit_append(%s::text[])", ([entry(1).body()],))
        yield connection


def _ingest(connection: psycopg.Connection, said: Mapping[str, object]) -> int:
    row = connection.execute("select ops_audit_ingest(%s)", (json.dumps(said),)).fetchone()
    assert row is not None
    return int(row[0])


@pytest.mark.parametrize("role", ["ops_viewer", "ops_editor", "ops_finance", "ops_admin"])
def test_whoever_holds_a_role_writes_in_their_own_name_once(
    owner: psycopg.Connection, role: str
) -> None:
    with acting(owner, "authenticated", {"sub": ALICE, "ops_roles": [role]}) as connection:
        assert [_ingest(connection, GOOD) for _ in range(2)] == [2, 2]
        rows = connection.execute("select body from ops_audit where seq = 2").fetchall()
    written = parse_body(rows[0][0])
    assert (written.actor_sub, written.target, written.phase) == (ALICE, "INC-88", "system")


@pytest.mark.parametrize(
    "claims",
    [
        {"sub": ALICE},
        {"sub": ALICE, "ops_roles": []},
        {"sub": ALICE, "ops_roles": None},
        {"sub": ALICE, "ops_roles": ["admin", "authenticated"]},
        {"sub": ALICE, "ops_roles": {"ops": "ops_admin"}},
        {"sub": ALICE, "ops_roles": [["ops_admin"]]},
        {"sub": ALICE, "role": "ops_admin"},
        {"sub": BOB, "ops_roles": ["ops_admin"]},
        {"sub": "", "ops_roles": ["ops_admin"]},
        {"ops_roles": ["ops_admin"]},
        {},
    ],
)
def test_without_a_role_or_in_another_name_nothing_is_written(
    owner: psycopg.Connection, claims: Mapping[str, object]
) -> None:
    with (
        acting(owner, "authenticated", claims) as connection,
        pytest.raises(errors.InsufficientPrivilege),
    ):
        _ingest(connection, GOOD)


@pytest.mark.parametrize("role", ["anon", "service_role"])
def test_no_other_role_of_the_database_calls_it(owner: psycopg.Connection, role: str) -> None:
    with (
        acting(owner, role, ADMIN) as connection,
        pytest.raises(errors.InsufficientPrivilege),
    ):
        _ingest(connection, GOOD)


def test_what_nobody_verified_is_dropped(owner: psycopg.Connection, database_url: str) -> None:
    forged = {
        **GOOD,
        "actor_login": "mara-lind",
        "plan_digest": "sha256:" + "a" * 64,
        "policy_digest": "sha256:" + "b" * 64,
        "commit_sha": "c" * 40,
        "schema": "coh.audit/9",
        "seq": 7,
        "extra": "free text",
    }
    owner.execute("select set_config('request.jwt.claims', %s, false)", (json.dumps(ADMIN),))
    assert _ingest(owner, forged) == 2
    row = owner.execute(
        "select body, num_nulls(actor_login, plan_digest, policy_digest, commit_sha, change_id,"
        " on_behalf_of) from ops_audit where seq = 2"
    ).fetchone()
    assert row is not None
    assert row[1] == 6
    assert not {"extra", "seq"} & json.loads(row[0]).keys()
    database = Database(database_url)
    assert verify_log(PostgresAudit(database)).ok
    database.close()


REFUSED: Mapping[str, object] = {
    "another person": {"actor_sub": BOB},
    "a key of an apply": {"idempotency_key": "change-1:intent"},
    "a key that is free text": {"idempotency_key": "console:two words"},
    "a long key": {"idempotency_key": "console:" + "k" * 100},
    "an action of the catalogue": {"action": "deployment.rollback"},
    "an action that only looks like one": {"action": "console.Mara Lind"},
    "a long action": {"action": "console." + "a_" * 40},
    "an intent": {"phase": "intent"},
    "an outcome": {"phase": "outcome"},
    "a refusal": {"phase": "refusal"},
    "a settled change": {"phase": "settle"},
    "an unknown phase": {"phase": "access"},
    "a destructive risk": {"risk": "destructive"},
    "a change": {"change_id": "change-1"},
    "somebody to act for": {"on_behalf_of": BOB},
    "a detail": {"detail": {"note": "free text"}},
    "no detail at all": {"detail": None},
    "an environment that is free text": {"environment": "Production!"},
    "a long environment": {"environment": "p-" * 20},
    "no environment": {"environment": None},
    "an e-mail address": {"target": "mara.lind@clarivum.example"},
    "markup": {"target": "<!channel>"},
    "a sentence": {"target": "call Mara"},
    "two lines": {"target": "INC-88\n"},
    "a telephone number": {"target": "00351-912-345-678"},
    "a card number": {"target": "card-4111-1111-1111-1111"},
    "a token": {"target": "ghp_abcdefghijklmnopqrstuvwxyz0123456789"},
    "a number hidden in the action": {"action": "console.call.x351912345678"},
    "a long target": {"target": "a-" * 40},
    "an empty target": {"target": ""},
    "a target that is no text": {"target": {"a": 1}},
    "a result that is free text": {"result": "done by Mara"},
    "a long result": {"result": "do_" * 20},
    "no result": {"result": None},
    "an audience that only finance reads": {"audience": "finance"},
    "an unknown audience": {"audience": "everybody"},
    "no audience": {"audience": None},
}


@pytest.mark.parametrize("case", REFUSED)
def test_nothing_else_is_taken(owner: psycopg.Connection, case: str) -> None:
    changed = REFUSED[case]
    assert isinstance(changed, dict)
    with (
        acting(owner, "authenticated", VIEWER) as connection,
        pytest.raises(errors.InsufficientPrivilege),
    ):
        _ingest(connection, {**GOOD, **changed})


@pytest.mark.parametrize("key", GOOD)
def test_no_field_may_be_missing(owner: psycopg.Connection, key: str) -> None:
    with (
        acting(owner, "authenticated", ADMIN) as connection,
        pytest.raises(errors.InsufficientPrivilege),
    ):
        _ingest(connection, {name: value for name, value in GOOD.items() if name != key})


@pytest.mark.parametrize("text", ["", "no JSON", "[]", '"text"', "null"])
def test_what_is_no_object_is_refused(owner: psycopg.Connection, text: str) -> None:
    with (
        acting(owner, "authenticated", ADMIN) as connection,
        pytest.raises((errors.InsufficientPrivilege, errors.DataError)),
    ):
        connection.execute("select ops_audit_ingest(%s)", (text,))


@pytest.mark.parametrize("claims", [FINANCE, ADMIN])
def test_finance_writes_what_finance_reads(
    owner: psycopg.Connection, claims: Mapping[str, object]
) -> None:
    with acting(owner, "authenticated", claims) as connection:
        assert _ingest(connection, {**GOOD, "audience": "finance"}) == 2
        assert connection.execute("select from ops_audit where seq = 2").rowcount == 1
