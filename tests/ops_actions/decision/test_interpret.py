"""Whatever the engine says that is not plainly an allow is a deny, and nothing raises."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_actions.decision import decide, interpret, rule_codes
from ops_actions.decision.interpret import CHUNK
from ops_actions.decision.model import ApprovalNeed, Decision, Outcome, Violation
from ops_actions.errors import OutsideError
from tests.policies.support import POLICIES, facts, flag, plan

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ops_actions.canonical import Json

RULES = frozenset({"flags.owner", "change.approvals"})
TWO = plan(flag("ops_module_a"), flag("ops_module_b"))
Document = dict[str, Any]

NEED: Document = {
    "code": "change.approvals",
    "count": 1,
    "role": "ops_admin",
    "have": 0,
    "why": "it destroys something",
    "target": "ops_module_b",
}
REASON: Document = {
    "code": "flags.owner",
    "severity": "error",
    "msg": "no owner",
    "solution": "write one",
    "target": "ops_module_b",
}


def answer(outcome: Json = "allow", **changes: Json) -> Document:
    return {
        "schema": "coh.policy-decision/1",
        "outcome": outcome,
        "violations": [],
        "approvals": [],
        "rules_evaluated": ["change.approvals", "flags.owner"],
        **changes,
    }


def judged(second: Json) -> Decision:
    return interpret({"0": answer(), "1": second}, TWO, RULES)


def test_allow_when_every_change_is_allowed() -> None:
    met = {**NEED, "have": 1}
    decision = judged(answer(approvals=[met]))
    assert decision == Decision(
        outcome=Outcome.ALLOW,
        plan_digest=TWO.digest,
        policy_digest=TWO.policy_digest,
        violations=(),
        approvals=(
            ApprovalNeed(
                "change.approvals", 1, "ops_admin", 1, "it destroys something", "ops_module_b"
            ),
        ),
        rules=("change.approvals", "flags.owner"),
    )


def test_a_missing_approval_of_one_change_holds_up_the_plan() -> None:
    decision = judged(answer("needs_approval", approvals=[NEED]))
    assert decision.outcome is Outcome.NEEDS_APPROVAL


def test_a_deny_of_one_change_denies_the_plan() -> None:
    decision = judged(answer("deny", approvals=[NEED], violations=[REASON]))
    assert decision.outcome is Outcome.DENY
    assert decision.violations == (
        Violation("flags.owner", "error", "no owner", "write one", "ops_module_b"),
    )


def test_deny_beats_needs_approval_across_changes() -> None:
    raw: Json = {
        "0": answer("deny", violations=[REASON]),
        "1": answer("needs_approval", approvals=[NEED]),
    }
    decision = interpret(raw, TWO, RULES)
    assert (decision.outcome, len(decision.approvals)) == (Outcome.DENY, 1)


def test_the_same_reason_is_said_once() -> None:
    raw: Json = {str(i): answer("deny", violations=[REASON]) for i in range(2)}
    assert len(interpret(raw, TWO, RULES).violations) == 1


def test_an_empty_plan_is_allowed_whatever_the_engine_says() -> None:
    decision = interpret(None, plan(), RULES)
    assert (decision.outcome, decision.violations) == (Outcome.ALLOW, ())


ODD: dict[str, tuple[Json, str]] = {
    "undefined": (None, "undefined"),
    "a list": ([answer(), answer()], "shape"),
    "a word": ("allow", "shape"),
    "true": (True, "shape"),
    "nothing": ({}, "index"),
    "an index too few": ({"0": answer()}, "index"),
    "an index too many": ({"0": answer(), "1": answer(), "2": answer()}, "index"),
    "another index": ({"0": answer(), "01": answer()}, "index"),
}


@pytest.mark.parametrize("case", ODD)
def test_an_odd_answer_is_a_deny(case: str) -> None:
    raw, code = ODD[case]
    decision = interpret(raw, TWO, RULES)
    assert decision.outcome is Outcome.DENY
    assert [violation.code for violation in decision.violations] == [f"engine.{code}"]
    assert decision.violations[0].solution


ODD_CHANGES: dict[str, tuple[Json, str]] = {
    "null": (None, "shape"),
    "a word": ("allow", "shape"),
    "true": (True, "shape"),
    "an unknown schema": (answer(schema="coh.policy-decision/2"), "schema"),
    "no schema": ({k: v for k, v in answer().items() if k != "schema"}, "schema"),
    "an unknown outcome": (answer("maybe"), "outcome"),
    "an outcome in capitals": (answer("ALLOW"), "outcome"),
    "an outcome that is true": (answer(outcome=True), "outcome"),
    "an extra key": (answer(note="x"), "shape"),
    "no violations": ({k: v for k, v in answer().items() if k != "violations"}, "shape"),
    "violations that are null": (answer(violations=None), "shape"),
    "a violation that is a word": (answer("deny", violations=["no"]), "shape"),
    "a severity that is unknown": (
        answer("deny", violations=[{**REASON, "severity": "mild"}]),
        "shape",
    ),
    "a count that is true": (answer(approvals=[{**NEED, "have": 1, "count": True}]), "shape"),
    "a count of none": (answer(approvals=[{**NEED, "count": 0}]), "shape"),
    "half an approval": (answer("needs_approval", approvals=[{**NEED, "have": 0.5}]), "shape"),
    "no role": (answer("needs_approval", approvals=[{**NEED, "role": ""}]), "shape"),
    "allow with a violation": (answer(violations=[REASON]), "inconsistent"),
    "allow with an open approval": (answer(approvals=[NEED]), "inconsistent"),
    "needs_approval with a violation": (
        answer("needs_approval", approvals=[NEED], violations=[REASON]),
        "inconsistent",
    ),
    "needs_approval without one open": (answer("needs_approval"), "inconsistent"),
    "deny without a reason": (answer("deny"), "inconsistent"),
    "no rules": (answer(rules_evaluated=[]), "rules"),
    "a rule too few": (answer(rules_evaluated=["flags.owner"]), "rules"),
    "a rule too many": (
        answer(rules_evaluated=["flags.owner", "change.approvals", "x.y"]),
        "rules",
    ),
    "a violation of nobody": (
        answer("deny", violations=[{**REASON, "code": "x.y"}]),
        "unknown_code",
    ),
    "an approval of nobody": (
        answer("needs_approval", approvals=[{**NEED, "code": "x.y"}]),
        "unknown_code",
    ),
}


@pytest.mark.parametrize("case", ODD_CHANGES)
def test_an_odd_answer_on_one_change_is_a_deny(case: str) -> None:
    raw, code = ODD_CHANGES[case]
    decision = judged(raw)
    assert decision.outcome is Outcome.DENY
    assert [(v.code, v.target) for v in decision.violations] == [(f"engine.{code}", "ops_module_b")]


def test_expecting_no_rules_is_a_deny() -> None:
    raw: Json = {"0": answer(rules_evaluated=[]), "1": answer(rules_evaluated=[])}
    assert interpret(raw, TWO, frozenset()).outcome is Outcome.DENY


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


@given(JSON)
def test_nonsense_is_a_deny(raw: Json) -> None:
    assert interpret(raw, TWO, RULES).outcome is Outcome.DENY
    assert judged(raw).outcome is Outcome.DENY


@given(st.sampled_from(list(answer())), JSON)
def test_an_allow_with_one_value_changed_is_no_allow(key: str, value: Json) -> None:
    original = answer(approvals=[{**NEED, "have": 1}])
    changed = {**original, key: value}
    expected = Outcome.ALLOW if changed == original or (key, value) == ("approvals", []) else None
    outcome = judged(changed).outcome
    assert outcome is Outcome.ALLOW if expected else outcome is Outcome.DENY


class Recorded:
    """An engine that answers what it is told to and keeps the questions."""

    def __init__(self, reply: Callable[[Document], Json]) -> None:
        self.reply = reply
        self.questions: list[Document] = []

    def decide(self, bundle: Path, document: Json, timeout: float) -> Json:
        assert bundle == POLICIES
        assert timeout > 0
        assert isinstance(document, dict)
        self.questions.append(copy.deepcopy(document))
        return self.reply(document)


def allow_all(document: Document) -> Json:
    rules = sorted(rule_codes(POLICIES))
    return {str(i): answer(rules_evaluated=rules) for i, _ in enumerate(document["changes"])}


def test_an_empty_plan_asks_nobody() -> None:
    engine = Recorded(allow_all)
    assert decide(engine, POLICIES, plan(), facts()).outcome is Outcome.ALLOW
    assert engine.questions == []


def test_changes_are_asked_about_in_chunks() -> None:
    engine = Recorded(allow_all)
    many = plan(*(flag(f"ops_module_{i:04}") for i in range(2 * CHUNK + 1)))
    assert decide(engine, POLICIES, many, facts()).outcome is Outcome.ALLOW
    assert [len(q["changes"]) for q in engine.questions] == [CHUNK, CHUNK, 1]
    asked = [change["target"] for q in engine.questions for change in q["changes"]]
    assert asked == [change.target for change in many.changes]
    assert {q["facts"]["plan"]["changes"] for q in engine.questions} == {2 * CHUNK + 1}
    assert {q["plan_digest"] for q in engine.questions} == {many.digest}


def test_a_bad_last_chunk_denies_the_plan() -> None:
    def reply(document: Document) -> Json:
        return allow_all(document) if len(document["changes"]) == CHUNK else None

    many = plan(*(flag(f"ops_module_{i:04}") for i in range(CHUNK + 1)))
    decision = decide(Recorded(reply), POLICIES, many, facts())
    assert [violation.code for violation in decision.violations] == ["engine.undefined"]


def test_an_engine_that_fails_is_a_deny() -> None:
    def reply(_: Document) -> Json:
        raise OutsideError("engine.late", "opa gave no answer", "run coh doctor")

    decision = decide(Recorded(reply), POLICIES, TWO, facts())
    assert decision.outcome is Outcome.DENY
    assert [(v.code, v.message) for v in decision.violations] == [
        ("engine.unavailable", "engine.late: opa gave no answer")
    ]


def test_a_bug_of_the_engine_is_not_hidden() -> None:
    def reply(_: Document) -> Json:
        raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        decide(Recorded(reply), POLICIES, TWO, facts())


def test_other_policies_than_the_plans_are_a_deny(tmp_path: Path) -> None:
    engine = Recorded(allow_all)
    other = replace(TWO, policy_digest="sha256:" + "0" * 64)
    decision = decide(engine, POLICIES, other, facts())
    assert [violation.code for violation in decision.violations] == ["engine.bundle"]
    assert decide(engine, tmp_path, TWO, facts()).outcome is Outcome.DENY
    assert decide(engine, tmp_path / "none", TWO, facts()).outcome is Outcome.DENY
    assert engine.questions == []
