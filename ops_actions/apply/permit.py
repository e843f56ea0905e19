"""The permit: a value that only a successful comparison can create (invariant 1).

`grant` compares, in this order, and names the first thing that differs:

1. the plan recomputed now has the digest of the plan at the approved head;
2. the run is about this very plan: its commit, and its environment, all of it;
3. the decision is about this very plan and these policies, was made for applying, and it is
   *allow* without a reason against it;
4. the pull request is merged and its head is the one the approvals were given for;
5. the lock of the environment is held by this run;
6. the outside shows what each change expects, or, when an earlier attempt of this same run may
   have got that far, what it desires.
"""

from __future__ import annotations

from dataclasses import InitVar, dataclass
from typing import TYPE_CHECKING

from ops_actions.apply.classify import Standing, classify
from ops_actions.canonical import Json, canonical_text
from ops_actions.decision.model import Decision, Facts, Outcome, Phase
from ops_actions.errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ops_actions.apply.protocol import LockState, RunContext
    from ops_actions.plan.model import Change, Plan

_ONLY_GRANT = object()


class TurnedDownError(RefusedError):
    """The policies say no to this very plan; its code is that of the rule."""


@dataclass(frozen=True, slots=True)
class Permit:
    """Leave to apply exactly one plan, once.

    Attributes:
        plan: what may be done.
        decision: the policies' answer.
        context: the run it is for.
        approvers: logins whose approvals counted, sorted.
        pull_request: number of the merged pull request.
        author: login of its author.
        author_sub: Auth0 subject of its author.
    """

    plan: Plan
    decision: Decision
    context: RunContext
    approvers: tuple[str, ...]
    pull_request: int
    author: str
    author_sub: str
    # Not a field: a copy by `dataclasses.replace` would carry it over to another plan.
    _key: InitVar[object]

    def __post_init__(self, _key: object) -> None:
        """Refuse to exist unless `grant` made it."""
        if _key is not _ONLY_GRANT:
            raise RefusedError(
                "gate.no_permit",
                "a permit was built without the gate's comparison",
                "call ops_actions.apply.permit.grant",
            )


@dataclass(frozen=True, slots=True)
class Evidence:
    """What `grant` compares.

    Attributes:
        approved: plan recomputed at the approved head, from its merge base.
        now: plan recomputed at the merged commit, from its first parent.
        lock: state of the environment's lock.
        live: by `Change.key`, the outside state read under that lock.
        attempted: True when the record book shows an intent of this same run.
    """

    approved: Plan
    now: Plan
    decision: Decision
    facts: Facts
    context: RunContext
    lock: LockState | None
    live: Mapping[str, Json]
    attempted: bool


def grant(evidence: Evidence) -> Permit:
    """Compare everything an approval is bound to and give leave to apply.

    Raises:
        RefusedError: something differs; the code says what, the fact says where.
    """
    for compare in _COMPARISONS:
        compare(evidence)
    request = evidence.facts.pull_request
    return Permit(
        plan=evidence.now,
        decision=evidence.decision,
        context=evidence.context,
        approvers=_approvers(evidence.facts),
        pull_request=request.number,
        author=request.author.login,
        author_sub=request.author.sub or "",
        _key=_ONLY_GRANT,
    )


def _approvers(facts: Facts) -> tuple[str, ...]:
    """Return who approved this head and is neither its author nor its last pusher, for the record.

    Whether they are enough was the policies' question; this only names them.
    """
    request = facts.pull_request
    own = {request.author.login, request.last_pusher.login}
    return tuple(
        sorted(
            review.person.login
            for review in request.reviews
            if review.state == "APPROVED"
            and review.commit == request.head
            and review.person.sub is not None
            and review.person.login not in own
        )
    )


def _same_plan(evidence: Evidence) -> None:
    approved, now = evidence.approved, evidence.now
    if approved.policy_digest != now.policy_digest:
        raise RefusedError(
            "gate.policies_moved",
            f"the policies changed after the branch was cut: approved under "
            f"{approved.policy_digest}, now {now.policy_digest}",
            "update the branch, have it checked and approved again",
        )
    if approved.digest != now.digest:
        raise RefusedError(
            "gate.plan_moved",
            f"the plan changed between approval and merge: approved {approved.digest}, "
            f"now {now.digest}{_first_difference(approved, now)}",
            "raise the change again on top of main",
        )


