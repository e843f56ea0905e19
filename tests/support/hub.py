"""A seeded hub for stories: filled once a session, copied for each test."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import psycopg
import pytest

from infra.settings.edit import set_flag
from infra.settings.environment import file_of
from sandbox import control
from sandbox.home import BOT, Home
from sandbox.story.stage import Ran, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

ENGINEER, COLLEAGUE, ADMIN, SECOND_ADMIN = "tariq-noor", "sofia-berg", "mara-lind", "ines-falk"
PRODUCTION = "production"


class Hub(Stage):
    """A running sandbox with what tests do to it. Everything goes through real APIs."""

    def raise_files(
        self, files: dict[str, bytes | None], branch: str, by: str = ENGINEER, title: str = "t"
    ) -> int:
        """Raise a pull request with these files; returns its number."""
        host = self.host(by)
        host.create_branch_commit("main", branch, files, title)
        return host.open_pull_request(branch, "main", title, "").number

    def raise_toggle(
        self, name: str, *, enabled: bool, reason: str, by: str = ENGINEER, env: str = PRODUCTION
    ) -> int:
        """Raise a pull request that switches a flag, without the command line's start-up time."""
        path = file_of(env, "flags")
        data = self.host(by).read_file(path, "main")
        assert data is not None
        edited = set_flag(data, name, enabled=enabled, reason=reason)
        slug = "".join(c if c.isalnum() else "-" for c in f"{name}-{reason}".lower())[:60]
        return self.raise_files({path: edited}, f"ops/{env}/{slug}", by)

    def approve(self, number: int, by: str = COLLEAGUE) -> None:
        """Approve a pull request at its present head."""
        host = self.host(by)
        host.approve(number, host.pull_request(number).head)

    def merge(self, number: int, by: str = ADMIN) -> str:
        """Merge a pull request; returns the merge commit."""
        host = self.host(by)
        return host.merge(number, host.pull_request(number).head)

    def merged_toggle(
        self, name: str, *, enabled: bool, reason: str, approver: str = COLLEAGUE
    ) -> str:
        """Raise, approve and merge a toggle; returns the merge commit."""
        number = self.raise_toggle(name, enabled=enabled, reason=reason)
        self.approve(number, approver)
        return self.merge(number)

    def quietly(self, *arguments: str, by: str = BOT) -> Ran:
        """Run a command of `coh` without showing it."""
        return self.coh(*arguments, by=by, quiet=True)

    def fault(self, service: str, **fault: object) -> None:
        """Make a service misbehave; see `sandbox.emulator.Fault`."""
        answer = httpx.post(
            f"{self.running.urls[service]}/_sandbox/faults",
            headers={"X-Sandbox-Key": self.running.key},
            json=fault,
        )
        assert answer.is_success, answer.text

    def clear_faults(self, service: str) -> None:
        """Take a service's faults away."""
        httpx.delete(
            f"{self.running.urls[service]}/_sandbox/faults",
            headers={"X-Sandbox-Key": self.running.key},
        ).raise_for_status()

    def contract_violations(self) -> list[object]:
        """Return what broke a contract in any service: always a bug, of a client or an emulator."""
        found: list[object] = []
        for url in self.running.urls.values():
            answer = httpx.get(
                f"{url}/_sandbox/contract", headers={"X-Sandbox-Key": self.running.key}
            )
            found += answer.raise_for_status().json()["violations"]
        return found

    def rows(self, query: str, *parameters: object) -> list[tuple[object, ...]]:
        """Query the hub's database as its owner."""
        with psycopg.connect(
            self.running.values["COH_DATABASE_URL"], autocommit=True
        ) as connection:
            return connection.execute(query.encode(), parameters).fetchall()


@contextmanager
def _folder() -> Iterator[Path]:
    # Short on purpose: a unix socket's path may have 107 bytes.
    folder = Path(tempfile.mkdtemp(prefix="coh-t-"))
    try:
        yield folder / "s"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def seeded() -> Iterator[Path]:
    """Fill a sandbox once; gives its stopped state folder."""
    with _folder() as folder:
        place = Home(folder)
        try:
            ran = Hub(folder, control.up(place)).quietly("sandbox", "seed")
            assert ran.code == 0, ran.err
        finally:
            control.down(place)
        yield folder


@contextmanager
def copied(seeded: Path) -> Iterator[Hub]:
    """Run a copy of a seeded sandbox while the block runs."""
    with _folder() as folder:
        subprocess.run(["cp", "-a", str(seeded), str(folder)], check=True)
        (folder / "ports.json").unlink()
        place = Home(folder)
        try:
            yield Hub(folder, control.up(place))
        finally:
            control.down(place)


@pytest.fixture
def hub(seeded: Path) -> Iterator[Hub]:
    """Give a running, seeded hub of this test's own."""
    with copied(seeded) as running:
        yield running
        assert [v for v in running.contract_violations() if "'answer'" in str(v)] == []


@pytest.fixture(scope="module")
def shared_hub(seeded: Path) -> Iterator[Hub]:
    """Give a running, seeded hub that the tests of a module share, in order."""
    with copied(seeded) as running:
        yield running
