from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_actions.apply.protocol import UnknownOutcomeError
from ops_actions.apply.workflow import READ_BACKS
from ops_actions.errors import OutsideError, RefusedError, UndecidableError
from ops_actions.plan.model import Kind
from tests.ops_actions.apply.simulator import (
    BEFORE,
    COMMIT,
    OFF,
    ON,
    Crash,
    Trouble,
    World,
    flag_change,
    run,
)

if TYPE_CHECKING:
    from ops_actions.canonical import Json

THIRD: Json = {"enabled": True, "value": "by hand"}
DOWN = OutsideError("outside.test", "it is down", "coh reconcile")
NO_ANSWER = UnknownOutcomeError("the connection broke")


def ended(result: object) -> dict[str, Any]:
    return cast("dict[str, Any]", result)


def assert_done(world: World, targets: list[str]) -> None:
    assert world.book.last == COMMIT
    assert world.book.lock is None
    assert list(world.book.outbox) == [f"{COMMIT}/applied"]
    assert sorted(one for one in world.results() if one[0] == "outcome") == [
        ("outcome", name, "done") for name in sorted(targets)
    ]


def assert_short(world: World, message: str) -> None:
    assert world.book.last == BEFORE
    assert list(world.book.outbox) == [f"{COMMIT}/{message}"]


def test_a_change_is_done_once_with_an_intent_and_an_outcome() -> None:
    world = World({"a": OFF})
    assert ended(world.apply(run(flag_change("a"))))["status"] == "done"
    assert world.flags == {"a": ON}
    assert world.service.calls == ["a"]
    assert world.results() == [("intent", "a", "intended"), ("outcome", "a", "done")]
    assert_done(world, ["a"])


def test_the_message_names_the_changes_and_who_approved() -> None:
    world = World({f"f{n:02}": OFF for n in range(12)})
    world.apply(run(*(flag_change(name) for name in world.flags)))
    text = world.book.outbox[f"{COMMIT}/applied"].text
    assert text.startswith("*applied* in production: pull request #7 by tariq-noor")
    assert "• f09 changes" in text
    assert "f10" not in text
    assert "… and 2 more" in text
    assert text.endswith("Approved by sofia-berg")


def test_a_state_that_is_reached_already_is_not_called_for() -> None:
    world = World({"a": ON})
    assert ended(world.apply(run(flag_change("a"))))["status"] == "done"
    assert world.points > 0
    assert world.service.calls == []
    assert_done(world, ["a"])


@pytest.mark.parametrize(("always", "asked"), [(True, 1), (False, 0)])
def test_an_engine_with_records_of_its_own_runs_also_for_a_reached_state(
    always: bool,  # noqa: FBT001 - a parameter of the test
    asked: int,
) -> None:
    world = World({"a": ON}, always_perform=always)
    world.service.troubles = [Trouble(DOWN)]
    world.apply(run(flag_change("a")))
    assert len(world.service.troubles) == 1 - asked
    assert_done(world, ["a"])


def test_kinds_without_an_effect_are_done_by_the_merge() -> None:
    world = World({})
    people = flag_change("auth0|x", None, None, Kind.ACCESS)
    assert ended(world.apply(run(people)))["status"] == "done"
    assert_done(world, ["auth0|x"])


def test_groups_run_one_after_another_and_the_first_that_fails_ends_the_run() -> None:
    world = World({"a": OFF, "b": OFF, "c": OFF})
    world.service.troubles = [Trouble(DOWN)]
    changes = (flag_change("a"), flag_change("b", kind=Kind.ACTION), flag_change("c"))
    result = ended(world.apply(run(*changes)))
    assert (result["status"], result["code"], result["exit_code"]) == ("not_done", DOWN.code, 3)
    assert world.flags == {"a": OFF, "b": OFF, "c": OFF}
    assert world.results() == [("intent", "a", "intended"), ("outcome", "a", "not_done")]
    assert world.book.lock is None
    assert_short(world, "not applied")
    world.recorded.clear()
    world.book.take_lock("production", COMMIT)
    assert ended(world.apply(run(*changes), f"{COMMIT}#2"))["status"] == "done"
    assert world.service.calls == ["a", "b", "c"]
    assert world.book.last == COMMIT


def test_a_refusing_engine_ends_not_done_with_its_own_code() -> None:
    world = World({"a": OFF})
    world.service.troubles = [Trouble(RefusedError("apply.engine_does_more", "too much", "look"))]
    result = ended(world.apply(run(flag_change("a"))))
    assert (result["status"], result["code"], result["exit_code"]) == (
        "not_done",
        "apply.engine_does_more",
        1,
    )


def test_a_good_answer_without_an_effect_is_not_believed() -> None:
    world = World({"a": OFF})
    world.service.slow_reads = READ_BACKS
    result = ended(world.apply(run(flag_change("a"))))
    assert (result["status"], result["code"], result["exit_code"]) == (
        "not_done",
        "apply.not_done",
        3,
    )
    assert world.waits == [1, 2, 3, 4]


def test_reading_back_has_patience() -> None:
    world = World({"a": OFF})
    world.service.slow_reads = READ_BACKS - 1
    assert ended(world.apply(run(flag_change("a"))))["status"] == "done"


def test_no_answer_but_done_is_done() -> None:
    world = World({"a": OFF})
    world.service.troubles = [Trouble(NO_ANSWER, happened=True)]
    assert ended(world.apply(run(flag_change("a"))))["status"] == "done"
    assert world.service.calls == ["a"]
    assert_done(world, ["a"])


