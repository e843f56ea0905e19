"""The documents the emulator keeps, typed and frozen."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

Role = Literal["none", "read", "triage", "write", "maintain", "admin"]
ROLES: tuple[Role, ...] = ("none", "read", "triage", "write", "maintain", "admin")
"""Repository roles, weakest first."""
GHOST = "ghost"
"""The login GitHub shows where an account was deleted and a user can't be null."""


class Stored(BaseModel):
    """Base of every stored document."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Account(Stored):
    """A person, bot or organisation; a deleted one is null in reviews, comments and activity."""

    login: str
    id: int
    type: Literal["User", "Bot", "Organization"] = "User"
    role: Role = "write"
    deleted: bool = False
    created_at: datetime


class Repository(Stored):
    """The repository or one of its forks."""

    full_name: str
    id: int
    parent: str | None = None
    private: bool = True
    default_branch: str = "main"
    created_at: datetime


class Team(Stored):
    """A team of the organisation with its members' roles (member or maintainer) by login."""

    id: int
    slug: str
    name: str
    permission: str = "push"
    members: dict[str, Literal["member", "maintainer"]] = {}
    created_at: datetime


class Pull(Stored):
    """A pull request; ``base_sha`` is the base tip when the head was last pushed."""

    number: int
    id: int
    title: str
    body: str | None
    author: str
    draft: bool = False
    state: Literal["open", "closed"] = "open"
    head_repository: str
    head_ref: str
    head_sha: str
    base_ref: str
    base_sha: str
    created_at: datetime
    updated_at: datetime
    closed_at: datetime | None = None
    merged_at: datetime | None = None
    merged_by: str | None = None
    merge_commit_sha: str | None = None
    labels: tuple[str, ...] = ()
    reviewers: tuple[str, ...] = ()
    team_reviewers: tuple[str, ...] = ()
    maintainer_can_modify: bool = False


class Review(Stored):
    """One review; ``commit_id`` is the head it was given on and never follows later pushes."""

    id: int
    pull: int
    author: str
    state: Literal["PENDING", "APPROVED", "CHANGES_REQUESTED", "COMMENTED", "DISMISSED"]
    body: str
    commit_id: str
    submitted_at: datetime | None


class Comment(Stored):
    """A comment on a pull request's conversation."""

    id: int
    issue: int
    author: str
    body: str
    created_at: datetime
    updated_at: datetime


class Label(Stored):
    """A label of the repository; colour is six hexadecimal digits."""

    id: int
    name: str
    color: str = "ededed"
    description: str | None = None


class Status(Stored):
    """A commit status, never changed once posted."""

    id: int
    sha: str
    state: Literal["error", "failure", "pending", "success"]
    context: str
    description: str | None
    target_url: str | None
    creator: str
    created_at: datetime


class CheckRun(Stored):
    """A check run of one GitHub App."""

    id: int
    name: str
    head_sha: str
    status: str
    conclusion: str | None = None
    external_id: str | None = None
    details_url: str | None = None
    started_at: datetime
    completed_at: datetime | None = None
    title: str | None = None
    summary: str | None = None
    text: str | None = None
    annotations: tuple[dict[str, Any], ...] = ()
    app_id: int


class Activity(Stored):
    """One reference update; ``actor`` None means that nobody can be named for it."""

    id: int
    repository: str
    ref: str
    before: str
    after: str
    actor: str | None
    activity_type: Literal["push", "force_push", "branch_creation", "branch_deletion", "pr_merge"]
    timestamp: datetime


class SeenRef(Stored):
    """Where a branch was when the emulator last looked."""

    repository: str
    ref: str
    sha: str


class Deployment(Stored):
    """A deployment of one commit to one environment."""

    id: int
    sha: str
    ref: str
    task: str
    environment: str
    description: str | None
    payload: dict[str, Any] | str
    creator: str
    transient_environment: bool = False
    production_environment: bool = False
    created_at: datetime


class DeploymentStatus(Stored):
    """One step in the life of a deployment."""

    id: int
    deployment: int
    state: str
    description: str = ""
    environment: str
    environment_url: str = ""
    log_url: str = ""
    target_url: str = ""
    creator: str
    created_at: datetime


class Environment(Stored):
    """A deployment environment; ``wait_timer`` is in minutes, reviewers are ids with their kind."""

    id: int
    name: str
    wait_timer: int = 0
    prevent_self_review: bool = False
    reviewers: tuple[dict[str, Any], ...] = ()
    deployment_branch_policy: dict[str, bool] | None = None
    created_at: datetime
    updated_at: datetime


class Ruleset(Stored):
    """A repository ruleset; conditions, rules and bypass actors keep GitHub's own shape."""

    id: int
    name: str
    target: str = "branch"
    enforcement: Literal["disabled", "active", "evaluate"]
    bypass_actors: tuple[dict[str, Any], ...] = ()
    conditions: dict[str, Any] = {}
    rules: tuple[dict[str, Any], ...] = ()
    created_at: datetime
    updated_at: datetime


class Protection(Stored):
    """Classic protection of one branch, in the shape of its PUT request."""

    branch: str
    settings: dict[str, Any]


class App(Stored):
    """A GitHub App and its one installation; the key checks the App's own signed tokens."""

    id: int
    slug: str
    installation_id: int
    permissions: dict[str, str]
    public_key: str | None = None
    created_at: datetime


class IssuedToken(Stored):
    """An installation token that was handed out; kept by digest, never in clear."""

    digest: str
    app_id: int
    permissions: dict[str, str]
    expires_at: datetime
