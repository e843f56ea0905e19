"""`coh infra up` on live services: only what was applied, under the lock, and on the record.

The services are those of a running sandbox behind their addresses; nothing says `--sandbox`. The
checkout that the command runs from is a clone of the hub's repository.
"""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from ops_actions.adapters.postgres import Database
from ops_actions.adapters.postgres_book import PostgresBook
from ops_actions.adapters.postgres_lock import Holder
from ops_actions.apply.protocol import Closing
from ops_actions.flow.bring_up import CHANGE
from sandbox.home import Home
from sandbox.story.stage import Ran
from tests.support.hub import COLLEAGUE, ENGINEER, PRODUCTION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.hub import Hub

STAGING = "staging"
FLAG = "ops_module_webhooks"
FLAGS = f"infra/environments/{PRODUCTION}/flags.yaml"


@dataclass
class Site:
    """A hub, and a checkout of what its main is at."""

    hub: Hub
    checkout: Path
    since: int

    def start(
        self, environment: str = STAGING, login: str | None = ENGINEER, **more: str
    ) -> subprocess.Popen[str]:
        """Start the checkout's own `coh infra up`."""
        own = {"COH_CHECKOUT", "COH_GITHUB_TOKEN", "COH_GITHUB_ACCOUNT"}
        values = {k: v for k, v in self.hub.running.values.items() if k not in own}
        token = {"COH_GITHUB_TOKEN": self.hub.running.tokens[login]} if login else {}
        kept = {n: os.environ[n] for n in ("PATH", "HOME", "COH_OPA", "COH_PULUMI")}
        place = {"PYTHONPATH": str(self.checkout), "PYTHONDONTWRITEBYTECODE": "1"}
        command = [sys.executable, "-P", "-m", "ops_actions.cli", "infra", "up"]
        return subprocess.Popen(
            [*command, "--env", environment],
            cwd=self.checkout,
            env={**kept, **values, **token, **place, **more},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def up(self, environment: str = STAGING, login: str | None = ENGINEER, **more: str) -> Ran:
        """Run the checkout's own `coh infra up`."""
        process = self.start(environment, login, **more)
        out, err = process.communicate(timeout=120)
        return Ran(process.returncode, out, err)

    def git(self, *words: str) -> str:
        identity = ("-c", "user.name=x", "-c", "user.email=x@clarivum.example")
        command = ["git", "-C", str(self.checkout), *identity, *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def follow(self) -> None:
        """Check out what main is at now."""
        self.git("fetch", "--quiet", "origin", "main")
        self.git("checkout", "--quiet", "--detach", "FETCH_HEAD")

    def entries(self) -> list[dict[str, Any]]:
        """Return what the book says of bringing up in this test, in order."""
        query = "select body from ops_audit where change_id = %s and seq > %s order by seq"
        return [json.loads(str(row[0])) for row in self.hub.rows(query, CHANGE, self.since)]

    def results(self) -> list[str]:
        return [str(entry["result"]) for entry in self.entries()]

    def locks(self) -> list[tuple[object, ...]]:
        return self.hub.rows("select environment, change_id, state from ops_apply_lock")

    def refused(self, code: str, environment: str = STAGING) -> str:
        """See that nothing is done, locked or written down."""
        before = self.hub.calls("flagsmith", "PUT", "/"), self.entries(), self.locks()
        ran = self.up(environment)
        assert ran.code == 1, ran.err
        assert f"{code}: " in ran.err
        assert "next: " in ran.err
        assert (self.hub.calls("flagsmith", "PUT", "/"), self.entries(), self.locks()) == before
        return ran.err

    @contextmanager
    def holder(self) -> Iterator[PostgresBook]:
        """Be another process with the same record book."""
        database = Database(self.hub.running.values["COH_DATABASE_URL"])
        book = PostgresBook(database, Holder("another-worker", 1, "another-machine"))
        yield book
        book.leave()
        database.close()


@pytest.fixture
def site(shared_hub: Hub, tmp_path: Path) -> Site:
    source, checkout = Home(shared_hub.folder).repository, tmp_path / "checkout"
    subprocess.run(["git", "clone", "--quiet", str(source), str(checkout)], check=True)
    ((seq,),) = shared_hub.rows("select seq from ops_audit_head")
    assert isinstance(seq, int)
    return Site(shared_hub, checkout, seq)


def test_a_failure_is_written_down_and_gives_the_lock_back(site: Site) -> None:
    site.hub.fault("flagsmith", kind="status", status=500, method="PUT", times=None)
    failed = site.up()
    site.hub.clear_faults("flagsmith")

    assert failed.code == 3, failed.err
    begun, ended = site.results()
    assert begun == "intended"
    assert f"{ended}: " in failed.err
    assert site.locks() == []


def test_a_try_that_died_is_taken_up_by_the_next(site: Site) -> None:
    site.hub.fault("flagsmith", kind="hang", method="PUT", times=None)
    process = site.start()
    try:
        wait_for(lambda: site.results() == ["intended"] and pending(site.hub, STAGING))
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    site.hub.clear_faults("flagsmith")
    assert site.locks() == [(STAGING, CHANGE, "held")]
    waiting = site.hub.quietly("reconcile")
    assert "coh infra up --env staging" in waiting.out

    done = site.up()

    assert done.code == 0, done.err
    assert site.results() == ["intended", "intended", "done"]
    assert site.locks() == []
    assert site.hub.flag(STAGING, FLAG) is not None
    commit = site.git("rev-parse", "HEAD")
    for entry in site.entries():
        what = (entry["phase"], entry["action"], entry["environment"])
        assert what == ("system", "infra.up", STAGING)
        assert (entry["actor_login"], entry["commit_sha"]) == (ENGINEER, commit)
        assert {"op": "create", "type": "opshub:flagsmith:Flag", "name": FLAG} in (
            entry["detail"]["steps"]
        )
    assert site.hub.quietly("audit", "verify").code == 0
    assert site.git("status", "--porcelain") == ""


def test_what_is_there_already_needs_no_person(site: Site) -> None:
    again = site.up(login=None)
    assert again.code == 0, again.err
    assert "staging is as declared." in again.out
    assert site.results() == ["intended", "done"]
    assert site.entries()[-1]["actor_sub"] == f"system:{CHANGE}"


def wait_for(seen: Callable[[], object]) -> None:
    for _ in range(300):
        if seen():
            return
        time.sleep(0.1)
    raise AssertionError("it did not come to that within 30 s")


def pending(hub: Hub, environment: str) -> bool:
    """Tell whether Pulumi has written down that it is in the middle of something."""
    state = Home(hub.folder).pulumi / "state"
    for file in state.rglob(f"stacks/*/{environment}.json.gz"):
        with gzip.open(file, "rt", encoding="utf-8") as stream:
            return "pending_operations" in stream.read()
    return False


def test_a_checkout_that_is_not_what_was_applied_is_refused(site: Site) -> None:
    flags = site.checkout / FLAGS
    kept = flags.read_bytes()

    flags.write_bytes(kept.replace(b"KAIZEN-412", b"KAIZEN-413"))
    assert FLAGS in site.refused("infra.uncommitted")
    flags.write_bytes(kept)
    stray = site.checkout / "infra/database/migrations/9999_stray.sql"
    stray.write_text("select 1;\n", encoding="utf-8")
    assert "9999_stray.sql" in site.refused("infra.uncommitted", PRODUCTION)
    stray.unlink()

    applied = site.git("rev-parse", "HEAD")
    flags.write_bytes(kept.replace(b"KAIZEN-412", b"KAIZEN-413"))
    site.git("commit", "--quiet", "-a", "-m", "Not on main")
    said = site.refused("infra.not_applied", PRODUCTION)
    assert f"git checkout {applied}" in said


def test_nobody_is_overtaken(site: Site) -> None:
    with site.holder() as other:
        other.take_lock(STAGING, "1" * 40)
        said = site.refused("lock.held")
        other.close(Closing((), STAGING, "1" * 40, advance=None, undecidable=None))
    assert "another-worker" in said


def test_the_first_time_there_is_no_book_yet(site: Site, empty_database_url: str) -> None:
    def up() -> Ran:
        return site.up("sandbox", COH_DATABASE_URL=empty_database_url)

    ran = up()

    assert ran.code == 0, ran.err
    assert "There is no record book yet" in ran.err
    database = Database(empty_database_url)
    with database.connection() as connection:
        rows = connection.execute("select body from ops_audit").fetchall()
        held = connection.execute("select 1 from ops_apply_lock").fetchall()
    database.close()
    (entry,) = (json.loads(row[0]) for row in rows)
    assert (entry["result"], entry["detail"]["first"]) == ("done", True)
    assert held == []
    # The cursor comes next; until then a clean checkout is all that can be asked for.
    assert up().code == 0
    (site.checkout / "stray").write_text("x", encoding="utf-8")
    assert "infra.uncommitted: " in up().err


def test_a_sandbox_stays_as_easy_as_it_was(shared_hub: Hub) -> None:
    """From any checkout, in any state; it has no people to protect."""
    ran = shared_hub.quietly("infra", "up", "--env", STAGING, by=COLLEAGUE)
    assert ran.code == 0, ran.err
    assert "staging is as declared." in ran.out


def test_what_was_refused_is_not_brought_up(site: Site) -> None:
    hub = site.hub
    number = hub.raise_toggle(FLAG, enabled=False, reason="Nobody approved this")
    commit = hub.merge(number)
    assert hub.quietly("apply", "--commit", commit).code == 1
    site.follow()

    assert FLAG in site.refused("infra.refused_state", PRODUCTION)
    assert hub.flag(PRODUCTION, FLAG) is True
    # Another environment's declared state has nothing of it.
    assert site.up(STAGING).code == 0

    # The refused value stays in the file when something else is approved on top of it.
    other = hub.merged_toggle("ops_module_audit_feed", enabled=False, reason="Feed is noisy")
    assert hub.quietly("apply", "--commit", other).code == 0
    site.follow()
    assert FLAG in site.refused("infra.refused_state", PRODUCTION)


def test_code_that_was_refused_brings_nothing_up(site: Site) -> None:
    program = "infra/program.py"
    edited = (site.checkout / program).read_bytes() + b"# Nobody approved this\n"
    number = site.hub.raise_files({program: edited}, "ops/mine")
    assert site.hub.quietly("apply", "--commit", site.hub.merge(number)).code == 1
    site.follow()
    for environment in (STAGING, PRODUCTION):
        assert program in site.refused("infra.refused_state", environment)
