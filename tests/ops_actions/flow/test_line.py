"""The line of merged commits: what stops it, what passes, and that it never goes back."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from infra.settings.edit import set_flag
from infra.settings.environment import file_of
from ops_actions.apply.entries import settlement
from ops_actions.errors import BadRequestError
from ops_actions.flow.apply import apply_upto
from ops_actions.flow.reconcile import next_in_line, reconcile, settle
from tests.stories.desk import FLAGS, NOTED, Desk, seated
from tests.stories.kills import SWITCHED, crash, exactly_once
from tests.support.hub import ADMIN, COLLEAGUE, ENGINEER, PRODUCTION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ops_actions.canonical import Json
    from ops_actions.plan.model import Change
    from tests.support.hub import Hub

FLAG = "ops_module_webhooks"
STAGING_FLAGS = file_of("staging", "flags")
PLATFORM = file_of(PRODUCTION, "platform")


@pytest.fixture(scope="module")
def desk(shared_hub: Hub) -> Iterator[Desk]:
    assert shared_hub.quietly("infra", "up", "--env", "staging").code == 0
    with seated(shared_hub) as opened:
        yield opened


def toggle(desk: Desk, reason: str) -> int:
    return desk.toggle(FLAG, enabled=not desk.hub.flag(PRODUCTION, FLAG), reason=reason)


def noted_in_staging(desk: Desk, reason: str, **more: bytes) -> int:
    flags = set_flag(desk.read(STAGING_FLAGS), NOTED, reason=reason)
    return desk.raise_files({STAGING_FLAGS: flags, **more})


class Unset:
    """An effect whose service nobody has set up on this machine."""

    always_perform = False

    def observe(self, change: Change) -> Json:
        raise BadRequestError("target.missing", f"no token to read {change.target}", "set it")

    def perform(self, *_: object) -> None:
        raise AssertionError


def test_a_document_and_a_flag_in_one_request_are_applied_together(desk: Desk) -> None:
    number = noted_in_staging(desk, "With a line about it", **{"docs/notes.md": b"A line\n"})
    commit = desk.applied(number, ADMIN)
    assert [phase for phase, _ in desk.entries(commit)] == ["intent", "outcome"] * 2
    desk.passed(commit)


def test_a_machine_that_is_not_set_up_refuses_nobody(desk: Desk) -> None:
    cursor = desk.tools.book.cursor()
    commit = desk.merged(toggle(desk, "No token here"), COLLEAGUE)
    unset = Unset()
    tools = replace(desk.tools, effects=dict.fromkeys(desk.tools.effects, unset))
    with pytest.raises(BadRequestError, match=r"target\.missing"):
        apply_upto(tools, commit, datetime.now(UTC))
    assert desk.tools.book.cursor() == cursor
    assert desk.tools.book.locks() == ()
    assert desk.entries(commit) == []
    with exactly_once(desk.hub, SWITCHED, commit):
        assert desk.apply(commit).status == "done"


def test_an_approval_that_was_taken_back_refuses_a_second_try_for_which_it_can_return(
    desk: Desk,
) -> None:
    number = toggle(desk, "Approved, then not")
    commit = desk.merged(number, COLLEAGUE)
    desk.hub.fault("flagsmith", kind="status", status=500, method="PUT", times=None)
    assert desk.apply(commit).status == "not_done"
    desk.hub.clear_faults("flagsmith")
    review = desk.api(ENGINEER, "GET", f"pulls/{number}/reviews").json()[-1]["id"]
    dismissed = desk.api(
        ADMIN, "PUT", f"pulls/{number}/reviews/{review}/dismissals", {"message": "Wait"}
    )
    dismissed.raise_for_status()
    report = desk.apply(commit)
    assert (report.status, report.code) == ("refused", "change.approvals")
    assert commit in desk.tools.book.refused()
    desk.hub.approve(number, COLLEAGUE)
    assert desk.apply(commit).status == "done"
    assert commit not in desk.tools.book.refused()


def test_a_commit_that_can_never_be_done_is_given_up_without_a_lock(desk: Desk) -> None:
    stuck = desk.merged(toggle(desk, "Never gets through"), COLLEAGUE)
    behind = desk.merged(noted_in_staging(desk, "Behind it"), COLLEAGUE)
    desk.hub.fault("flagsmith", kind="status", status=400, method="PUT", times=None)
    assert desk.apply(behind).status == "not_done"
    assert next_in_line(desk.tools, behind) is None
    lock = next_in_line(desk.tools, stuck)
    assert lock is not None
    words = settlement(lock, ADMIN, "Flagsmith refuses it for good", datetime.now(UTC))
    assert settle(desk.tools, lock, words).status == "settled"
    desk.passed(stuck)
    desk.hub.clear_faults("flagsmith")
    assert desk.apply(behind).status == "done"
    assert [one.commit for one in desk.last] == [behind]
    assert desk.entries(stuck)[-1] == ("settle", "given_up")
    # Main and the outside are apart now; the next change of the flag says so.
    live = bool(desk.hub.flag(PRODUCTION, FLAG))
    again = desk.merged(desk.toggle(FLAG, enabled=live, reason="As it is"), COLLEAGUE)
    desk.refused(again, "gate.live_moved")


def test_a_retry_that_died_is_finished_before_newer_commits_and_moves_nothing_back(
    desk: Desk,
) -> None:
    number = toggle(desk, "Approved too late")
    retried = desk.merged(number)
    desk.refused(retried, "change.approvals")
    desk.hub.approve(number, COLLEAGUE)
    switched = SWITCHED.count(desk.hub)
    crash(desk.hub, retried, "0.intent:recorded")
    newer = desk.merged(noted_in_staging(desk, "Newer"), COLLEAGUE)
    report = desk.apply(newer)
    assert SWITCHED.count(desk.hub) == switched + 1
    assert [one.commit for one in desk.last] == [retried, newer]
    assert {one.status for one in desk.last} == {"done"}
    assert report.commit == newer
    desk.passed(newer)


def test_reconcile_of_a_passed_commit_leaves_the_cursor(desk: Desk) -> None:
    number = toggle(desk, "Approved late, again")
    retried = desk.merged(number)
    desk.refused(retried, "change.approvals")
    desk.hub.approve(number, COLLEAGUE)
    switched = SWITCHED.count(desk.hub)
    crash(desk.hub, retried, "close:begun")
    (report,) = reconcile(desk.tools, datetime.now(UTC))
    assert SWITCHED.count(desk.hub) == switched + 1
    assert (report.commit, report.status) == (retried, "done")
    desk.passed(retried)


def test_a_broken_file_beside_the_flags_refuses_them_and_its_repair_passes(desk: Desk) -> None:
    good = desk.read(PLATFORM)
    broken = desk.merged(desk.raise_files({PLATFORM: good + b"surprise: 1\n"}), ADMIN)
    desk.refused(broken, "declared.invalid")
    report = desk.refused(desk.merged(toggle(desk, "On top"), COLLEAGUE), "declared.invalid")
    assert PLATFORM in report.fact
    desk.applied(desk.raise_files({PLATFORM: good}), ADMIN)
    desk.refused(
        desk.merged(toggle(desk, "What main says was never done"), COLLEAGUE), "gate.live_moved"
    )


def test_a_merge_into_another_branch_that_reaches_main_is_a_push(desk: Desk) -> None:
    main = desk.api(ENGINEER, "GET", "git/ref/heads/main").json()["object"]["sha"]
    body = {"ref": "refs/heads/feature", "sha": main}
    desk.api(ENGINEER, "POST", "git/refs", body).raise_for_status()
    number = desk.raise_files({FLAGS: set_flag(desk.read(FLAGS), NOTED, reason="A way around")})
    desk.api(ENGINEER, "PATCH", f"pulls/{number}", {"base": "feature"}).raise_for_status()
    desk.hub.approve(number, COLLEAGUE)
    commit = desk.hub.merge(number)
    moved = desk.api(ADMIN, "PATCH", "git/refs/heads/main", {"sha": commit})
    moved.raise_for_status()
    desk.refused(commit, "gate.no_pull_request")
