"""A running GitHub emulator and github3.py sessions of several people against it."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import github3

from sandbox.github import SeedFile, Token

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from starlette.applications import Starlette

    from sandbox.emulator.store import Store

Untyped = Any
"""Whatever github3.py returns; it ships no types."""

NAME = "acme/ops"
START = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
APP_ID = 77
ALL = frozenset(
    f"{name}:write"
    for name in (
        "contents",
        "pull_requests",
        "issues",
        "statuses",
        "checks",
        "deployments",
        "members",
        "actions",
    )
)
BOT = "coh-bot[bot]"
TOKENS = {
    "t-alice": Token("alice", scopes=ALL),
    "t-bob": Token("bob", scopes=ALL),
    "t-carol": Token("carol", scopes=ALL),
    "t-reader": Token("reader", scopes=ALL),
    "t-outsider": Token("outsider", scopes=ALL),
    "t-admin": Token("admin", scopes=ALL | {"administration:write"}),
    "t-weak": Token("alice", scopes=frozenset({"contents:read"})),
    "t-brief": Token("alice", scopes=ALL, expires_at=START + timedelta(days=1)),
    "t-bot": Token(BOT, kind="bot", scopes=ALL, app_id=APP_ID),
    "t-app": Token(BOT, kind="app", app_id=APP_ID),
}
FILES: Mapping[str, bytes | SeedFile] = {
    "README.md": b"# Ops\n",
    "infra/flags.yaml": b"flags:\n  a: true\n  b: true\n  c: true\n  d: true\n  e: true\n",
    "scripts/coh": SeedFile(b"#!/bin/sh\nexit 0\n", "100755"),
}


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
    pushes: list[tuple[str, str, str]] = field(default_factory=list)
    actions: list[tuple[int, str]] = field(default_factory=list)

    def login(self, who: str) -> Untyped:
        """Return a github3.py session of a person or the bot."""
        return github3.GitHubEnterprise(self.url, token=f"t-{who}")

    def repo(self, who: str) -> Untyped:
        """Return the repository as a person or the bot sees it."""
        owner, name = NAME.split("/")
        return self.login(who).repository(owner, name)

    def session(self, who: str) -> Untyped:
        """Return the raw HTTP session of a person or the bot."""
        return self.login(who).session

    def api(self, path: str) -> str:
        """Return the address of an API path."""
        return f"{self.url}/api/v3{path}"

    def at(self, path: str) -> str:
        """Return the address of a path below the repository."""
        return self.api(f"/repos/{NAME}{path}")

    def commit(self, who: str, branch: str, files: Mapping[str, bytes | None]) -> str:
        """Commit several files at once on a branch, made from main when missing."""
        repo = self.repo(who)
        heads = {one.name: one.commit.sha for one in repo.branches()}
        parent = heads.get(branch) or heads["main"]
        entries = [_entry(repo, path, content) for path, content in files.items()]
        tree = repo.create_tree(entries, base_tree=parent)
        sha = str(repo.create_commit(f"Change {branch}", tree.sha, [parent]).sha)
        if branch in heads:
            repo.ref(f"heads/{branch}").update(sha)
        else:
            repo.create_ref(f"refs/heads/{branch}", sha)
        return sha

    def pull(self, who: str, branch: str, files: Mapping[str, bytes | None]) -> Untyped:
        """Raise a pull request of one commit."""
        self.commit(who, branch, files)
        return self.repo(who).create_pull(f"Change {branch}", "main", branch, "why")

    def violations(self) -> list[Untyped]:
        """Return answers that broke the contract: bugs of the emulator."""
        return list(self.app.state.contract_log.of("answer"))


def _entry(repo: Untyped, path: str, content: bytes | None) -> dict[str, Any]:
    entry: dict[str, Any] = {"path": path, "mode": "100644", "type": "blob", "sha": None}
    if content is not None:
        entry["sha"] = repo.create_blob(base64.b64encode(content).decode(), "base64")
    return entry
