"""What a fresh emulator starts with: a first commit, people, teams, Apps."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from sandbox.github.auth import Token
from sandbox.github.git import ZERO, Git
from sandbox.github.gitobjects import Signature, TreeChange
from sandbox.github.hub import HEADS
from sandbox.github.models import Account, App, Role, Team
from sandbox.github.state import State

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from sandbox.emulator.store import Store

__all__ = [
    "SeedApp",
    "SeedFile",
    "SeedTeam",
    "SeedUser",
    "Token",
    "delete_user",
    "register_app",
    "register_team",
    "register_users",
    "seed_repository",
]

PLAIN = "100644"
EXECUTABLE = "100755"


@dataclass(frozen=True)
class SeedFile:
    """A file with an explicit mode, for content that does not come from disk."""

    content: bytes
    mode: Literal["100644", "100755", "120000"] = "100644"


@dataclass(frozen=True)
class SeedUser:
    """A person or bot and the role on the repository."""

    login: str
    role: Role = "write"
    kind: Literal["User", "Bot"] = "User"


@dataclass(frozen=True)
class SeedTeam:
    """A team and its members' roles by login."""

    slug: str
    members: Mapping[str, Literal["member", "maintainer"]]
    permission: str = "push"


@dataclass(frozen=True)
class SeedApp:
    """A GitHub App installed on the organisation.

    Args:
        app_id: number of the App.
        slug: its name; its bot is ``<slug>[bot]``.
        installation_id: number of the installation.
        permissions: name to ``read`` or ``write``.
        public_key: PEM; checks the App's own signed tokens. None: the App can't sign any.
    """

    app_id: int
    slug: str
    installation_id: int
    permissions: Mapping[str, str] = field(default_factory=dict)
    public_key: str | None = None


def seed_repository(
    bare_dir: Path,
    files: Mapping[str, bytes | Path | SeedFile],
    message: str,
    author: tuple[str, str],
    when: datetime,
) -> str:
    """Make the first commit on main of a bare repository, made when missing, and return its name.

    Args:
        bare_dir: the bare repository.
        files: content by path; a file on disk keeps its executable bit.
        message: commit message.
        author: name and e-mail address for author and committer.
        when: time of the commit.

    Raises:
        RefMovedError: the repository already has a main branch.
    """
    git = Git.create(bare_dir)
    tree = git.write_tree(None, [_change(git, path, item) for path, item in files.items()])
    signature = Signature(*author, when)
    sha = git.write_commit(tree, [], message, signature, signature)
    git.move(f"{HEADS}main", new=sha, old=ZERO)
    return sha


def register_users(store: Store, users: Iterable[SeedUser], when: datetime) -> None:
    """Register people and bots; one that exists gets the role named."""
    state = State(store)
    with store.transaction():
        for user in users:
            account = state.ensure_account(user.login, when, kind=user.kind, role=user.role)
            state.accounts.put(account.model_copy(update={"role": user.role, "type": user.kind}))


def delete_user(store: Store, login: str) -> Account:
    """Delete an account: what it wrote stays, with a null user.

    Raises:
        LookupError: there is no such account.
    """
    state = State(store)
    account = state.account(login)
    if account is None:
        raise LookupError(f"no account {login}")
    return state.accounts.put(account.model_copy(update={"deleted": True}))


def register_team(store: Store, team: SeedTeam, when: datetime) -> Team:
    """Register a team, or replace its members."""
    state = State(store)
    with store.transaction():
        found = state.teams.get(team.slug)
        number = state.new_id() if found is None else found.id
        item = Team(
            id=number,
            slug=team.slug,
            name=team.slug,
            permission=team.permission,
            members=dict(team.members),
            created_at=when,
        )
        return state.teams.put(item)


def register_app(store: Store, app: SeedApp, when: datetime) -> App:
    """Register an App with its installation and its bot account."""
    state = State(store)
    with store.transaction():
        state.ensure_account(f"{app.slug}[bot]", when, kind="Bot")
        item = App(
            id=app.app_id,
            slug=app.slug,
            installation_id=app.installation_id,
            permissions=dict(app.permissions),
            public_key=app.public_key,
            created_at=when,
        )
        return state.apps.put(item)


def _change(git: Git, path: str, item: bytes | Path | SeedFile) -> TreeChange:
    if isinstance(item, Path):
        mode = EXECUTABLE if os.access(item, os.X_OK) else PLAIN
        return TreeChange(path, mode, git.write_blob(item.read_bytes()))
    if isinstance(item, bytes):
        return TreeChange(path, PLAIN, git.write_blob(item))
    return TreeChange(path, item.mode, git.write_blob(item.content))
