from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_actions.apply.payload import SCHEMA, Run, dump, load, run_of
from ops_actions.apply.permit import grant
from ops_actions.apply.protocol import RunContext
from ops_actions.errors import UndecidableError
from ops_actions.plan.model import Change, Kind, Risk, Verb
from tests.ops_actions.apply.simulator import flag_change, run
from tests.ops_actions.apply.test_permit import GOOD

if TYPE_CHECKING:
    from ops_actions.canonical import Json

TEXT = st.text(st.characters(codec="utf-8"), max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
CHANGES = st.builds(
    Change,
    verb=st.sampled_from(Verb),
    kind=st.sampled_from(Kind),
    risk=st.sampled_from(Risk),
    environment=TEXT,
    target=TEXT,
    path=TEXT,
    before=JSON,
    after=JSON,
    expected_live=JSON,
    desired_live=JSON,
    summary=TEXT,
    inverse=TEXT,
    reversible=st.booleans(),
    action=st.none() | TEXT,
    gate=st.none() | TEXT,
)
RUNS = st.builds(
    Run,
    context=st.builds(RunContext, TEXT, TEXT, TEXT),
    previous=TEXT,
    plan_digest=TEXT,
    policy_digest=TEXT,
    pull_request=st.integers(0, 10**6),
    author=TEXT,
    author_sub=TEXT,
    approvers=st.lists(TEXT, max_size=3).map(tuple),
    changes=st.lists(CHANGES, max_size=3).map(tuple),
)


@given(RUNS)
def test_a_run_survives_the_database_as_it_was(original: Run) -> None:
    assert load(json.loads(json.dumps(dump(original)))) == original


@pytest.mark.parametrize(
    "document", [None, "coh.apply-run/1", [], {}, {"schema": "coh.apply-run/2"}, {"schema": None}]
)
def test_what_another_version_wrote_is_never_guessed_at(document: Json) -> None:
    with pytest.raises(UndecidableError) as caught:
        load(document)
    assert caught.value.code == "apply.unknown_run"
    assert SCHEMA in caught.value.fact
    assert caught.value.exit_code == 5


def test_a_run_is_what_its_permit_allows() -> None:
    made = run_of(grant(GOOD), "f" * 40)
    assert made.changes == GOOD.now.changes
    assert (made.plan_digest, made.policy_digest) == (GOOD.now.digest, GOOD.now.policy_digest)
    assert (made.context, made.previous) == (GOOD.context, "f" * 40)
    assert (made.author, made.author_sub, made.approvers) == (
        "tariq-noor",
        "auth0|1",
        ("sofia-berg",),
    )


def test_the_order_of_changes_is_kept() -> None:
    original = run(flag_change("b"), flag_change("a"))
    assert [change.target for change in load(dump(original)).changes] == ["b", "a"]
    assert dump(original) != dump(replace(original, changes=original.changes[::-1]))