def _first_difference(approved: Plan, now: Plan) -> str:
    """Name a change that is on one side only."""
    known = {canonical_text(change.document()) for change in approved.changes}
    for change in now.changes:
        if canonical_text(change.document()) not in known:
            return f" (first differing: {change.kind.value} {change.target})"
    return " (a change that was approved is not in the merged commit)"


def _same_run(evidence: Evidence) -> None:
    context, now = evidence.context, evidence.now
    elsewhere = [name for name in now.environments if name != context.environment]
    if context.commit != now.head or elsewhere:
        raise RefusedError(
            "gate.other_run",
            f"the run is about {context.commit} in {context.environment or 'the repository'}, the "
            f"plan about {now.head}{''.join(f' and {name}' for name in elsewhere)}",
            "raise one pull request for each environment",
        )


def _allowed(evidence: Evidence) -> None:
    decision, now = evidence.decision, evidence.now
    if decision.plan_digest != now.digest or decision.policy_digest != now.policy_digest:
        raise RefusedError(
            "gate.decision_of_another_plan",
            f"the decision is about {decision.plan_digest}, the plan is {now.digest}",
            "run coh apply again",
        )
    if evidence.facts.phase is not Phase.APPLY:
        raise RefusedError(
            "gate.decision_of_a_check",
            "the decision was made for a check, which does not see every live fact",
            "run coh apply again",
        )
    missing = any(need.have < need.count for need in decision.approvals)
    if decision.outcome is not Outcome.ALLOW or decision.violations or missing:
        raise TurnedDownError(*_why_not(decision))


def _why_not(decision: Decision) -> tuple[str, str, str]:
    for violation in decision.violations:
        return violation.code, violation.message, violation.solution
    for need in decision.approvals:
        if need.have < need.count:
            return (
                need.code,
                f"{need.have} of {need.count} approvals by {need.role}: {need.why}",
                "ask for the missing approval at the head commit and raise the change again",
            )
    return (
        "gate.not_allowed",
        f"the decision is {decision.outcome.value} without a reason",
        "run coh check and read the card",
    )


def _merged_at_head(evidence: Evidence) -> None:
    request = evidence.facts.pull_request
    if not request.merged:
        raise RefusedError(
            "gate.not_merged",
            f"pull request {request.number} is not merged",
            "merge it; only merged changes are applied",
        )
    if request.head != evidence.approved.head:
        raise RefusedError(
            "gate.head_moved",
            f"pull request {request.number} is at {request.head}, the plan was made at "
            f"{evidence.approved.head}",
            "run coh check again and have the new head approved",
        )


def _locked(evidence: Evidence) -> None:
    lock, context = evidence.lock, evidence.context
    wanted = (context.environment, context.change_id, "held")
    if lock is None or (lock.environment, lock.change_id, lock.state) != wanted:
        raise RefusedError(
            "gate.lock_not_held",
            f"the lock of {context.environment or 'the repository'} is not held by this run",
            "coh reconcile",
        )


def _live_as_expected(evidence: Evidence) -> None:
    for change in evidence.now.changes:
        if change.key not in evidence.live:
            if change.expected_live is None and change.desired_live is None:
                continue
            raise RefusedError(
                "gate.live_unknown",
                f"the live state of {change.target} was not read",
                "coh doctor, then coh apply again",
            )
        _live_matches(change, evidence.live[change.key], attempted=evidence.attempted)


def _live_matches(change: Change, live: Json, *, attempted: bool) -> None:
    standing = classify(change, live)
    untouched = canonical_text(live) == canonical_text(change.expected_live)
    if untouched or (attempted and standing is Standing.DONE):
        return
    raise RefusedError(
        "gate.live_moved",
        f"{change.target} in {change.environment} is not as the change expects it: "
        f"{_difference(change.expected_live, live)}",
        f"coh flag list --env {change.environment}, then raise a change that starts from "
        "what is live",
    )


def _difference(expected: Json, live: Json) -> str:
    """Say what differs by name; a value that people wrote stays where it is."""
    if not isinstance(expected, dict) or not isinstance(live, dict):
        return "it is there" if expected is None else "it is missing or of another form"
    names = sorted(
        name
        for name in expected.keys() | live.keys()
        if canonical_text(expected.get(name)) != canonical_text(live.get(name))
    )
    return ", ".join(f"{name} is {_plain(live.get(name))}" for name in names)


def _plain(value: Json) -> str:
    return canonical_text(value) if value is None or isinstance(value, bool) else "another"


_COMPARISONS: tuple[Callable[[Evidence], None], ...] = (
    _same_plan,
    _same_run,
    _allowed,
    _merged_at_head,
    _locked,
    _live_as_expected,
)
