"""Typed access to the emulator's documents in the store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from sandbox.github import models

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sandbox.emulator.store import Store

Model = TypeVar("Model", bound=models.Stored)
FIRST_ID = 1000
"""Account, team and review numbers start above this, so that they never look like a pull number."""


class Collection(Generic[Model]):
    """The documents of one kind.

    Args:
        store: where they are kept.
        name: collection name in the store.
        model: their type.
        key: what finds one of them again.
    """

    def __init__(
        self, store: Store, name: str, model: type[Model], key: Callable[[Model], str | int]
    ) -> None:
        self._store = store
        self._name = name
        self._model = model
        self._key = key

    def get(self, key: str | int) -> Model | None:
        """Return the document, or None."""
        document = self._store.get(self._name, key)
        return None if document is None else self._model.model_validate(document)

    def put(self, document: Model) -> Model:
        """Insert or replace the document and return it."""
        self._store.put(self._name, self._key(document), document.model_dump(mode="json"))
        return document

    def all(self) -> list[Model]:
        """Return every document in the order of creation."""
        return [self._model.model_validate(document) for document in self._store.all(self._name)]

    def delete(self, key: str | int) -> bool:
        """Remove a document; tell whether there was one."""
        return self._store.delete(self._name, key)


class State:
    """Everything the emulator remembers besides the git repositories."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.accounts = Collection(store, "accounts", models.Account, lambda a: a.login.lower())
        self.repositories = Collection(
            store, "repositories", models.Repository, lambda r: r.full_name.lower()
        )
        self.teams = Collection(store, "teams", models.Team, lambda t: t.slug)
        self.pulls = Collection(store, "pulls", models.Pull, lambda p: p.number)
        self.comments = Collection(store, "comments", models.Comment, lambda c: c.id)
        self.labels = Collection(store, "labels", models.Label, lambda item: item.name.lower())
        self.check_runs = Collection(store, "check_runs", models.CheckRun, lambda c: c.id)
        self.activity = Collection(store, "activity", models.Activity, lambda a: a.id)
        self.seen = Collection(
            store, "seen_refs", models.SeenRef, lambda s: f"{s.repository}:{s.ref}"
        )
        self.deployments = Collection(store, "deployments", models.Deployment, lambda d: d.id)
        self.environments = Collection(store, "environments", models.Environment, lambda e: e.name)
        self.rulesets = Collection(store, "rulesets", models.Ruleset, lambda r: r.id)
        self.protections = Collection(store, "protections", models.Protection, lambda p: p.branch)
        self.apps = Collection(store, "apps", models.App, lambda a: a.id)
        self.tokens = Collection(store, "issued_tokens", models.IssuedToken, lambda t: t.digest)

    def reviews(self, pull: int) -> Collection[models.Review]:
        """Return the reviews of one pull request."""
        return Collection(self.store, f"reviews/{pull}", models.Review, lambda r: r.id)

    def statuses(self, sha: str) -> Collection[models.Status]:
        """Return the statuses of one commit."""
        return Collection(self.store, f"statuses/{sha}", models.Status, lambda s: s.id)

    def deployment_statuses(self, deployment: int) -> Collection[models.DeploymentStatus]:
        """Return the statuses of one deployment."""
        name = f"deployment_statuses/{deployment}"
        return Collection(self.store, name, models.DeploymentStatus, lambda s: s.id)

    def new_id(self) -> int:
        """Return a number no other object of the emulator has."""
        return FIRST_ID + self.store.next_id("ids")

    def new_number(self) -> int:
        """Return the next pull request number: 1, 2, 3, ..."""
        return self.store.next_id("numbers")

    def account(self, login: str) -> models.Account | None:
        """Return the account of a login, in any case; None when unknown."""
        return self.accounts.get(login.lower())

    def visible(self, login: str | None) -> models.Account | None:
        """Return the account as answers show it: None for nobody and for a deleted account."""
        account = None if login is None else self.account(login)
        return None if account is None or account.deleted else account

    def ensure_account(
        self, login: str, when: datetime, *, kind: str = "User", role: models.Role = "write"
    ) -> models.Account:
        """Return the account, made first when there is none."""
        found = self.account(login)
        if found is not None:
            return found
        fields = {"login": login, "id": self.new_id(), "type": kind, "role": role}
        return self.accounts.put(models.Account.model_validate({**fields, "created_at": when}))
