"""Facts that go to the policies and the decision that comes back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    from ops_actions.canonical import Json


class Phase(StrEnum):
    """When the question is asked; at apply every fact must be there, live ones included."""

    CHECK = "check"
    APPLY = "apply"


class Outcome(StrEnum):
    """The answer."""

    ALLOW = "allow"
    DENY = "deny"
    NEEDS_APPROVAL = "needs_approval"


class AccountKind(StrEnum):
    """What stands behind a GitHub account; only a user ever counts."""

    USER = "user"
    BOT = "bot"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody on GitHub, matched with the people list of the base commit.

    Attributes:
        login: GitHub login, lower case; empty for a deleted account.
        sub: Auth0 subject, None when the people list does not know the login.
        roles: roles valid now according to the people list, sorted.
    """

    login: str
    kind: AccountKind
    sub: str | None
    roles: tuple[str, ...]

    def document(self) -> dict[str, Json]:
        """Return the JSON form that policies read."""
        return {
            "login": self.login,
            "kind": self.kind.value,
            "sub": self.sub,
            "roles": list(self.roles),
        }


@dataclass(frozen=True, slots=True)
class Review:
    """The latest verdict of one person on a pull request.

    Attributes:
        state: GitHub's word: APPROVED, CHANGES_REQUESTED, DISMISSED or COMMENTED.
        commit: head commit it was given for.
    """

    person: Person
    state: str
    commit: str


@dataclass(frozen=True, slots=True)
class PullRequestFacts:
    """What GitHub knows of the pull request.

    Attributes:
        head: its head commit when the facts were read.
        last_pusher: who moved the head last; kind ``unknown`` when GitHub can't tell.
        mergeable: None when GitHub has not worked it out; after the merge it is True.
    """

    number: int
    author: Person
    last_pusher: Person
    head: str
    base_branch: str
    from_fork: bool
    draft: bool
    merged: bool
    mergeable: bool | None
    reviews: tuple[Review, ...]


@dataclass(frozen=True, slots=True)
class GateState:
    """Whether a destructive gate is on.

    Attributes:
        declared: value in the base commit's flags file, None when it is not declared there.
        live: value read from Flagsmith; None when it was not read (a check has no credentials).
    """

    declared: bool | None
    live: bool | None


@dataclass(frozen=True, slots=True)
class RecentActions:
    """Destructive actions in the hour before now, counted from the audit log."""

    environment: int
    author: int


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything a decision may depend on besides the plan. The same facts give the same decision.

    Attributes:
        now: the moment of the decision, UTC.
        recent: by environment; None when the audit log was not asked (only at check).
        gates: by flag name; every gate that a change of the plan names must be in it.
    """

    phase: Phase
    now: datetime
    pull_request: PullRequestFacts
    gates: Mapping[str, GateState]
    recent: Mapping[str, RecentActions] | None


@dataclass(frozen=True, slots=True)
class Violation:
    """One reason for a no.

    Attributes:
        code: ``<domain>.<rule>`` of the policy, or ``engine.<what>`` for a fail-closed answer.
        target: target of the change it is about, empty for the whole pull request.
    """

    code: str
    severity: str
    message: str
    solution: str
    target: str


@dataclass(frozen=True, slots=True)
class ApprovalNeed:
    """An approval that a rule asks for.

    Attributes:
        count: how many people.
        role: role each of them needs, or ``any`` for any role.
        have: how many eligible approvals there are.
        why: reason in plain words.
    """

    code: str
    count: int
    role: str
    have: int
    why: str
    target: str


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer for a whole plan.

    Attributes:
        plan_digest: the plan it is about.
        policy_digest: the policies that gave it.
        rules: sorted codes of all rules that took part.
    """

    outcome: Outcome
    plan_digest: str
    policy_digest: str
    violations: tuple[Violation, ...]
    approvals: tuple[ApprovalNeed, ...]
    rules: tuple[str, ...]

    @property
    def distinct_approvals(self) -> tuple[ApprovalNeed, ...]:
        """The approvals without repetition: one approval covers every change that asks for it.

        One that several changes ask for names no target.
        """
        seen: dict[tuple[object, ...], ApprovalNeed] = {}
        for one in self.approvals:
            key = (one.code, one.role, one.count, one.have, one.why)
            seen[key] = replace(one, target="") if key in seen else one
        return tuple(seen.values())

    @property
    def distinct_violations(self) -> tuple[Violation, ...]:
        """The violations without repetition: what is said of fifty changes is said once."""
        seen: dict[tuple[str, str], Violation] = {}
        for one in self.violations:
            key = (one.code, one.message)
            seen[key] = replace(one, target="") if key in seen else one
        return tuple(seen.values())


@dataclass(frozen=True, slots=True)
class Bundle:
    """The policies of one commit, ready for the engine.

    Attributes:
        folder: holds the policy files.
        digest: digest over them.
    """

    folder: Path
    digest: str


class Bundles(Protocol):
    """Gives the policies of a commit."""

    def at(self, commit: str) -> Bundle:
        """Return the policies of a commit.

        Raises:
            RefusedError: the commit has no policies; nothing can be judged.
        """


class PolicyEngine(Protocol):
    """What this step needs of OPA."""

    def decide(self, bundle: Path, document: Json, timeout: float) -> Json:
        """Evaluate the decision rule of a policy folder for an input document.

        Args:
            bundle: folder that holds the policies of the base commit.
            document: the input.
            timeout: seconds to wait at most.

        Returns:
            The value of ``data.ops.main.decisions``, None when it is undefined.

        Raises:
            OutsideError: the engine is missing, too old, dead, slow, or answered nonsense.
        """


__all__ = [
    "AccountKind",
    "ApprovalNeed",
    "Bundle",
    "Bundles",
    "Decision",
    "Facts",
    "GateState",
    "Outcome",
    "Person",
    "Phase",
    "PolicyEngine",
    "PullRequestFacts",
    "RecentActions",
    "Review",
    "Violation",
]