def test_no_answer_and_not_done_is_for_a_human() -> None:
    world = World({"a": OFF})
    world.service.troubles = [Trouble(NO_ANSWER)]
    result = ended(world.apply(run(flag_change("a"))))
    assert (result["status"], result["code"], result["exit_code"]) == (
        "undecidable",
        "apply.no_answer",
        5,
    )
    assert result["next"]
    assert world.book.lock is not None
    assert world.book.lock.state == "undecidable"
    assert "the connection broke" in world.book.lock.note
    assert_short(world, "needs a human")


def test_a_third_state_stops_before_anything_is_called() -> None:
    world = World({"a": OFF, "b": THIRD})
    result = ended(world.apply(run(flag_change("a"), flag_change("b"))))
    assert (result["status"], result["code"], result["exit_code"]) == (
        "undecidable",
        "apply.undecidable",
        5,
    )
    assert "b is neither" in result["fact"]
    assert world.service.calls == []
    assert world.flags == {"a": OFF, "b": THIRD}


def test_a_third_state_after_a_good_answer_is_for_a_human_and_says_so() -> None:
    world = World({"a": OFF})
    world.service.lands_on = THIRD
    result = ended(world.apply(run(flag_change("a"))))
    assert (result["status"], result["code"]) == ("undecidable", "apply.undecidable")
    assert "a is neither as expected nor as desired" in result["fact"]


def test_an_effect_that_says_it_is_undecidable_is_believed() -> None:
    world = World({"a": OFF})
    world.service.troubles = [Trouble(UndecidableError("x.y", "half done", "look"))]
    result = ended(world.apply(run(flag_change("a"))))
    assert (result["status"], result["code"]) == ("undecidable", "x.y")


def test_an_outside_that_can_not_be_read_is_not_called() -> None:
    world = World({"a": OFF})
    world.service.unreadable = [DOWN]
    result = ended(world.apply(run(flag_change("a"))))
    assert (result["status"], result["code"]) == ("not_done", DOWN.code)
    assert world.service.calls == []


def test_an_outside_that_can_not_be_read_back_is_for_a_human() -> None:
    world = World({"a": OFF})
    world.service.unreadable_after_calls = [DOWN] * READ_BACKS
    result = ended(world.apply(run(flag_change("a"))))
    assert (result["status"], result["exit_code"]) == ("undecidable", 5)
    entry = list(world.book.entries.values())[-1]
    assert entry.result == "undecidable"
    assert entry.detail["read_back"] == {"unreadable": DOWN.code}


def test_a_process_that_lost_its_lock_calls_nothing() -> None:
    world = World({"a": OFF})
    world.crash_at(5)  # its intent is written and recorded
    with pytest.raises(Crash):
        world.apply(run(flag_change("a")))
    assert world.recorded == {"0.intent": None}
    world.crash_at(None)
    world.book.take_lock("production", "d" * 40)
    with pytest.raises(RefusedError, match=r"lock\.not_held"):
        world.apply(run(flag_change("a")))
    assert world.flags == {"a": OFF}
    assert world.book.last == BEFORE


def test_odd_and_long_names_still_get_an_entry_of_their_own() -> None:
    names = [f"{letter * 2000}\t" for letter in "ab"]
    world = World({})
    changes = [flag_change(name, None, None, Kind.DOCUMENT) for name in names]
    assert ended(world.apply(run(*changes)))["status"] == "done"
    assert len(world.book.entries) == 4


@given(
    states=st.lists(st.sampled_from([OFF, ON]), min_size=1, max_size=4),
    kinds=st.lists(st.sampled_from([Kind.FLAG, Kind.ACTION, Kind.ACCESS]), min_size=4, max_size=4),
    crashes=st.lists(st.integers(0, 80), max_size=4),
    always=st.booleans(),
)
def test_whatever_crashes_each_change_is_done_once(
    states: list[Any],
    kinds: list[Kind],
    crashes: list[int],
    always: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    names = [f"f{number}" for number in range(len(states))]
    world = World(dict(zip(names, states, strict=True)), always_perform=always)
    changes = [
        flag_change(name, *((None, None) if kind is Kind.ACCESS else (OFF, ON)), kind)
        for name, kind in zip(names, kinds, strict=False)
    ]
    outside = [name for name, kind in zip(names, kinds, strict=False) if kind is not Kind.ACCESS]
    needed = [name for name in outside if world.flags[name] == OFF]
    for number in crashes:
        world.crash_at(number)
        try:
            world.apply(run(*changes))
        except Crash:
            continue
    world.crash_at(None)
    assert ended(world.apply(run(*changes)))["status"] == "done"
    assert world.service.calls == needed
    assert all(world.flags[name] == ON for name in outside)
    assert_done(world, names)
    assert len(world.book.entries) == 2 * len(names)


@given(crashes=st.lists(st.integers(0, 25), min_size=1, max_size=4))
def test_whatever_crashes_a_state_nobody_asked_for_is_kept_for_a_human(crashes: list[int]) -> None:
    world = World({"a": OFF})
    for number in crashes:
        world.crash_at(number)
        try:
            world.apply(run(flag_change("a")))
        except Crash:
            world.flags["a"] = THIRD
    if world.flags["a"] != THIRD:
        return
    world.crash_at(None)
    result = ended(world.apply(run(flag_change("a"))))
    assert world.flags["a"] == THIRD
    if result["status"] == "undecidable":
        assert world.book.lock is not None
        assert world.book.lock.state == "undecidable"
        assert world.book.last == BEFORE
    else:  # it was done and read back before somebody moved it on
        assert ("outcome", "a", "done") in world.results()
        assert_done(world, ["a"])
