"""From the engine's answer to a decision; whatever isn't plainly an allow is a deny.

The engine answers for each change by its index. A deny of one change denies the plan, then a
missing approval holds it up. An answer that is absent, odd or contradicts itself is a deny with a
code ``engine.<what>``, and so is an engine that can't be asked: `decide` answers, it doesn't raise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ops_actions.decision.bundle import policy_digest, read_bundle, rules_of
from ops_actions.decision.document import change_documents, input_document
from ops_actions.decision.model import ApprovalNeed, Decision, Outcome, Violation
from ops_actions.errors import OutsideError, RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from ops_actions.canonical import Json
    from ops_actions.decision.model import Facts, PolicyEngine
    from ops_actions.plan.model import Change, Plan

CHUNK: Final = 500
"""Changes per question: enough to make the engine's start cheap, few enough to keep memory flat."""

TIMEOUT: Final = 30.0
"""Seconds that one question may take."""

OF_THE_POLICIES: Final = ("engine.capabilities", "engine.policies")
"""What the engine says when the policies are at fault, not the engine itself."""

_NEXT = "Run `coh doctor`; the policies and their engine must answer before anything can go on."


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class _ViolationAnswer(_Strict):
    code: str
    severity: Literal["error", "warning"]
    msg: str
    solution: str
    target: str

    def as_violation(self) -> Violation:
        return Violation(self.code, self.severity, self.msg, self.solution, self.target)


class _ApprovalAnswer(_Strict):
    code: str
    count: Annotated[int, Field(ge=1)]
    role: Annotated[str, Field(min_length=1)]
    have: Annotated[int, Field(ge=0)]
    why: str
    target: str

    def as_need(self) -> ApprovalNeed:
        return ApprovalNeed(self.code, self.count, self.role, self.have, self.why, self.target)


class _Answer(_Strict):
    """The answer on one change, as ``coh.policy-decision/1`` writes it."""

    schema_name: Annotated[Literal["coh.policy-decision/1"], Field(alias="schema")]
    outcome: Literal["allow", "deny", "needs_approval"]
    violations: list[_ViolationAnswer]
    approvals: list[_ApprovalAnswer]
    rules_evaluated: list[str]


@dataclass(frozen=True, slots=True)
class _Verdict:
    """The reasons that a checked answer gives; none of them, and no open approval, is an allow."""

    violations: tuple[Violation, ...] = ()
    approvals: tuple[ApprovalNeed, ...] = ()


def interpret(raw: Json, plan: Plan, expected_rules: frozenset[str]) -> Decision:
    """Turn the engine's answer on all changes of a plan into a decision.

    Args:
        raw: value of ``data.ops.main.decisions``, None when undefined.
        plan: the plan that was asked about; an empty one is allowed, there is nothing to do.
        expected_rules: codes of the rules that must have taken part.
    """
    return _conclude(plan, _read(raw, plan.changes, expected_rules), expected_rules)


def decide(
    engine: PolicyEngine, bundle: Path, plan: Plan, facts: Facts, *, timeout: float = TIMEOUT
) -> Decision:
    """Judge a plan with the policies of its base commit.

    Args:
        engine: who evaluates the policies.
        bundle: folder that stands for ``policies/`` at the base commit.
        plan: what will happen; its policy digest must be that of the bundle.
        facts: everything else that the decision may depend on.
        timeout: seconds that one question of up to `CHUNK` changes may take.

    Returns:
        The decision, a deny when the policies or the engine can't be used.
    """
    if not plan.changes:
        return _conclude(plan, (), frozenset())
    try:
        files = read_bundle(bundle)
        rules = rules_of(files)
        found = policy_digest(files)
        if found != plan.policy_digest:
            fact = f"the plan names the policies {plan.policy_digest}, the folder holds {found}"
            return _refused(plan, "bundle", fact)
        verdicts = _ask(engine, bundle, plan, facts, rules, timeout)
    except RefusedError as error:
        return _refused(plan, "bundle", error.fact)
    except OutsideError as error:
        what = "policies" if error.code in OF_THE_POLICIES else "unavailable"
        return _refused(plan, what, f"{error.code}: {error.fact}")
    return _conclude(plan, verdicts, rules)


