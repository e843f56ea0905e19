"""No fact can be taken away from an allowed input and leave it allowed."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ops_actions.adapters.opa_eval import OpaEval
from ops_actions.decision import decide
from ops_actions.decision.document import input_document
from ops_actions.decision.model import AccountKind, Outcome, Person, Phase, Review
from ops_actions.plan.model import Kind
from tests.policies.support import (
    HEAD,
    LI,
    MARA,
    POLICIES,
    SOFIA,
    TARIQ,
    approval,
    facts,
    flag,
    opa,
    path_change,
    plan,
    rollback,
    run_opa,
    without_gates,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

Path = tuple[str | int, ...]
Document = dict[str, Any]

ALLOWED: dict[str, Document] = {
    "flag at check": dict(input_document(plan(flag()), without_gates(facts(approval(SOFIA))))),
    "flag at apply": dict(
        input_document(plan(flag()), without_gates(facts(approval(SOFIA), phase=Phase.APPLY)))
    ),
    "action at check": dict(input_document(plan(rollback()), facts(approval(MARA)))),
    "action at apply": dict(
        input_document(plan(rollback()), facts(approval(MARA), phase=Phase.APPLY))
    ),
    "guardrail": dict(
        input_document(
            plan(path_change("scripts/lint", Kind.GUARDRAIL)), without_gates(facts(approval(MARA)))
        )
    ),
    "document": dict(
        input_document(
            plan(path_change("docs/runbook.md", Kind.DOCUMENT)),
            without_gates(facts(approval(MARA))),
        )
    ),
}

# What actions and services make of these is theirs to check; no rule reads inside. Counts of other
# environments than the plan's are nobody's business either.
UNREAD = ("params", "expected_live", "desired_live")
OTHERS = ("sandbox", "staging")

QUERY = """[outcomes |
    some document in input
    decisions := data.ops.main.decisions with input as document
    outcomes := [decision.outcome | some _, decision in decisions]
]"""


def keys(value: object, path: Path = ()) -> Iterator[Path]:
    """Paths of all object keys."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield (*path, key)
            if key not in UNREAD:
                yield from keys(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from keys(inner, (*path, index))


def read_paths(document: Document) -> list[Path]:
    return [
        path
        for path in keys(document)
        if path[:2] != ("facts", "recent") or not set(path) & set(OTHERS)
    ]


def changed(document: Document, path: Path, *values: object) -> Document:
    """A copy with the value at a path removed or, when one is given, replaced."""
    twin = copy.deepcopy(document)
    inner: Any = twin
    for step in path[:-1]:
        inner = inner[step]
    if values:
        inner[path[-1]] = values[0]
    else:
        del inner[path[-1]]
    return twin


def outcomes(documents: list[Document]) -> list[list[str]]:
    arguments = ("--bundle", str(POLICIES), "--ignore", "*_test.rego", "--format", "json")
    done = run_opa("eval", *arguments, "--stdin-input", QUERY, given=json.dumps(documents).encode())
    value: list[list[str]] = json.loads(done.stdout)["result"][0]["expressions"][0]["value"]
    assert len(value) == len(documents)
    return value


def test_all_are_allowed_as_they_are() -> None:
    assert outcomes(list(ALLOWED.values())) == [["allow"]] * len(ALLOWED)


@pytest.mark.parametrize("name", ALLOWED)
def test_no_key_can_be_missing(name: str) -> None:
    paths = read_paths(ALLOWED[name])
    assert len(paths) > 40
    said = outcomes([changed(ALLOWED[name], path) for path in paths])
    assert [path for path, found in zip(paths, said, strict=True) if found == ["allow"]] == []


@pytest.mark.parametrize("name", ALLOWED)
def test_no_fact_can_be_of_another_type(name: str) -> None:
    paths = read_paths(ALLOWED[name])
    odd = {"odd": [1]}
    said = outcomes([changed(ALLOWED[name], path, odd) for path in paths])
    still = {path for path, found in zip(paths, said, strict=True) if found == ["allow"]}
    # The states before and after are open to every shape for kinds that no rule looks into.
    free: set[Path] = {("changes", 0, key) for key in (*UNREAD, "before", "after")}
    free.add(("changes", 0, "after", "params"))
    # An object is what these are; rules look for the keys that they need in them.
    free |= {("facts", "gates"), ("facts", "plan", "destructive"), ("facts", "recent")}
    assert still <= free


KINDS = st.sampled_from(AccountKind)
STATES = st.sampled_from(["APPROVED", "CHANGES_REQUESTED", "DISMISSED", "COMMENTED"])
ROLES = st.lists(
    st.sampled_from(["ops_viewer", "ops_editor", "ops_admin", "ops_finance", "owner"]), max_size=3
).map(tuple)


@st.composite
def ineligible(draw: st.DrawFn) -> Review:
    """A review by somebody whose approval of a rollback must not count, for at least one reason."""
    reason = draw(
        st.sampled_from(["kind", "sub", "role", "login", "author", "pusher", "commit", "state"])
    )
    name = draw(st.sampled_from(["ines-falk", "joao-reis", "dana-cole", "x"]))
    kind, sub = draw(KINDS), draw(st.sampled_from([f"auth0|{name}", None, ""]))
    roles, state = draw(ROLES), draw(STATES)
    commit = draw(st.sampled_from([HEAD, "2" * 40, ""]))
    match reason:
        case "kind":
            kind = draw(st.sampled_from([AccountKind.BOT, AccountKind.UNKNOWN]))
        case "sub":
            sub = draw(st.sampled_from([None, ""]))
        case "role":
            roles = tuple(role for role in roles if role != "ops_admin")
        case "login":
            name = ""
        case "author":
            name = draw(st.sampled_from([TARIQ.login, TARIQ.login.upper()]))
        case "pusher":
            sub = TARIQ.sub
        case "commit":
            commit = draw(st.sampled_from(["2" * 40, "", HEAD[:7]]))
        case _:
            state = draw(STATES.filter(lambda word: word != "APPROVED"))
    return Review(Person(name, kind, sub, roles), state, commit)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(reviews=st.lists(ineligible(), max_size=5))
def test_ineligible_reviews_never_open_the_gate(reviews: list[Review]) -> None:
    asked = plan(rollback())
    assert decide(OpaEval(opa()), POLICIES, asked, facts()).outcome is Outcome.NEEDS_APPROVAL
    assert decide(OpaEval(opa()), POLICIES, asked, facts(*reviews)).outcome is not Outcome.ALLOW


def test_an_eligible_review_does() -> None:
    asked = plan(rollback())
    assert decide(OpaEval(opa()), POLICIES, asked, facts(approval(MARA))).outcome is Outcome.ALLOW


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    others=st.lists(ineligible(), max_size=3),
    commit=st.sampled_from([HEAD, "2" * 40, HEAD[:7], ""]),
    who=st.sampled_from([SOFIA, LI]),
    phase=st.sampled_from(Phase),
)
def test_an_objection_stands_at_whatever_commit_it_was_made(
    others: list[Review], commit: str, who: Person, phase: Phase
) -> None:
    objection = Review(who, "CHANGES_REQUESTED", commit)
    given_facts = facts(approval(MARA), objection, *others, phase=phase)
    decision = decide(OpaEval(opa()), POLICIES, plan(rollback()), given_facts)
    assert decision.outcome is Outcome.DENY
    assert "change.changes_requested" in {each.code for each in decision.violations}
