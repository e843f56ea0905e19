"""The emulated GitHub: one repository with its forks, its documents and what follows a push."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sandbox.github.auth import Gate
from sandbox.github.errors import not_found
from sandbox.github.git import ZERO, Git
from sandbox.github.gitobjects import Signature
from sandbox.github.models import Activity, Repository, SeenRef
from sandbox.github.state import State

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from pathlib import Path

    from sandbox.emulator.store import Store
    from sandbox.github.auth import Token
    from sandbox.github.models import Account

    PushHook = Callable[[str, str, str], None]
    PullHook = Callable[[int, str], None]

HEADS = "refs/heads/"
GITHUB = "GitHub"
GITHUB_ADDRESS = "noreply@github.com"


@dataclass(frozen=True)
class Hooks:
    """Who is told of what happened; called after the effect, outside any lock.

    Args:
        on_push: called with before, after and full reference, for the repository itself.
        on_pull_request: called with number and action (opened, synchronize, closed, ...).
    """

    on_push: PushHook | None = None
    on_pull_request: PullHook | None = None


@dataclass
class Hub:
    """Everything one emulator serves; its methods are called with ``lock`` held.

    Args:
        store: where documents are kept.
        repository_dir: the bare repository; forks live beside it in ``forks/<owner>.git``.
        name: owner and name of the repository.
        clock: gives the current time in UTC.
        tokens: what each token stands for.
        hooks: who is told of pushes and pull requests.
        rate_limit: requests per token and hour.
    """

    store: Store
    repository_dir: Path
    name: str
    clock: Callable[[], datetime]
    tokens: Mapping[str, Token]
    hooks: Hooks
    rate_limit: int
    lock: threading.RLock = field(default_factory=threading.RLock)

    def __post_init__(self) -> None:
        self.state = State(self.store)
        self.gate = Gate(self.state, self.tokens, self.clock, self.rate_limit)
        self._gits: dict[str, Git] = {}
        self._events: list[Callable[[], None]] = []
        self.owner = self.name.partition("/")[0]
        now = self.clock()
        self.state.ensure_account(self.owner, now, kind="Organization")
        for token in self.tokens.values():
            kind = "User" if token.kind == "user" else "Bot"
            self.state.ensure_account(token.login, now, kind=kind)
        if self.state.repositories.get(self.name) is None:
            main = Repository(full_name=self.name, id=self.state.new_id(), created_at=now)
            self.state.repositories.put(main)
        Git.create(self.repository_dir)

    def full_name(self, name: str) -> str:
        """Return a repository's name as it was registered.

        Raises:
            ApiError: 404, there is no such repository.
        """
        return self.repository(name).full_name

    def repository(self, name: str) -> Repository:
        """Return a repository by owner and name, in any case.

        Raises:
            ApiError: 404, there is no such repository.
        """
        found = self.state.repositories.get(name.lower())
        if found is None:
            raise not_found()
        return found

    def directory(self, name: str) -> Path:
        """Return where a repository lies on disk."""
        if name == self.name:
            return self.repository_dir
        return self.repository_dir.parent / "forks" / f"{name.partition('/')[0]}.git"

    def git(self, name: str) -> Git:
        """Return the git repository of a full name."""
        if name not in self._gits:
            self._gits[name] = Git(self.directory(name))
        return self._gits[name]

    def signature(self, login: str) -> Signature:
        """Return what a commit says of an account: its private address, never a real one."""
        account = self.state.ensure_account(login, self.clock())
        return Signature(account.login, address(account), self.clock())

    def web_signature(self) -> Signature:
        """Return the committer of merges made on GitHub itself."""
        return Signature(GITHUB, GITHUB_ADDRESS, self.clock())

    def account_of(self, signature: Signature) -> Account | None:
        """Return the account a commit's address belongs to, if any."""
        found = self.state.visible(signature.name)
        return found if found is not None and address(found) == signature.email else None

    def tip(self, name: str, branch: str) -> str | None:
        """Return the commit a branch of a repository is at, or None."""
        ref = f"{HEADS}{branch}"
        return self.git(name).refs(ref).get(ref)

    def later(self, event: Callable[[], None]) -> None:
        """Keep an event until the request is finished."""
        self._events.append(event)

    def take_events(self) -> list[Callable[[], None]]:
        """Hand over the events kept so far."""
        events, self._events = self._events, []
        return events

    def announce(self, number: int, action: str) -> None:
        """Tell the pull request hook, once the request is finished."""
        hook = self.hooks.on_pull_request
        if hook is not None:
            self.later(lambda: hook(number, action))

    def note_push(self, push: Push) -> None:
        """Write a reference update down and tell the push hook, once the request is finished."""
        self.state.activity.put(
            Activity(
                id=self.state.new_id(),
                repository=push.repository,
                ref=push.ref,
                before=push.before,
                after=push.after,
                actor=push.actor,
                activity_type=push.activity_type(self.git(push.repository)),
                timestamp=self.clock(),
            )
        )
        seen = SeenRef(repository=push.repository, ref=push.ref, sha=push.after)
        self.state.seen.put(seen)
        hook = self.hooks.on_push
        if hook is not None and push.repository == self.name:
            self.later(lambda: hook(push.before, push.after, push.ref))

    def last_pusher(self, name: str, ref: str) -> str | None:
        """Return who last moved a reference; None when nobody can be named."""
        moves = [a for a in self.state.activity.all() if a.repository == name and a.ref == ref]
        return moves[-1].actor if moves else None


@dataclass(frozen=True)
class Push:
    """One move of one reference; ``actor`` None when it came past the API."""

    repository: str
    ref: str
    before: str
    after: str
    actor: str | None
    merge: bool = False

    def activity_type(self, git: Git) -> str:
        """Return GitHub's word for this kind of move."""
        if self.merge:
            return "pr_merge"
        if self.before == ZERO:
            return "branch_creation"
        if self.after == ZERO:
            return "branch_deletion"
        return "push" if git.is_ancestor(self.before, self.after) else "force_push"


def address(account: Account) -> str:
    """Return the no-reply address GitHub gives an account."""
    return f"{account.id}+{account.login}@users.noreply.github.com"
