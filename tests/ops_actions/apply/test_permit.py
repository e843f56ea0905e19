"""What was approved is what runs: the gate lets nothing pass in which a single fact is off."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_actions.apply.permit import Evidence, Permit, grant
from ops_actions.apply.protocol import LockState, RunContext
from ops_actions.decision.model import (
    AccountKind,
    ApprovalNeed,
    Decision,
    Facts,
    Outcome,
    Person,
    Phase,
    PullRequestFacts,
    Review,
    Violation,
)
from ops_actions.errors import RefusedError
from ops_actions.plan.model import Change, Kind, Plan, Risk, Verb

if TYPE_CHECKING:
    from collections.abc import Callable

    from ops_actions.canonical import Json

BASE, CUT, HEAD, MERGED, OTHER = "a" * 40, "b" * 40, "c" * 40, "d" * 40, "e" * 40
POLICIES = "sha256:" + "1" * 64
OFF: Json = {"enabled": False, "value": None}
ON: Json = {"enabled": True, "value": None}
FLAG = Change(
    verb=Verb.UPDATE,
    kind=Kind.FLAG,
    risk=Risk.GUARDED,
    environment="production",
    target="ops_module_webhooks",
    path="infra/environments/production/flags.yaml",
    before={"enabled": False},
    after={"enabled": True},
    expected_live=OFF,
    desired_live=ON,
    summary="It goes on",
    inverse="Switch it off",
    reversible=True,
    action="some.action",
    gate="ops_gate_some",
)
PEOPLE = replace(
    FLAG, kind=Kind.ACCESS, target="auth0|x", expected_live=None, desired_live=None, action=None
)
APPROVED = Plan(CUT, HEAD, POLICIES, (FLAG, PEOPLE))
NOW = replace(APPROVED, base=BASE, head=MERGED)


def person(login: str, sub: str | None = "auth0|1") -> Person:
    return Person(login, AccountKind.USER, sub, ("ops_editor",))


TARIQ, SOFIA, MARA = person("tariq-noor"), person("sofia-berg"), person("mara-lind")
NEED = ApprovalNeed("change.approvals", 1, "ops_editor", 1, "it is guarded", "")
NO = Violation("flags.owner", "error", "no owner", "write one", "ops_module_webhooks")
REQUEST = PullRequestFacts(
    number=7,
    author=TARIQ,
    last_pusher=TARIQ,
    head=HEAD,
    base_branch="main",
    from_fork=False,
    draft=False,
    merged=True,
    mergeable=True,
    reviews=(Review(SOFIA, "APPROVED", HEAD),),
)
GOOD = Evidence(
    approved=APPROVED,
    now=NOW,
    decision=Decision(Outcome.ALLOW, NOW.digest, POLICIES, (), (NEED,), ("change.approvals",)),
    facts=Facts(Phase.APPLY, datetime(2026, 11, 24, tzinfo=UTC), REQUEST, {}, {}),
    context=RunContext(MERGED, MERGED, "production"),
    lock=LockState("production", MERGED, "worker", "held", ""),
    live={FLAG.key: OFF},
    attempted=False,
)
AGAIN = replace(GOOD, attempted=True, live={FLAG.key: ON})


def plan(fact: Plan, **fields: Any) -> Plan:  # noqa: ANN401 - any field of a plan
    return replace(fact, **fields)


def changed(fact: Plan, **fields: Any) -> Plan:  # noqa: ANN401 - any field of a change
    return replace(fact, changes=(replace(FLAG, **fields), PEOPLE))


def decided(**fields: Any) -> Evidence:  # noqa: ANN401 - any field of a decision
    return replace(GOOD, decision=replace(GOOD.decision, **fields))


def asked(**fields: Any) -> Evidence:  # noqa: ANN401 - any field of the pull request
    return replace(GOOD, facts=replace(GOOD.facts, pull_request=replace(REQUEST, **fields)))


def locked(**fields: Any) -> Evidence:  # noqa: ANN401 - any field of a lock
    assert GOOD.lock is not None
    return replace(GOOD, lock=replace(GOOD.lock, **fields))


def code_of(evidence: Evidence) -> str:
    with pytest.raises(RefusedError) as caught:
        grant(evidence)
    assert caught.value.fact
    assert caught.value.next_step
    return caught.value.code


def test_when_everything_agrees_there_is_a_permit_for_exactly_that() -> None:
    permit = grant(GOOD)
    assert (permit.plan, permit.decision, permit.context) == (NOW, GOOD.decision, GOOD.context)
    assert (permit.pull_request, permit.author, permit.author_sub) == (7, "tariq-noor", "auth0|1")
    assert permit.approvers == ("sofia-berg",)


def test_a_later_attempt_may_find_its_own_work() -> None:
    assert grant(AGAIN).plan == NOW
    assert grant(replace(AGAIN, live={FLAG.key: OFF})).plan == NOW


OTHER_VALUE: dict[str, Any] = {"verb": Verb.DELETE, "kind": Kind.PLATFORM}
OTHER_VALUE |= {"risk": Risk.SAFE, "reversible": False}


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(Change)])
@pytest.mark.parametrize("side", ["approved", "now"])
def test_a_change_that_differs_in_any_field_is_another_plan(side: str, name: str) -> None:
    moved = changed(getattr(GOOD, side), **{name: OTHER_VALUE.get(name, "other")})
    off = replace(GOOD, approved=moved) if side == "approved" else replace(GOOD, now=moved)
    assert code_of(off) == "gate.plan_moved"


@pytest.mark.parametrize(
    ("evidence", "code"),
    [
        (replace(GOOD, approved=plan(APPROVED, policy_digest="sha256:2")), "gate.policies_moved"),
        (replace(GOOD, now=plan(NOW, policy_digest="sha256:2")), "gate.policies_moved"),
        (replace(GOOD, now=plan(NOW, changes=(FLAG,))), "gate.plan_moved"),
        (replace(GOOD, now=plan(NOW, changes=(FLAG, PEOPLE, PEOPLE))), "gate.plan_moved"),
        (replace(GOOD, now=plan(NOW, changes=(PEOPLE, FLAG))), "gate.plan_moved"),
        (replace(GOOD, now=plan(NOW, changes=())), "gate.plan_moved"),
        (replace(GOOD, now=plan(NOW, head=OTHER)), "gate.other_run"),
        (replace(GOOD, approved=plan(APPROVED, head=OTHER)), "gate.head_moved"),
        (replace(GOOD, context=RunContext(MERGED, OTHER, "production")), "gate.other_run"),
        (replace(GOOD, context=RunContext(MERGED, MERGED, "staging")), "gate.other_run"),
        (replace(GOOD, context=RunContext(MERGED, MERGED, "")), "gate.other_run"),
        (replace(GOOD, context=RunContext(OTHER, MERGED, "production")), "gate.lock_not_held"),
        (decided(outcome=Outcome.DENY, violations=(NO,)), "flags.owner"),
        (decided(outcome=Outcome.DENY), "gate.not_allowed"),
        (decided(outcome=Outcome.NEEDS_APPROVAL), "gate.not_allowed"),
        (
            decided(outcome=Outcome.NEEDS_APPROVAL, approvals=(replace(NEED, have=0),)),
            "change.approvals",
        ),
        (decided(violations=(NO,)), "flags.owner"),
        (decided(approvals=(NEED, replace(NEED, have=0))), "change.approvals"),
        (decided(plan_digest="sha256:3"), "gate.decision_of_another_plan"),
        (decided(policy_digest="sha256:3"), "gate.decision_of_another_plan"),
        (replace(GOOD, facts=replace(GOOD.facts, phase=Phase.CHECK)), "gate.decision_of_a_check"),
        (asked(merged=False), "gate.not_merged"),
        (asked(head=OTHER), "gate.head_moved"),
        (replace(GOOD, lock=None), "gate.lock_not_held"),
        (locked(environment="staging"), "gate.lock_not_held"),
        (locked(environment=""), "gate.lock_not_held"),
        (locked(change_id=OTHER), "gate.lock_not_held"),
        (locked(state="undecidable"), "gate.lock_not_held"),
        (replace(GOOD, live={}), "gate.live_unknown"),
        (replace(GOOD, live={"other": OFF}), "gate.live_unknown"),
        (replace(GOOD, live={FLAG.key: ON}), "gate.live_moved"),
        (replace(GOOD, live={FLAG.key: None}), "gate.live_moved"),
        (replace(GOOD, live={FLAG.key: {"enabled": False}}), "gate.live_moved"),
        (replace(GOOD, live={FLAG.key: OFF, PEOPLE.key: OFF}), "gate.live_moved"),
        (replace(AGAIN, live={FLAG.key: {"enabled": True, "value": "3"}}), "gate.live_moved"),
        (replace(AGAIN, attempted=False), "gate.live_moved"),
    ],
)
def test_one_fact_that_is_off_is_enough(evidence: Evidence, code: str) -> None:
    assert code_of(evidence) == code


def test_a_plan_that_reaches_into_a_second_environment_has_no_run() -> None:
    both = (FLAG, replace(FLAG, environment="staging"))
    evidence = replace(GOOD, approved=plan(APPROVED, changes=both), now=plan(NOW, changes=both))
    evidence = replace(evidence, decision=replace(GOOD.decision, plan_digest=evidence.now.digest))
    assert code_of(evidence) == "gate.other_run"


def test_the_refusal_names_the_first_difference() -> None:
    with pytest.raises(RefusedError, match="first differing: flag ops_module_webhooks"):
        grant(replace(GOOD, now=changed(NOW, desired_live=OFF)))
    with pytest.raises(RefusedError, match="approved is not in the merged commit"):
        grant(replace(GOOD, now=plan(NOW, changes=(PEOPLE,))))
    with pytest.raises(RefusedError, match="not as the change expects it: enabled is true"):
        grant(replace(GOOD, live={FLAG.key: ON}))


@pytest.mark.parametrize(
    "review",
    [
        Review(SOFIA, "COMMENTED", HEAD),
        Review(SOFIA, "DISMISSED", HEAD),
        Review(SOFIA, "APPROVED", OTHER),
        Review(TARIQ, "APPROVED", HEAD),
        Review(MARA, "APPROVED", HEAD),
        Review(person("stranger", None), "APPROVED", HEAD),
    ],
)
def test_only_approvals_that_count_are_named(review: Review) -> None:
    evidence = asked(reviews=(review,), last_pusher=MARA)
    assert grant(evidence).approvers == ()


MOVES: dict[str, Callable[[Evidence], Evidence]] = {
    "approved": lambda e: replace(e, approved=changed(e.approved, summary="x")),
    "now": lambda e: replace(e, now=changed(e.now, desired_live=OFF)),
    "decision": lambda e: replace(e, decision=replace(e.decision, outcome=Outcome.DENY)),
    "facts": lambda e: replace(e, facts=asked(merged=False).facts),
    "context": lambda e: replace(e, context=RunContext(OTHER, OTHER, "production")),
    "lock": lambda e: replace(e, lock=None),
    "live": lambda e: replace(e, live={FLAG.key: "odd"}),
    # Not attempted is off only where the outside shows the work of an attempt.
    "attempted": lambda e: replace(e, attempted=False, live={FLAG.key: ON}),
}
"""For each piece of evidence what takes it off."""


def test_every_piece_of_evidence_has_a_way_to_be_off() -> None:
    assert set(MOVES) == {field.name for field in dataclasses.fields(Evidence)}


@given(
    names=st.sets(st.sampled_from(sorted(MOVES)), min_size=1), good=st.sampled_from([GOOD, AGAIN])
)
def test_no_combination_of_wrong_facts_makes_a_right_one(names: set[str], good: Evidence) -> None:
    evidence = good
    for name in sorted(names):
        evidence = MOVES[name](evidence)
    assert code_of(evidence)


@given(
    live=st.recursive(
        st.none() | st.booleans() | st.text(max_size=3),
        lambda inner: st.dictionaries(st.sampled_from(["enabled", "value", "x"]), inner),
        max_leaves=4,
    ),
    attempted=st.booleans(),
)
def test_only_the_expected_state_passes_or_the_desired_one_of_an_attempt(
    live: Json,
    attempted: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    evidence = replace(GOOD, live={FLAG.key: live}, attempted=attempted)
    if live == OFF or (attempted and live == ON):
        assert grant(evidence).plan is evidence.now
    else:
        assert code_of(evidence) == "gate.live_moved"


def test_a_permit_can_not_be_built_copied_with_changes_or_sent() -> None:
    permit = grant(GOOD)
    fields = {field.name: getattr(permit, field.name) for field in dataclasses.fields(Permit)}
    for key in (None, object(), "grant"):
        with pytest.raises(RefusedError, match=r"gate\.no_permit"):
            Permit(**fields, _key=key)
    with pytest.raises(ValueError, match="_key"):
        replace(permit, plan=APPROVED)  # type: ignore[call-arg]
    with pytest.raises(dataclasses.FrozenInstanceError):
        permit.plan = APPROVED  # type: ignore[misc]
    assert "_key" not in repr(permit)
    assert copy.copy(permit) == permit
    assert pickle.loads(pickle.dumps(permit)) == permit  # noqa: S301 - our own bytes


def test_a_moved_value_is_named_and_not_repeated() -> None:
    secret: Json = {"enabled": True, "value": "hand-made-secret"}
    with pytest.raises(RefusedError) as caught:
        grant(replace(GOOD, live={FLAG.key: secret}))
    assert "enabled is true" in caught.value.fact
    assert "value is another" in caught.value.fact
    assert "hand-made-secret" not in str(caught.value)
