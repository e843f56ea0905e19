"""`coh audit` on a real Postgres: the head to keep, the kept head, and what it says to a forger."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from ops_actions.adapters.postgres import Database
from ops_actions.adapters.postgres_audit import PostgresAudit
from ops_actions.wiring.place import ROOT
from tests.support.audit import entry

if TYPE_CHECKING:
    from collections.abc import Iterator

_CUT = """
    alter table ops_audit disable trigger all;
    alter table ops_audit_head disable trigger all;
    delete from ops_audit where seq > 2;
    update ops_audit_head set seq = 2, hash = (select hash from ops_audit where seq = 2)"""


@dataclass
class Desk:
    """A log of three entries, and the command line beside it."""

    url: str
    log: PostgresAudit

    def coh(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        return subprocess.run(
            [sys.executable, "-m", "ops_actions.cli", "audit", *arguments],
            cwd=ROOT,
            env={**kept, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", "COH_DATABASE_URL": self.url},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def json(self, *arguments: str) -> list[dict[str, Any]]:
        document = json.loads(self.coh(*arguments, "--json").stdout)
        found: list[dict[str, Any]] = document[list(document)[1]]
        return found

    def vandalise(self, deed: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(deed.encode())


@pytest.fixture
def desk(database_url: str) -> Iterator[Desk]:
    database = Database(database_url)
    log = PostgresAudit(database)
    log.append([entry(n, environment=("staging", "production")[n % 2]) for n in (1, 2, 3)])
    yield Desk(database_url, log)
    database.close()


@pytest.fixture
def empty_desk(database_url: str) -> Iterator[Desk]:
    database = Database(database_url)
    yield Desk(database_url, PostgresAudit(database))
    database.close()


def test_both_commands_print_the_head_and_verify_takes_it(desk: Desk) -> None:
    head = str(desk.log.head())
    tail, verify = desk.coh("tail", "--env", "staging"), desk.coh("verify")
    assert (tail.returncode, verify.returncode) == (0, 0)
    assert f"Head: {head}" in tail.stdout.splitlines()
    assert f"Head: {head}" in verify.stdout.splitlines()
    assert "--from shows it" in verify.stderr

    desk.log.append([entry(4)])
    later = desk.coh("verify", "--from", head)
    assert later.returncode == 0
    assert "4 entries in one chain, past the kept head of entry 3" in later.stdout
    assert later.stderr == ""


def test_the_head_is_in_every_json(desk: Desk) -> None:
    head = str(desk.log.head())
    entries = desk.json("tail")
    (verdict,) = desk.json("verify")
    assert [each["head"].split(":")[0] for each in entries] == ["1", "2", "3"]
    assert entries[-1]["head"] == head
    assert verdict == {"intact": True, "checked": 3, "head": head, "kept": None, "bad": None}
    (later,) = desk.json("verify", "--from", entries[0]["head"])
    assert (later["intact"], later["kept"]) == (True, entries[0]["head"])


def test_an_empty_log_has_a_head_too(empty_desk: Desk) -> None:
    head = "0:" + "0" * 64
    assert f"Head: {head}" in empty_desk.coh("tail").stdout
    assert empty_desk.coh("verify", "--from", head).returncode == 0


def test_a_log_that_was_cut_is_named_by_the_kept_head(desk: Desk) -> None:
    head = str(desk.log.head())
    desk.vandalise(_CUT)
    assert desk.coh("verify").returncode == 0
    ran = desk.coh("verify", "--from", head)
    assert ran.returncode == 1
    assert ran.stderr.startswith("audit.tampered: entry 3 and those after it are missing")
    assert "next: change nothing in the database; coh audit verify --from SEQ:HASH" in ran.stderr
    (verdict,) = desk.json("verify", "--from", head)
    assert (verdict["intact"], verdict["bad"]) == (False, {"seq": 3, "what": "cut"})


def test_another_hash_at_the_kept_place_is_named(desk: Desk) -> None:
    ran = desk.coh("verify", "--from", "2:" + "f" * 64)
    assert ran.returncode == 1
    assert "entry 2 is not the kept one: the log was cut or rewritten at or before it" in ran.stderr


def test_a_log_without_a_head_is_no_whole_log(desk: Desk) -> None:
    desk.vandalise("alter table ops_audit_head disable trigger all; delete from ops_audit_head")
    ran = desk.coh("verify")
    assert ran.returncode == 1
    assert ran.stderr.startswith("audit.head_missing: ")
    assert "backup" not in ran.stderr
    assert "Head: none is recorded, run coh audit verify" in desk.coh("tail").stdout


def test_an_edited_entry_is_named(desk: Desk) -> None:
    desk.vandalise(
        "alter table ops_audit disable trigger all;"
        " alter table ops_audit alter body drop not null;"
        " update ops_audit set body = null where seq = 2"
    )
    ran = desk.coh("verify")
    assert ran.returncode == 1
    assert "entry 2 is bad (hash); the 1 before it hang together" in ran.stderr
    shown = desk.coh("tail")
    assert shown.returncode == 1
    assert "audit.tampered: the body of entry 2 can't be read" in shown.stderr


@pytest.mark.parametrize("text", ["3", "3:abc", "abc", "0:" + "a" * 64])
def test_what_is_no_head_is_a_bad_request(desk: Desk, text: str) -> None:
    ran = desk.coh("verify", "--from", text)
    assert ran.returncode == 2
    assert ran.stderr.startswith("audit.kept_head: ")
    assert "next: give it as `coh audit verify`" in ran.stderr
