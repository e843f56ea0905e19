"""Invariants 1 and 4: what was approved is what runs, in order, whatever moves in between."""

from __future__ import annotations

import pytest

from infra.settings.edit import set_flag
from ops_actions.decision.model import Outcome
from ops_actions.errors import BadRequestError, RefusedError
from sandbox.home import BOT
from tests.stories.desk import FLAGS, NOTED, Desk
from tests.support.hub import ADMIN, COLLEAGUE, ENGINEER, PRODUCTION

OTHER = "ops_module_notifications"

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")  # see desk.seated


def _denied(desk: Desk, number: int) -> set[str]:
    report = desk.check(number)
    assert report.decision.outcome is Outcome.DENY
    assert desk.status(number)[0] == "failure"
    return {violation.code for violation in report.decision.violations}


def test_a_head_that_moved_after_the_check_is_not_merged(desk: Desk) -> None:
    number = desk.note("Checked")
    desk.hub.approve(number, COLLEAGUE)
    checked = desk.check(number).plan.head
    flags = set_flag(desk.read(FLAGS, checked), NOTED, reason="Pushed after the check")
    desk.push(number, FLAGS, flags, ENGINEER)

    raw = desk.api(ADMIN, "PUT", f"pulls/{number}/merge", {"sha": checked})
    with pytest.raises(RefusedError, match=r"github\.head_moved"):
        desk.hub.host(ADMIN).merge(number, checked)

    assert raw.status_code == 409
    assert desk.hub.host(BOT).pull_request(number).merged is False


def test_an_unrelated_merge_in_between_leaves_an_approval_valid(desk: Desk) -> None:
    waiting = desk.note("Approved first")
    desk.hub.approve(waiting, COLLEAGUE)
    first = desk.check(waiting)
    between = desk.merged(desk.note("Merged first", flag=OTHER), COLLEAGUE)

    again = desk.check(waiting)
    commit = desk.merged(waiting)
    report = desk.apply(commit)

    assert again.decision.outcome is Outcome.ALLOW
    assert again.plan.digest == first.plan.digest
    assert [(one.commit, one.status) for one in desk.last] == [(between, "done"), (commit, "done")]
    assert report.exit_code == 0


def test_a_merge_that_changes_the_same_thing_voids_an_approval(desk: Desk) -> None:
    waiting = desk.note("Approved over the old description")
    desk.hub.approve(waiting, COLLEAGUE)
    # The description stands below the ticket, so git merges both without a conflict.
    other = desk.read(FLAGS).replace(b"outside APIs through its proxy", b"anything it likes")
    desk.applied(desk.raise_files({FLAGS: other}), COLLEAGUE)

    report = desk.refused(desk.merged(waiting), "gate.plan_moved")

    assert f"first differing: flag {NOTED}" in report.fact


def test_a_push_to_main_is_refused_recorded_and_stops_nobody(desk: Desk) -> None:
    flags = set_flag(desk.read(FLAGS), OTHER, enabled=False, reason="Nobody asked")
    pushed = desk.push_to_main(FLAGS, flags)
    commit = desk.merged(desk.note("The next one"), COLLEAGUE)

    report = desk.apply(commit)

    assert [(one.commit, one.status, one.code) for one in desk.last] == [
        (pushed, "refused", "gate.no_pull_request"),
        (commit, "done", ""),
    ]
    assert report.exit_code == 0
    assert desk.entries(pushed) == [("refusal", "gate.no_pull_request")]
    assert desk.hub.flag(PRODUCTION, OTHER) is True
    desk.passed(commit)


def test_a_value_moved_by_hand_is_not_overwritten(desk: Desk) -> None:
    flag = "ops_module_finance"
    number = desk.toggle(flag, enabled=False, reason="Month end is over")
    desk.live(flag, enabled=False)
    commit = desk.merged(number, COLLEAGUE)

    report = desk.refused(commit, "gate.live_moved")

    assert report.exit_code == 1
    assert flag in report.fact
    assert "coh flag list --env production" in report.next_step


def test_an_older_run_undoes_nothing(desk: Desk) -> None:
    flag = "ops_module_audit_feed"
    off = desk.merged(desk.toggle(flag, enabled=False, reason="Feed is noisy"), COLLEAGUE)
    on = desk.merged(desk.toggle(flag, enabled=True, reason="Feed is calm"), COLLEAGUE)

    desk.apply(on)
    newer = [(one.commit, one.status) for one in desk.last]
    with desk.nothing_done():
        older = desk.hub.quietly("apply", "--commit", off, "--json")

    assert newer == [(off, "done"), (on, "done")]
    assert older.code == 0
    assert older.items("applies") == []
    assert desk.hub.flag(PRODUCTION, flag) is True
    desk.passed(on)


