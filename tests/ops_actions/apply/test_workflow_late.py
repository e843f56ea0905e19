"""A run that lay open after a crash does nothing after the last moment of its action."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import Any, cast

from ops_actions.plan.model import Kind
from tests.ops_actions.apply.simulator import BEFORE, LAST, OFF, Crash, World, flag_change, run


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
