"""A plan: what a change set will do to the world, in an order and a form that hash stably."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ops_actions.canonical import Json, digest


class Verb(StrEnum):
    """What happens to the target of a change."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"
    ACT = "act"


class Risk(StrEnum):
    """How bad a wrong change would be; it decides how many people must approve."""

    SAFE = "safe"
    GUARDED = "guarded"
    DESTRUCTIVE = "destructive"


class Kind(StrEnum):
    """What sort of thing a change touches; each kind has one effect that carries it out."""

    FLAG = "flag"
    ACCESS = "access"
    PLATFORM = "platform"
    ACTION = "action"
    GUARDRAIL = "guardrail"
    DOCUMENT = "document"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that will happen to one target.

    Attributes:
        environment: ``sandbox``, ``staging`` or ``production``; empty for guardrail and document.
        target: name of the flag, sub of the person, name of the action's target, or path.
        path: the file of the repository that asks for it.
        before: declared value at the base commit, None when there was none.
        after: declared value at the head commit; for an action its whole request.
        expected_live: what the outside world must show right before the change runs; None when
            nothing must exist yet or nothing outside is touched.
        desired_live: what the outside world must show right after.
        summary: what happens, in plain words for a reviewer.
        inverse: how to take it back, or why that can't be done.
        reversible: whether the inverse is a change of its own.
        action: name in the catalogue for kind ``action``, else None.
        gate: flag that must be on for it, or None.
    """

    verb: Verb
    kind: Kind
    risk: Risk
    environment: str
    target: str
    path: str
    before: Json
    after: Json
    expected_live: Json
    desired_live: Json
    summary: str
    inverse: str
    reversible: bool
    action: str | None = None
    gate: str | None = None

    @property
    def key(self) -> str:
        """Name of the change within its plan: one file asks for a target once."""
        return f"{self.path}#{self.target}"

    @property
    def sort_key(self) -> tuple[int, str, str, str, str]:
        """Order: destroyed things first, then by environment, kind, target and path."""
        order = (Verb.DELETE, Verb.REPLACE, Verb.ACT, Verb.UPDATE, Verb.CREATE)
        return (order.index(self.verb), self.environment, self.kind, self.target, self.path)

    def document(self) -> dict[str, Json]:
        """Return the change as the JSON document that is hashed, judged and shown."""
        return {
            "verb": self.verb.value,
            "kind": self.kind.value,
            "risk": self.risk.value,
            "environment": self.environment,
            "target": self.target,
            "path": self.path,
            "before": self.before,
            "after": self.after,
            "expected_live": self.expected_live,
            "desired_live": self.desired_live,
            "summary": self.summary,
            "inverse": self.inverse,
            "reversible": self.reversible,
            "action": self.action,
            "gate": self.gate,
        }


@dataclass(frozen=True, slots=True)
class Plan:
    """All changes of one change set, sorted, with the policies that judge them.

    The digest leaves the two commit ids out on purpose: the same changes from the same expected
    state under the same policies are the same plan, also after an unrelated merge moved the base
    (docs/adr/0004-plan-digest.md). The head commit is bound by the approvals themselves.

    Attributes:
        base: commit whose declared state the change starts from.
        head: commit that asks for it.
        policy_digest: digest of the policy files at the base commit.
        changes: sorted by `Change.sort_key`.
    """

    base: str
    head: str
    policy_digest: str
    changes: tuple[Change, ...]

    @property
    def digest(self) -> str:
        """Digest over changes and policies; equal digests do equal things under equal rules."""
        return digest(
            {
                "schema": "coh.plan/1",
                "policy_digest": self.policy_digest,
                "changes": [change.document() for change in self.changes],
            }
        )

    @property
    def environments(self) -> tuple[str, ...]:
        """The environments it touches, sorted, without the empty name."""
        return tuple(sorted({c.environment for c in self.changes if c.environment}))

    @property
    def risk(self) -> Risk:
        """The worst risk of its changes; an empty plan is safe."""
        order = (Risk.SAFE, Risk.GUARDED, Risk.DESTRUCTIVE)
        return max((c.risk for c in self.changes), key=order.index, default=Risk.SAFE)
