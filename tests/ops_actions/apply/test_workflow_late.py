"""A run that lay open after a crash finds the world as it is now: time, gate and cursor."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest

from ops_actions.plan.model import Kind
from tests.ops_actions.apply.simulator import BEFORE, LAST, OFF, ON, Crash, World, flag_change, run


def outcome_of(result: object) -> dict[str, Any]:
    return cast("dict[str, Any]", result)


def test_an_action_that_lay_open_past_its_last_moment_is_not_carried_out() -> None:
    world = World({"a": OFF})
    world.now = LAST
    result = outcome_of(world.apply(run(flag_change("a", kind=Kind.ACTION))))
    assert (result["status"], result["code"], result["exit_code"]) == (
        "not_done",
        "apply.expired",
        1,
    )
    assert world.service.calls == []
    assert world.flags == {"a": OFF}
    assert world.book.last == BEFORE
    assert world.book.lock is None


def test_an_action_that_was_done_before_a_crash_is_recorded_however_late() -> None:
    world = World({"a": OFF})
    what = run(flag_change("a", kind=Kind.ACTION))
    for number in range(20):
        world.crash_at(number)
        with suppress(Crash):
            world.apply(what)
        if world.service.calls:
            break
    world.crash_at(None)
    world.now = LAST + timedelta(days=3)
    assert outcome_of(world.apply(what))["status"] == "done"
    assert world.service.calls == ["a"]
    assert ("outcome", "a", "done") in world.results()


@pytest.mark.parametrize("gate", [False, None])
def test_a_gate_that_was_closed_while_the_run_lay_open_stops_the_call(gate: bool | None) -> None:  # noqa: FBT001
    world = World({"a": OFF})
    world.gate = gate
    change = replace(flag_change("a", kind=Kind.ACTION), gate="ops_gate_x")
    result = outcome_of(world.apply(run(change)))
    assert (result["status"], result["code"]) == ("not_done", "apply.gate_closed")
    assert "ops_gate_x" in result["fact"]
    assert world.service.calls == []
    assert world.book.lock is None


def test_a_gate_that_was_closed_after_the_call_changes_nothing() -> None:
    world = World({"a": ON})
    world.gate = False
    change = replace(flag_change("a", kind=Kind.ACTION), gate="ops_gate_x")
    assert outcome_of(world.apply(run(change)))["status"] == "done"


def test_a_close_that_was_not_recorded_moves_the_cursor_once() -> None:
    world = World({"a": OFF})
    what = run(flag_change("a"))
    world.apply(what)
    # The process died before the step's record, and others went on since.
    del world.recorded["close"]
    world.book.last = "f" * 40
    assert outcome_of(world.apply(what))["status"] == "done"
    assert world.book.last == "f" * 40
