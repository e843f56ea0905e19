"""What the policies say to whole plans, from Python's facts to the decision, by the real engine."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from ops_actions.adapters.opa_eval import OpaEval
from ops_actions.decision import decide
from ops_actions.decision.model import (
    ApprovalNeed,
    Decision,
    Facts,
    GateState,
    Outcome,
    Phase,
    RecentActions,
    Review,
)
from ops_actions.plan.model import Kind, Plan, Risk, Verb
from tests.policies.support import (
    GATE,
    HEAD,
    LI,
    MARA,
    NOW,
    POLICIES,
    SOFIA,
    approval,
    facts,
    flag,
    opa,
    path_change,
    plan,
    rollback,
)

if TYPE_CHECKING:
    from ops_actions.canonical import Json
    from ops_actions.plan.model import Change


@pytest.fixture(scope="module")
def engine() -> OpaEval:
    return OpaEval(opa())


def ask(engine: OpaEval, asked: Plan, known: Facts) -> Decision:
    return decide(engine, POLICIES, asked, known)


def codes(decision: Decision) -> list[str]:
    return [violation.code for violation in decision.violations]


def test_an_approved_flag_is_allowed(engine: OpaEval) -> None:
    asked = plan(flag())
    decision = ask(engine, asked, facts(approval(SOFIA)))
    assert decision == Decision(
        outcome=Outcome.ALLOW,
        plan_digest=asked.digest,
        policy_digest=asked.policy_digest,
        violations=(),
        approvals=(
            ApprovalNeed(
                code="change.approvals",
                count=1,
                role="ops_editor",
                have=1,
                why="a wrong change would be felt by operators",
                target="ops_module_webhooks",
            ),
        ),
        rules=decision.rules,
    )
    assert len(decision.rules) == 24


def test_a_safe_change_of_the_sandbox_needs_nobody(engine: OpaEval) -> None:
    decision = ask(engine, plan(replace(flag(environment="sandbox"), risk=Risk.SAFE)), facts())
    assert (decision.outcome, decision.approvals) == (Outcome.ALLOW, ())


@pytest.mark.parametrize("who", [SOFIA, LI], ids=["editor", "viewer"])
def test_a_destructive_action_waits_for_an_admin(engine: OpaEval, who: object) -> None:
    decision = ask(engine, plan(rollback()), facts(approval(who)))  # type: ignore[arg-type]
    assert decision.outcome is Outcome.NEEDS_APPROVAL
    assert [(need.role, need.have) for need in decision.approvals] == [("ops_admin", 0)]


@pytest.mark.parametrize("phase", Phase)
def test_an_approved_action_is_allowed(engine: OpaEval, phase: Phase) -> None:
    decision = ask(engine, plan(rollback()), facts(approval(MARA), phase=phase))
    assert (decision.outcome, decision.violations) == (Outcome.ALLOW, ())


def test_the_gate_must_still_be_on_at_apply(engine: OpaEval) -> None:
    known = replace(
        facts(approval(MARA), phase=Phase.APPLY), gates={GATE: GateState(declared=True, live=False)}
    )
    assert codes(ask(engine, plan(rollback()), known)) == ["actions.gate_on"]


def test_an_action_that_waited_too_long_is_refused(engine: OpaEval) -> None:
    known = replace(facts(approval(MARA)), now=NOW + timedelta(hours=9))
    assert codes(ask(engine, plan(rollback()), known)) == ["actions.not_expired"]


def test_the_budget_of_an_hour_counts_the_plan(engine: OpaEval) -> None:
    deletes = [
        replace(flag(f"ops_module_old_{i}"), verb=Verb.DELETE, risk=Risk.DESTRUCTIVE, after=None)
        for i in range(4)
    ]
    known = facts(approval(MARA), phase=Phase.APPLY)
    for earlier, outcome in ((6, Outcome.ALLOW), (7, Outcome.DENY)):
        counted = replace(known, recent={"production": RecentActions(earlier, 0)})
        assert ask(engine, plan(*deletes), counted).outcome is outcome


def test_rules_and_state_are_not_mixed(engine: OpaEval) -> None:
    asked = plan(flag(), path_change("policies/ops/main/main.rego", Kind.GUARDRAIL))
    decision = ask(engine, asked, facts(approval(MARA)))
    assert codes(decision) == ["change.no_mixing"]
    assert "policies/ops/main/main.rego" in decision.violations[0].message


def access(environment: str) -> Change:
    path = f"infra/environments/{environment}/access.yaml"
    return replace(path_change(path, Kind.ACCESS), environment=environment, target="auth0|li-wen")


@pytest.mark.parametrize(
    "others",
    [
        (path_change("policies/ops/main/main.rego", Kind.GUARDRAIL),),
        (path_change(".github/workflows/apply.yml", Kind.GUARDRAIL),),
        (path_change("ops_actions/flow/check.py", Kind.GUARDRAIL),),
        (access("production"),),
        (flag(environment="staging"),),
    ],
    ids=["policies", "workflows", "code", "people of another environment", "state"],
)
def test_people_change_alone(engine: OpaEval, others: tuple[Change, ...]) -> None:
    known = facts(approval(MARA))
    people = replace(access("staging"), target="auth0|sofia")
    assert ask(engine, plan(access("staging"), people), known).outcome is Outcome.ALLOW
    decision = ask(engine, plan(access("staging"), people, *others), known)
    assert (decision.outcome, set(codes(decision))) == (Outcome.DENY, {"change.no_mixing"})
    document = path_change("docs/people.md", Kind.DOCUMENT)
    assert ask(engine, plan(access("staging"), document), known).outcome is Outcome.ALLOW


def test_documents_may_come_along(engine: OpaEval) -> None:
    asked = plan(flag(), path_change("docs/runbook.md", Kind.DOCUMENT))
    assert ask(engine, asked, facts(approval(SOFIA))).outcome is Outcome.ALLOW


def test_two_environments_are_refused_once(engine: OpaEval) -> None:
    decision = ask(engine, plan(flag(), flag(environment="staging")), facts(approval(SOFIA)))
    assert codes(decision) == ["change.one_environment"]


def test_one_bad_change_denies_the_plan(engine: OpaEval) -> None:
    changes = [flag(f"ops_module_w{i}") for i in range(600)]
    decision = ask(engine, plan(*changes, flag("webhooks")), facts(approval(SOFIA)))
    assert decision.outcome is Outcome.DENY
    assert [(v.code, v.target) for v in decision.violations] == [("flags.naming", "webhooks")]
    assert len(decision.approvals) == 601


def test_a_renewed_review_of_the_same_person_replaces_the_old_one(engine: OpaEval) -> None:
    asked, objection = plan(flag()), Review(SOFIA, "CHANGES_REQUESTED", HEAD)
    assert codes(ask(engine, asked, facts(approval(MARA), objection))) == [
        "change.changes_requested"
    ]
    both = facts(approval(SOFIA), objection)
    assert "facts.people_complete" in codes(ask(engine, asked, both))


@pytest.mark.parametrize("phase", Phase)
def test_an_objection_outlives_a_push(engine: OpaEval, phase: Phase) -> None:
    asked, objection = plan(flag()), Review(MARA, "CHANGES_REQUESTED", "2" * 40)
    for review, found in (
        (objection, ["change.changes_requested"]),
        (replace(objection, state="DISMISSED"), []),
        (approval(MARA), []),
    ):
        assert codes(ask(engine, asked, facts(approval(SOFIA), review, phase=phase))) == found


@pytest.mark.parametrize("phase", Phase)
@pytest.mark.parametrize("branch", ["staging", "", "MAIN"])
def test_only_the_branch_that_is_applied_is_a_base(
    engine: OpaEval, phase: Phase, branch: str
) -> None:
    known = facts(approval(SOFIA), phase=phase)
    elsewhere = replace(known, pull_request=replace(known.pull_request, base_branch=branch))
    assert codes(ask(engine, plan(flag()), elsewhere)) == ["change.base_branch"]


def test_a_confirmation_is_not_repeated_in_a_message(engine: OpaEval) -> None:
    evil = "<!channel> <https://evil.example|click> jane@example.org"
    asked = plan(with_after(rollback(), confirm=evil))
    decision = ask(engine, asked, facts(approval(MARA)))
    assert codes(decision) == ["actions.confirmation"]
    (violation,) = decision.violations
    assert rollback().path in violation.message
    assert not any(part in str(violation) for part in ("channel", "evil", "jane"))


def with_after(change: Change, **values: Json) -> Change:
    assert isinstance(change.after, dict)
    return replace(change, after={**change.after, **values})


@pytest.mark.parametrize("moment", ["tomorrow", "2026-11-24", 5, None])
def test_a_moment_that_is_none_is_refused_by_name(engine: OpaEval, moment: Json) -> None:
    decision = ask(engine, plan(with_after(rollback(), not_after=moment)), facts(approval(MARA)))
    assert "actions.not_expired" in codes(decision)
    assert not any(code.startswith("engine.") for code in codes(decision))


@pytest.mark.parametrize("date", ["soon", "2027-13-01", 20270201, None])
def test_a_date_that_is_none_is_refused_by_name(engine: OpaEval, date: Json) -> None:
    decision = ask(engine, plan(with_after(flag(), expires=date)), facts(approval(SOFIA)))
    assert "flags.expiry" in codes(decision)
    assert not any(code.startswith("engine.") for code in codes(decision))


def test_no_message_has_a_gap(engine: OpaEval) -> None:
    """Go writes %! where a message and its arguments do not fit."""
    bare: Facts = replace(facts(), gates={}, now=NOW + timedelta(days=900))
    bad = with_after(rollback(), confirm=None, target="x", action="y")
    worse = with_after(replace(flag("x", "nowhere"), risk=Risk.DESTRUCTIVE), owner=None)
    decision = ask(engine, plan(bad, worse, path_change("scripts/x", Kind.GUARDRAIL)), bare)
    assert len(decision.violations) > 8
    assert [v.message for v in decision.violations if "%!" in v.message] == []
