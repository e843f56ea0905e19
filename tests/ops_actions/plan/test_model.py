from __future__ import annotations

import dataclasses
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_actions.plan.model import Change, Kind, Plan, Risk, Verb
from tests.ops_actions.apply.simulator import flag_change
from tests.ops_actions.apply.test_payload import CHANGES
from tests.ops_actions.plan.plan_world import BASE, HEAD, POLICIES

PLAN = Plan(BASE, HEAD, POLICIES, (flag_change("a"), flag_change("b")))
OTHER: dict[str, Any] = {
    "verb": Verb.DELETE,
    "kind": Kind.ACTION,
    "risk": Risk.DESTRUCTIVE,
    "reversible": False,
}


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(Change)])
def test_every_field_of_a_change_is_in_the_digest(name: str) -> None:
    moved = replace(PLAN.changes[0], **{name: OTHER.get(name, "x")})
    assert replace(PLAN, changes=(moved, PLAN.changes[1])).digest != PLAN.digest


def test_policies_are_in_the_digest_and_commits_are_not() -> None:
    assert replace(PLAN, policy_digest="sha256:2").digest != PLAN.digest
    assert replace(PLAN, base=HEAD, head=BASE).digest == PLAN.digest
    assert PLAN.digest.startswith("sha256:")


@given(st.lists(CHANGES, max_size=6))
def test_sorting_is_total_and_puts_deletes_first(changes: list[Change]) -> None:
    ordered = sorted(changes, key=lambda change: change.sort_key)
    verbs = [change.verb for change in ordered]
    deletes = verbs.count(Verb.DELETE)
    assert all(verb is Verb.DELETE for verb in verbs[:deletes])
    backwards = changes[::-1]
    again = sorted(backwards, key=lambda change: change.sort_key)
    assert [c.sort_key for c in again] == [c.sort_key for c in ordered]


@given(st.lists(CHANGES, max_size=4))
def test_the_worst_change_is_the_plan_s_risk(changes: list[Change]) -> None:
    risk = replace(PLAN, changes=tuple(changes)).risk
    if any(change.risk is Risk.DESTRUCTIVE for change in changes):
        assert risk is Risk.DESTRUCTIVE
    elif any(change.risk is Risk.GUARDED for change in changes):
        assert risk is Risk.GUARDED
    else:
        assert risk is Risk.SAFE


def test_a_change_is_named_by_file_and_target() -> None:
    assert flag_change("a").key == "infra/environments/production/flags.yaml#a"