def test_a_refused_commit_is_not_tried_again_behind_a_newer_one(desk: Desk) -> None:
    refused = desk.merged(desk.note("Without approval"))
    newer = desk.merged(desk.note("With approval"), COLLEAGUE)
    desk.apply(newer)

    again = desk.hub.quietly("apply", "--commit", refused, "--json")

    assert [one.status for one in desk.last] == ["refused", "done"]
    assert again.code == 1
    assert '"code": "apply.superseded"' in again.err
    desk.passed(newer)


def test_a_refused_commit_is_judged_again_while_it_is_the_newest(desk: Desk) -> None:
    number = desk.note("Approved only after the merge")
    commit = desk.merged(number)
    desk.refused(commit, "change.approvals")

    desk.hub.approve(number, COLLEAGUE)
    report = desk.apply(commit)

    assert (report.status, report.code) == ("done", "")
    assert [phase for phase, _ in desk.entries(commit)] == ["refusal", "intent", "outcome"]


def test_a_fork_is_refused(desk: Desk) -> None:
    desk.api(ENGINEER, "POST", "forks", {}).raise_for_status()
    values = desk.hub.running.values
    fork = f"{ENGINEER}/{values['COH_GITHUB_REPOSITORY'].partition('/')[2]}"
    flags = set_flag(desk.read(FLAGS), NOTED, reason="From elsewhere")
    desk.push_to_main(FLAGS, flags, ENGINEER, fork)
    body = {"title": "From a fork", "head": f"{ENGINEER}:main", "base": "main"}
    raised = desk.api(ENGINEER, "POST", "pulls", body).raise_for_status().json()
    desk.hub.approve(raised["number"], ADMIN)

    assert "identity.no_fork" in _denied(desk, raised["number"])
    report = desk.apply(desk.merged(raised["number"]))
    assert (report.status, report.code) == ("refused", "change.last_pusher_known")


def test_a_draft_is_refused(desk: Desk) -> None:
    number = desk.note("Not ready")
    branch = desk.hub.host(BOT).pull_request(number).head_branch
    desk.api(ENGINEER, "PATCH", f"pulls/{number}", {"state": "closed"}).raise_for_status()
    body = {"title": "Draft", "head": branch, "base": "main", "draft": True}
    draft = desk.api(ENGINEER, "POST", "pulls", body).raise_for_status().json()["number"]
    desk.hub.approve(draft, COLLEAGUE)

    assert _denied(desk, draft) == {"identity.not_draft"}
    with pytest.raises(RefusedError, match=r"github\.not_mergeable"):
        desk.hub.merge(draft)


def test_a_conflict_is_refused(desk: Desk) -> None:
    number = desk.note("One wording")
    desk.hub.approve(number, COLLEAGUE)
    desk.applied(desk.note("Another wording"), COLLEAGUE)

    assert _denied(desk, number) == {"change.mergeable"}
    with pytest.raises(RefusedError, match=r"github\.not_mergeable"):
        desk.hub.merge(number)


def test_a_pull_request_to_another_branch_is_not_judged(desk: Desk) -> None:
    number = desk.note("To a side branch")
    desk.hub.host(ADMIN).create_branch_commit("main", "side", {"docs/side.md": b"Side\n"}, "t")
    desk.api(ENGINEER, "PATCH", f"pulls/{number}", {"base": "side"}).raise_for_status()

    with pytest.raises(RefusedError, match=r"gate\.other_branch"):
        desk.check(number)

    assert desk.status(number) == ("failure", "gate.other_branch")
    assert "only main is applied" in desk.card(number)


def test_a_commit_that_is_not_on_main_is_not_applied(desk: Desk) -> None:
    side = desk.hub.host(ADMIN).create_branch_commit("main", "loose", {"docs/a.md": b"A\n"}, "t")
    with pytest.raises(BadRequestError, match=r"change\.unknown_commit"):
        desk.tools.judge.repository.first_parent("0" * 40)

    with desk.nothing_done():
        report = desk.apply(side)

    assert (report.status, report.code) == ("refused", "gate.no_pull_request")