def _ask(  # noqa: PLR0913, PLR0917
    engine: PolicyEngine,
    bundle: Path,
    plan: Plan,
    facts: Facts,
    rules: frozenset[str],
    timeout: float,
) -> list[_Verdict]:
    document = input_document(plan, facts)
    verdicts: list[_Verdict] = []
    for start in range(0, len(plan.changes), CHUNK):
        changes = plan.changes[start : start + CHUNK]
        question = {**document, "changes": change_documents(changes)}
        verdicts += _read(engine.decide(bundle, question, timeout), changes, rules)
    return verdicts


def _read(raw: Json, changes: Sequence[Change], rules: frozenset[str]) -> list[_Verdict]:
    """Check the answer on some changes; one verdict per change."""
    if not changes:
        return []
    if raw is None:
        return [_odd("undefined", "the policies gave no answer", "")] * len(changes)
    if not isinstance(raw, Mapping):
        fact = f"the answer is a {type(raw).__name__}, not a map"
        return [_odd("shape", fact, "")] * len(changes)
    expected = [str(index) for index in range(len(changes))]
    if set(raw) != set(expected):
        fact = f"the policies answered on {len(raw)} of {len(changes)} changes, or on others"
        return [_odd("index", fact, "")] * len(changes)
    return [
        _read_one(raw[index], change, rules)
        for index, change in zip(expected, changes, strict=True)
    ]


def _read_one(raw: Json, change: Change, rules: frozenset[str]) -> _Verdict:
    try:
        answer = _Answer.model_validate(raw)
    except ValidationError as error:
        place = error.errors(include_url=False, include_input=False)[0]["loc"]
        what = place[0] if place and place[0] in {"schema", "outcome"} else "shape"
        where = ".".join(map(str, place)) or "the whole answer"
        return _odd(str(what), f"the answer is wrong at {where}", change.target)
    if set(answer.rules_evaluated) != rules or not rules:
        differing = ", ".join(sorted(rules ^ set(answer.rules_evaluated))) or "there are none"
        fact = f"the rules that took part are not the expected: {differing}"
        return _odd("rules", fact, change.target)
    named = {v.code for v in answer.violations} | {a.code for a in answer.approvals}
    unknown = named - rules
    if unknown:
        fact = f"the answer names unknown rules: {', '.join(sorted(unknown))}"
        return _odd("unknown_code", fact, change.target)
    if answer.outcome != _outcome_of(answer):
        fact = f"the answer says {answer.outcome} but its reasons say {_outcome_of(answer)}"
        return _odd("inconsistent", fact, change.target)
    return _Verdict(
        tuple(v.as_violation() for v in answer.violations),
        tuple(a.as_need() for a in answer.approvals),
    )


def _outcome_of(reasons: _Answer | _Verdict) -> Outcome:
    if reasons.violations:
        return Outcome.DENY
    if any(approval.have < approval.count for approval in reasons.approvals):
        return Outcome.NEEDS_APPROVAL
    return Outcome.ALLOW


def _conclude(plan: Plan, verdicts: Iterable[_Verdict], rules: frozenset[str]) -> Decision:
    """Join verdicts; equal reasons of several changes are said once."""
    given = tuple(verdicts)
    violations = {violation for verdict in given for violation in verdict.violations}
    approvals = {approval for verdict in given for approval in verdict.approvals}
    joined = _Verdict(
        tuple(sorted(violations, key=lambda v: (v.code, v.target, v.message))),
        tuple(sorted(approvals, key=lambda a: (a.code, a.target, a.role, a.count, a.have))),
    )
    return Decision(
        outcome=_outcome_of(joined),
        plan_digest=plan.digest,
        policy_digest=plan.policy_digest,
        violations=joined.violations,
        approvals=joined.approvals,
        rules=tuple(sorted(rules)),
    )


def _refused(plan: Plan, what: str, fact: str) -> Decision:
    return _conclude(plan, (_odd(what, fact, ""),), frozenset())


def _odd(what: str, fact: str, target: str) -> _Verdict:
    return _Verdict((Violation(f"engine.{what}", "error", fact, _NEXT, target),))
