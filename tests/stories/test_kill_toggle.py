"""A flag toggle is killed wherever it may be; it is done once, whatever died (invariant 4)."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

import pytest

from tests.stories.kills import (
    POINTS,
    SWITCHED,
    crash,
    entries,
    exactly_once,
    kill_after,
    settled,
    start,
    statuses,
)
from tests.support.hub import PRODUCTION

if TYPE_CHECKING:
    from tests.support.hub import Hub

FLAG = "ops_module_webhooks"
KILLS = 5


def toggle(hub: Hub, reason: str) -> tuple[str, bool]:
    """Merge a change that switches the flag; returns the commit and the state it asks for."""
    wanted = not hub.flag(PRODUCTION, FLAG)
    return hub.merged_toggle(FLAG, enabled=wanted, reason=reason), wanted


@pytest.mark.parametrize(
    "point", ["0.intent:recorded", "0.perform:begun", "0.perform:worked", "close:worked"]
)
def test_killed_at_a_durable_point_and_finished(shared_hub: Hub, point: str) -> None:
    hub = shared_hub
    commit, wanted = toggle(hub, f"Killed at {point}")
    switched = POINTS.index(point) >= POINTS.index("0.perform:worked")
    with exactly_once(hub, SWITCHED, commit):
        crash(hub, commit, point)
        assert hub.flag(PRODUCTION, FLAG) is (wanted if switched else not wanted)
        assert statuses(hub.quietly("reconcile", "--json")) == ["done"]
    assert hub.flag(PRODUCTION, FLAG) is wanted


def test_killed_at_every_durable_point_of_one_run(shared_hub: Hub) -> None:
    hub = shared_hub
    commit, wanted = toggle(hub, "Killed at every point")
    with exactly_once(hub, SWITCHED, commit):
        crash(hub, commit, POINTS[0])
        for point in POINTS[1:]:
            crash(hub, "-", point)  # who finishes it gets one point further and dies as well
        assert statuses(hub.quietly("reconcile", "--json")) == ["done"]
    assert hub.flag(PRODUCTION, FLAG) is wanted


def test_apply_after_a_crash_finishes_it_as_well(shared_hub: Hub) -> None:
    hub = shared_hub
    commit, wanted = toggle(hub, "Killed, then applied")
    with exactly_once(hub, SWITCHED, commit):
        crash(hub, commit, "0.perform:worked")
        assert statuses(hub.quietly("apply", "--commit", commit, "--json")) == ["done"]
    assert hub.flag(PRODUCTION, FLAG) is wanted


def test_killed_at_any_instruction(shared_hub: Hub) -> None:
    hub = shared_hub
    commit, _ = toggle(hub, "Measured")
    began = time.monotonic()
    assert statuses(hub.quietly("apply", "--commit", commit, "--json")) == ["done"]
    length = time.monotonic() - began
    moments = random.Random(20261124)  # noqa: S311 - repeatable moments, no secret
    killed = 0
    for number in range(KILLS):
        commit, wanted = toggle(hub, f"Killed at random {number}")
        with exactly_once(hub, SWITCHED, commit):
            killed += kill_after(
                hub,
                moments.uniform(0.1, 1.0) * length,
                *("-m", "ops_actions.cli", "apply", "--commit", commit),
                whole_machine=bool(number % 2),
            )
            finish(hub, commit)
        assert hub.flag(PRODUCTION, FLAG) is wanted
    assert killed > KILLS // 2


def finish(hub: Hub, commit: str) -> None:
    """Do what CI does after a lost runner: reconcile, and apply when that found nothing."""
    if statuses(hub.quietly("reconcile", "--json")) != ["done"]:
        # The process died before it had the lock, or when nothing but its exit was left.
        assert statuses(hub.quietly("apply", "--commit", commit, "--json")) in ([], ["done"])


def test_two_at_once_are_one(shared_hub: Hub) -> None:
    hub = shared_hub
    commit, wanted = toggle(hub, "Two at once")
    with exactly_once(hub, SWITCHED, commit):
        both = [start(hub, "-m", "ops_actions.cli", "apply", "--commit", commit) for _ in range(2)]
        said = [process.communicate() for process in both]
        codes = sorted(process.returncode for process in both)
        assert codes in ([0, 0], [0, 1]), said
        if codes == [0, 1]:
            assert any("lock." in err for _, err in said), said
    assert hub.flag(PRODUCTION, FLAG) is wanted
    assert hub.quietly("reconcile", "--json").items("applies") == []


def test_an_answer_that_gets_lost_is_one_change(shared_hub: Hub) -> None:
    hub = shared_hub
    commit, wanted = toggle(hub, "The answer got lost")
    hub.fault("flagsmith", kind="drop_after_effect", method="PUT", path_regex="/featurestates/")
    # The client repeats this PUT, which replaces the whole state: the second one changes nothing.
    with exactly_once(hub, SWITCHED, commit, calls=2):
        assert statuses(hub.quietly("apply", "--commit", commit, "--json")) == ["done"]
    assert hub.flag(PRODUCTION, FLAG) is wanted


def test_given_up_by_a_human_it_is_never_done(shared_hub: Hub) -> None:
    hub = shared_hub
    commit, wanted = toggle(hub, "Begun, then given up")
    before = SWITCHED.count(hub)
    crash(hub, commit, "0.intent:recorded")
    given_up = hub.quietly(
        "reconcile", "--settle", commit, "--reason", "Not wanted any more", "--json"
    )
    assert statuses(given_up) == ["settled"]
    assert hub.quietly("reconcile", "--json").items("applies") == []
    assert hub.quietly("apply", "--commit", commit, "--json").items("applies") == []
    assert SWITCHED.count(hub) == before
    assert hub.flag(PRODUCTION, FLAG) is not wanted
    assert entries(hub, commit) == [("intent", "intended"), ("settle", "given_up")]
    settled(hub, commit)
