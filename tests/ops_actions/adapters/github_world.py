"""A running GitHub emulator over a real bare repository, and hosts of several people on it."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import requests

from ops_actions.adapters.git import GitRepository
from ops_actions.adapters.github import GitHubHost
from ops_actions.adapters.github_session import Patience
from sandbox.emulator import KEY_HEADER, Fault, FaultKind
from sandbox.emulator.serve import running
from sandbox.emulator.store import Store
from sandbox.github import SeedUser, Token, create_app, register_users, seed_repository

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from starlette.applications import Starlette

    from ops_actions.pull_request.model import PullRequestView

NAME = "acme/ops"
KEY = "sandbox-key"
START = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
ALL = frozenset(
    f"{name}:write" for name in ("contents", "pull_requests", "issues", "statuses", "checks")
)
CANARY = "ghp-canary-0123456789abcdefghijklmnopqrstuvwxyz"  # a token that must show up nowhere
BOT = "coh[bot]"
TOKENS = {
    CANARY: Token("alice", scopes=ALL),
    "t-bob": Token("Bob", scopes=ALL),
    "t-carol": Token("carol", scopes=ALL),
    "t-eve": Token("eve", scopes=ALL),
    "t-weak": Token("alice", scopes=frozenset({"contents:read", "pull_requests:read"})),
    "t-bot": Token(BOT, kind="bot", scopes=ALL, app_id=7),
}
FLAGS = "infra/environments/production/flags.yaml"
FILES = {FLAGS: b"flags: {}\n", "README.md": b"# Ops\n", "docs/old.md": b"old\n"}
QUICK = Patience(connect=2.0, read=1.0, retries=2, backoff=0.001, rate_limit=30.0)


@dataclass
class Clock:
    """Time that moves one second at each look, so that order shows in timestamps."""

    now: datetime = START

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


@dataclass
class World:
    """A running emulator."""

    app: Starlette
    url: str
    directory: Path
    clock: Clock
    store: Store
    first: str
    slept: list[float] = field(default_factory=list)
    hosts: list[GitHubHost] = field(default_factory=list)

    @property
    def api_url(self) -> str:
        return f"{self.url}/api/v3"

    @property
    def git(self) -> GitRepository:
        return GitRepository(self.directory)

    def host(
        self,
        token: str = CANARY,
        account: str | None = None,
        *,
        read_only: bool = False,
        sleep: Callable[[float], None] | None = None,
    ) -> GitHubHost:
        """Return the adapter under test, for the account of a token."""
        host = GitHubHost(
            self.api_url,
            NAME,
            token,
            account=account,
            read_only=read_only,
            patience=QUICK,
            clock=self.clock,
            sleep=sleep or self.slept.append,
        )
        self.hosts.append(host)
        return host

    def pull(self, branch: str = "ops/x", content: bytes = b"flags: {a: 1}\n") -> PullRequestView:
        """Raise a pull request as alice."""
        host = self.host()
        host.create_branch_commit("main", branch, {FLAGS: content}, "Change")
        return host.open_pull_request(branch, "main", "Change", "why")

    def push(self, token: str, branch: str) -> str:
        """Move a branch by one commit, as the account of a token, and return its new tip."""
        repository = self.host(token, BOT)._repository
        tip = repository.ref(f"heads/{branch}").object.sha
        blob = repository.create_blob("more", "utf-8")
        entry = {"path": "more.md", "mode": "100644", "type": "blob", "sha": blob}
        tree = repository.create_tree([entry], repository.git_commit(tip).tree.sha)
        made = str(repository.create_commit("More", tree.sha, [tip]).sha)
        repository.ref(f"heads/{branch}").update(made)
        return made

    def fault(self, kind: FaultKind, path: str, **options: int | str | None) -> None:
        """Make the next matching request go wrong."""
        values = {"kind": kind, "path_regex": path, **options}
        self.app.state.faults.arm(Fault.model_validate(values))

    def seen(self) -> list[tuple[str, str]]:
        """Return method and path of every request so far."""
        # Asked over HTTP, not in-process: a request is written down after its answer was sent, and
        # the server gets to this question only after that.
        answer = requests.get(
            f"{self.url}/_sandbox/requests", headers={KEY_HEADER: KEY}, timeout=10
        ).json()
        return [(one["method"], one["path"]) for one in answer["requests"]]


@contextmanager
def github_world(folder: Path, rate_limit: int = 5000) -> Iterator[World]:
    """Run an emulator while the block runs; its own contract is checked at the end."""
    directory, clock = folder / "acme-ops.git", Clock()
    first = seed_repository(directory, FILES, "Start", ("seed", "seed@example.org"), START)
    store = Store(folder / "state.sqlite")
    people = [SeedUser(name) for name in ("alice", "Bob", "carol")]
    people += [SeedUser("eve", "read"), SeedUser(BOT, kind="Bot")]
    register_users(store, people, START)
    app = create_app(
        store,
        repository_dir=directory,
        full_name=NAME,
        clock=clock,
        tokens=TOKENS,
        sandbox_key=KEY,
        rate_limit=rate_limit,
    )
    with running({"github": app}) as urls:
        world = World(app, urls["github"], directory, clock, store, first)
        yield world
        app.state.faults.clear()
        for host in world.hosts:
            host.close()
    store.close()
    assert list(app.state.contract_log.of("answer")) == []
