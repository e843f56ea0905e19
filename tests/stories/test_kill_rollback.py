"""A rollback is killed, fails, gets no answer or meets somebody else; it is never done twice."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import httpx
import pytest

from ops_actions.flow.reconcile import reconcile
from tests.stories.desk import seated
from tests.stories.kills import (
    POINTS,
    ROLLED_BACK,
    TOLD,
    crash,
    entries,
    exactly_once,
    merged_rollback,
    open_the_gate,
    production,
    promote_a_third,
    settled,
    statuses,
    vercel,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.stories.desk import Desk
    from tests.support.hub import Hub


@pytest.fixture(scope="module")
def opened(shared_hub: Hub) -> Hub:
    open_the_gate(shared_hub)
    return shared_hub


@pytest.fixture(scope="module")
def worker(opened: Hub) -> Iterator[Desk]:
    """Another worker, alive the whole time, that finishes what the dead ones left."""
    with seated(opened) as desk:
        yield desk


@pytest.mark.parametrize("point", POINTS)
def test_killed_at_a_durable_point_and_finished(opened: Hub, worker: Desk, point: str) -> None:
    hub = opened
    commit, to = merged_rollback(hub, f"killed-at-{point[2:].replace(':', '-')}")
    before = ROLLED_BACK.count(hub)
    called = POINTS.index(point) >= POINTS.index("0.perform:worked")
    with exactly_once(hub, ROLLED_BACK, commit):
        crash(hub, commit, point)
        assert ROLLED_BACK.count(hub) == before + called
        reports = reconcile(worker.tools, datetime.now(UTC))
        assert [(report.commit, report.status) for report in reports] == [(commit, "done")]
    assert production(hub) == to


def test_an_answer_that_gets_lost_is_not_asked_for_twice(opened: Hub) -> None:
    hub = opened
    commit, to = merged_rollback(hub, "answer-lost")
    hub.fault("vercel", kind="drop_after_effect", method="POST", path_regex="/rollback/")
    with exactly_once(hub, ROLLED_BACK, commit):
        assert statuses(hub.quietly("apply", "--commit", commit, "--json")) == ["done"]
    assert production(hub) == to


def test_killed_while_the_job_runs_it_is_waited_for_and_not_started_again(opened: Hub) -> None:
    hub = opened
    commit, to = merged_rollback(hub, "job-runs")
    # The process dies before it calls, and the call it would have made is made here: as if it had
    # been sent with the last breath. Each look at a job moves it one step on, so it runs still.
    with exactly_once(hub, ROLLED_BACK, commit):
        crash(hub, commit, "0.perform:begun")
        vercel(hub, "POST", f"/v1/projects/prj_clarivumweb/rollback/{to}")
        assert statuses(hub.quietly("reconcile", "--json")) == ["done"]
    assert production(hub) == to


def test_a_job_that_fails_is_not_done_and_can_be_tried_again(opened: Hub) -> None:
    hub = opened
    commit, to = merged_rollback(hub, "job-fails")
    current, told = production(hub), TOLD.count(hub)
    httpx.post(
        f"{hub.running.urls['vercel']}/_sandbox/jobs",
        headers={"X-Sandbox-Key": hub.running.key},
        json={"fail": True},
    ).raise_for_status()
    failed = hub.quietly("apply", "--commit", commit, "--json")
    assert statuses(failed, 3) == ["not_done"]
    assert failed.items("applies")[0]["code"] == "apply.job_failed"
    assert production(hub) == current
    assert hub.rows("select change_id from ops_apply_lock") == []
    assert hub.rows("select last_applied from ops_apply_cursor") != [(commit,)]

    assert statuses(hub.quietly("apply", "--commit", commit, "--json")) == ["done"]
    assert production(hub) == to
    assert entries(hub, commit) == [
        ("intent", "intended"),
        ("outcome", "not_done"),
        ("intent", "intended"),
        ("outcome", "done"),
    ]
    assert TOLD.count(hub) == told + 2  # once that it was not applied, once that it was
    settled(hub, commit)


def test_a_third_state_waits_for_a_human_who_can_give_it_up(opened: Hub) -> None:
    hub = opened
    commit, _ = merged_rollback(hub, "third-state")
    before = ROLLED_BACK.count(hub)
    crash(hub, commit, "0.intent:recorded")
    third = promote_a_third(hub)

    for _ in range(2):
        stuck = hub.quietly("reconcile", "--json")
        assert statuses(stuck, 5) == ["undecidable"]
    assert hub.rows("select change_id, state from ops_apply_lock") == [(commit, "undecidable")]
    assert hub.quietly("apply", "--commit", commit).code == 5
    assert production(hub) == third

    given_up = hub.quietly(
        *("reconcile", "--settle", commit, "--reason", "Somebody promoted a fix", "--json")
    )
    assert statuses(given_up) == ["settled"]
    assert ROLLED_BACK.count(hub) == before
    assert production(hub) == third
    assert ("outcome", "undecidable") in entries(hub, commit)
    assert entries(hub, commit)[-1] == ("settle", "given_up")
    settled(hub, commit)


def test_the_next_change_goes_on_from_what_is_there(opened: Hub) -> None:
    hub = opened
    commit, to = merged_rollback(hub, "after-all")
    with exactly_once(hub, ROLLED_BACK, commit):
        assert statuses(hub.quietly("apply", "--commit", commit, "--json")) == ["done"]
    assert production(hub) == to
    assert hub.quietly("audit", "verify").code == 0
