from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.settings.flags import Flag, FlagType
from ops_actions.plan.flags import ABSENT, flag_changes, live_state
from ops_actions.plan.model import Change, Risk, Verb
from tests.ops_actions.plan.plan_world import change_of

PATH = "infra/environments/{}/flags.yaml"
NAME = "ops_module_a"
FIELDS: dict[str, Any] = {
    "enabled": True,
    "type": "release",
    "owner": "platform",
    "expires": date(2027, 2, 1),
    "reason": "r",
    "ticket": "KAIZEN-1",
    "value": "20",
    "description": "d",
}


def flag(**fields: Any) -> Flag:  # noqa: ANN401 - any field of a flag
    return Flag(**{**FIELDS, **fields})


def differences(
    before: dict[str, Flag] | None, after: dict[str, Flag] | None, environment: str = "production"
) -> list[Change]:
    sides = [None if side is None else yaml_of(side) for side in (before, after)]
    return list(flag_changes(change_of(PATH.format(environment), sides[0], sides[1]), environment))


def yaml_of(flags: dict[str, Flag]) -> str:
    """Write a flags file by hand, so that no code under test is needed to make one."""
    if not flags:
        return "flags: {}\n"
    lines = ["flags:"]
    for name, one in flags.items():
        lines.append(f"  {name}:")
        for key, value in one.model_dump(mode="json", exclude_none=True).items():
            plain = key in {"enabled", "expires"}
            lines.append(f"    {key}: {str(value).lower() if plain else repr_of(value)}")
    return "\n".join(lines) + "\n"


def repr_of(value: object) -> str:
    return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'


def one(before: Flag | None, after: Flag | None, environment: str = "production") -> Change:
    (change,) = differences(
        {NAME: before} if before else {}, {NAME: after} if after else {}, environment
    )
    return change


def test_a_new_flag() -> None:
    change = one(None, flag())
    assert (change.verb, change.before) == (Verb.CREATE, None)
    assert change.expected_live == ABSENT
    assert change.desired_live == {"enabled": True, "value": "20"}
    assert change.summary == f"Flag {NAME} is added to production, on"
    assert change.inverse.startswith(f"coh flag archive {NAME} --env production")


def test_a_flag_that_leaves_is_as_if_it_had_never_been_declared() -> None:
    change = one(flag(), None)
    assert (change.verb, change.risk, change.after) == (Verb.DELETE, Risk.DESTRUCTIVE, None)
    assert change.expected_live == {"enabled": True, "value": "20"}
    assert change.desired_live == ABSENT
    assert change.summary == f"Flag {NAME} leaves production and is switched off there"
    assert change.inverse == f"Revert the merge: it puts {NAME} back on"


@pytest.mark.parametrize(
    ("enabled", "word", "back"), [(True, "on", "disable"), (False, "off", "enable")]
)
def test_a_switch(enabled: bool, word: str, back: str) -> None:  # noqa: FBT001 - a parameter
    change = one(flag(enabled=not enabled), flag(enabled=enabled))
    assert change.verb is Verb.UPDATE
    assert change.expected_live == {"enabled": not enabled, "value": "20"}
    assert change.desired_live == {"enabled": enabled, "value": "20"}
    assert change.summary == f"Flag {NAME} goes {word} in production"
    assert change.inverse.startswith(f"coh flag {back} {NAME}")


def test_another_value() -> None:
    change = one(flag(), flag(value=None))
    assert change.desired_live == {"enabled": True, "value": None}
    assert change.summary == f"Flag {NAME} gets another value in production and stays on"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("type", "permission"),
        ("owner", "growth"),
        ("expires", date(2027, 3, 1)),
        ("reason", "s"),
        ("ticket", None),
        ("description", "e"),
    ],
)
def test_a_record_alone_moves_nothing_outside_and_is_bound_all_the_same(
    field: str, value: object
) -> None:
    change = one(flag(), flag(**{field: value}))
    assert change.expected_live == change.desired_live == live_state(flag())
    assert change.before != change.after
    assert change.summary.startswith(f"The record of flag {NAME} changes in production")


@pytest.mark.parametrize(
    ("environment", "before", "after", "risk"),
    [
        ("production", flag(), flag(enabled=False), Risk.GUARDED),
        ("staging", flag(), flag(enabled=False), Risk.SAFE),
        ("sandbox", flag(), flag(enabled=False), Risk.SAFE),
        ("sandbox", flag(), None, Risk.DESTRUCTIVE),
        ("staging", flag(), flag(type="destructive_gate"), Risk.GUARDED),
        ("staging", flag(type="destructive_gate"), flag(), Risk.GUARDED),
        ("staging", None, flag(type="destructive_gate"), Risk.GUARDED),
    ],
)
def test_risk(environment: str, before: Flag | None, after: Flag | None, risk: Risk) -> None:
    assert one(before, after, environment).risk is risk


FLAGS = st.dictionaries(
    st.sampled_from([f"ops_module_{letter}" for letter in "abcd"]),
    st.builds(
        flag,
        enabled=st.booleans(),
        type=st.sampled_from(list(FlagType)),
        value=st.none() | st.sampled_from(["1", "2"]),
        description=st.none() | st.sampled_from(["d", "e"]),
    ),
)


@given(FLAGS)
def test_equal_states_differ_in_nothing(flags: dict[str, Flag]) -> None:
    assert differences(flags, flags) == []


@given(FLAGS, FLAGS)
def test_the_way_back_expects_what_the_way_there_makes(
    before: dict[str, Flag], after: dict[str, Flag]
) -> None:
    there = {change.target: change for change in differences(before, after)}
    back = {change.target: change for change in differences(after, before)}
    differing = {name for name in before | after if before.get(name) != after.get(name)}
    assert set(there) == set(back) == differing
    for name, change in there.items():
        assert (change.before, change.after) == (back[name].after, back[name].before)
        if change.verb is Verb.UPDATE:
            assert change.desired_live == back[name].expected_live
            assert change.expected_live == back[name].desired_live
