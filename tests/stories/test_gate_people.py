"""Invariants 1 and 2, people: whose approval counts, for which head, under which list."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from infra.settings.edit import remove_flag, set_flag
from ops_actions.decision.model import Outcome
from ops_actions.errors import RefusedError
from sandbox.emulator import Store
from sandbox.github.git import Git
from sandbox.github.gitobjects import Signature, TreeChange
from sandbox.github.seed import delete_user
from sandbox.home import BOT
from tests.stories.desk import ACCESS, FLAGS, NOTED, Desk, home_of
from tests.support.hub import ADMIN, COLLEAGUE, ENGINEER, SECOND_ADMIN

if TYPE_CHECKING:
    from ops_actions.flow.check import CheckReport

VIEWER, LEAVER, THIRD_ADMIN = "li-wen", "dana-cole", "joao-reis"
GATE = "ops_gate_deployment_rollback"
TEAM = (ENGINEER, COLLEAGUE, ADMIN, SECOND_ADMIN, VIEWER, LEAVER, THIRD_ADMIN)

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")  # see desk.seated


def _missing(report: CheckReport) -> list[tuple[str, int, int]]:
    assert report.decision.violations == ()
    assert report.decision.outcome is Outcome.NEEDS_APPROVAL
    return [(need.role, need.have, need.count) for need in report.decision.approvals]


def _denied(report: CheckReport) -> set[str]:
    assert report.decision.outcome is Outcome.DENY
    return {violation.code for violation in report.decision.violations}


def test_self_approval_counts_for_nothing(desk: Desk) -> None:
    number = desk.note("Approved by myself")

    with pytest.raises(RefusedError, match=r"github\.rejected"):
        desk.hub.approve(number, ENGINEER)

    assert _missing(desk.check(number)) == [("ops_editor", 0, 1)]
    assert desk.status(number) == ("pending", "Waiting for 1 approval by ops_editor")
    desk.refused(desk.merged(number), "change.approvals")


def test_approval_of_an_earlier_head_is_stale(desk: Desk) -> None:
    number = desk.note("Seen by a colleague")
    desk.hub.approve(number, COLLEAGUE)
    assert desk.check(number).decision.outcome is Outcome.ALLOW

    flags = desk.read(FLAGS, desk.hub.host(BOT).pull_request(number).head)
    desk.push(number, FLAGS, set_flag(flags, NOTED, reason="Never seen"), ENGINEER)

    assert _missing(desk.check(number)) == [("ops_editor", 0, 1)]
    assert "for the earlier commit" in desk.card(number)
    desk.refused(desk.merged(number), "change.approvals")


def test_last_pusher_does_not_approve_their_own_push(desk: Desk) -> None:
    number = desk.note("Begun by one")
    flags = desk.read(FLAGS, desk.hub.host(BOT).pull_request(number).head)
    desk.push(number, FLAGS, set_flag(flags, NOTED, reason="Ended by another"), COLLEAGUE)
    desk.hub.approve(number, COLLEAGUE)

    assert _missing(desk.check(number)) == [("ops_editor", 0, 1)]
    assert "pushed last" in desk.card(number)
    desk.refused(desk.merged(number), "change.approvals")


def test_a_push_that_nobody_can_be_named_for_is_refused(desk: Desk) -> None:
    number = desk.note("Moved past the API")
    view = desk.hub.host(BOT).pull_request(number)
    git = Git(home_of(desk.hub).repository)
    data = set_flag(desk.read(FLAGS, view.head), NOTED, reason="Nobody knows who")
    tree = git.write_tree(view.head, [TreeChange(FLAGS, "100644", git.write_blob(data))])
    who = Signature("x", "x@clarivum.example", datetime.now(UTC))
    moved = git.write_commit(tree, [view.head], "Quietly", who, who)
    git.move(f"refs/heads/{view.head_branch}", new=moved, old=view.head)
    desk.hub.approve(number, ADMIN)

    assert desk.hub.host(BOT).pull_request(number).head == moved
    assert _denied(desk.check(number)) == {"change.last_pusher_known"}
    desk.refused(desk.merged(number), "change.last_pusher_known")


def test_an_objection_outweighs_an_approval(desk: Desk) -> None:
    number = desk.note("One is for it, one against")
    review = {"event": "REQUEST_CHANGES", "body": "Not in this week"}
    desk.api(SECOND_ADMIN, "POST", f"pulls/{number}/reviews", review).raise_for_status()
    desk.hub.approve(number, COLLEAGUE)

    assert _denied(desk.check(number)) == {"change.changes_requested"}
    desk.refused(desk.merged(number), "change.changes_requested")


def test_an_editor_can_not_open_a_gate(desk: Desk) -> None:
    number = desk.toggle(GATE, enabled=True, reason="INC-88 needs a rollback")
    desk.hub.approve(number, COLLEAGUE)

    assert _missing(desk.check(number)) == [("ops_admin", 0, 1)]
    desk.refused(desk.merged(number), "change.approvals")
    assert desk.hub.flag("production", GATE) is False


def test_an_editor_can_not_let_something_be_destroyed(desk: Desk) -> None:
    flag = "ops_module_metrics"
    number = desk.raise_files({FLAGS: remove_flag(desk.read(FLAGS), flag)})
    desk.hub.approve(number, COLLEAGUE)

    report = desk.check(number)
    assert _missing(report) == [("ops_admin", 0, 1)]
    assert report.plan.risk.value == "destructive"
    assert "1 destructive" in desk.card(number)
    desk.refused(desk.merged(number), "change.approvals")
    assert desk.hub.flag("production", flag) is True


def test_a_viewer_may_not_ask(desk: Desk) -> None:
    number = desk.note("Asked by a viewer", by=VIEWER)
    desk.hub.approve(number, ADMIN)

    assert _denied(desk.check(number)) == {"identity.author_role"}
    assert desk.status(number) == ("failure", "Refused: identity.author_role")
    desk.refused(desk.merged(number), "identity.author_role")


def test_a_viewer_does_not_approve_a_guarded_change(desk: Desk) -> None:
    number = desk.note("Approved by a viewer")
    desk.hub.approve(number, VIEWER)

    assert _missing(desk.check(number)) == [("ops_editor", 0, 1)]
    desk.refused(desk.merged(number), "change.approvals")


def test_a_bot_does_not_approve(desk: Desk) -> None:
    number = desk.note("Approved by a machine")
    desk.hub.approve(number, BOT)

    assert _missing(desk.check(number)) == [("ops_editor", 0, 1)]
    assert "is a bot" in desk.card(number)
    desk.refused(desk.merged(number), "change.approvals")


def test_a_bot_does_not_ask(desk: Desk) -> None:
    edited = set_flag(desk.read(FLAGS), NOTED, reason="Raised by a machine")
    desk.hub.host(ENGINEER).create_branch_commit("main", "try/bot", {FLAGS: edited}, "t")
    number = desk.hub.host(BOT).open_pull_request("try/bot", "main", "t", "").number
    desk.hub.approve(number, ADMIN)

    assert _denied(desk.check(number)) == {"identity.author_role"}
    desk.refused(desk.merged(number), "identity.author_role")


def test_an_ended_grant_does_not_approve(desk: Desk) -> None:
    number = desk.note("Approved by somebody whose time is over")
    desk.hub.approve(number, LEAVER)  # ops_editor until 2027-06-30
    late = datetime(2027, 7, 1, 0, 0, 1, tzinfo=UTC)

    assert desk.check(number).decision.outcome is Outcome.ALLOW
    assert _missing(desk.check(number, late)) == [("ops_editor", 0, 1)]
    desk.refused(desk.merged(number), "change.approvals", late)


def test_nobody_makes_themself_an_admin(desk: Desk) -> None:
    more = desk.read(ACCESS).replace(
        b"github: tariq-noor\n    roles:\n      - role: ops_editor",
        b"github: tariq-noor\n    roles:\n      - role: ops_admin",
    )
    number = desk.raise_files({ACCESS: more})
    desk.hub.approve(number, COLLEAGUE)

    assert _missing(desk.check(number)) == [("ops_admin", 0, 1)]


def test_nobody_approves_what_makes_them_an_admin(desk: Desk) -> None:
    more = desk.read(ACCESS).replace(
        b"github: sofia-berg\n    roles:\n      - role: ops_editor",
        b"github: sofia-berg\n    roles:\n      - role: ops_admin",
    )
    number = desk.raise_files({ACCESS: more})
    desk.hub.approve(number, COLLEAGUE)

    assert _missing(desk.check(number)) == [("ops_admin", 0, 1)]
    assert "`sofia-berg` approved; holds `ops_editor`" in desk.card(number)


def test_a_deleted_account_does_not_approve(desk: Desk) -> None:
    number = desk.note("Approved by an account that is gone")
    desk.hub.approve(number, THIRD_ADMIN)
    assert desk.check(number).decision.outcome is Outcome.ALLOW

    store = Store(home_of(desk.hub).store("github"))
    try:
        delete_user(store, THIRD_ADMIN)
    finally:
        store.close()

    assert _missing(desk.check(number)) == [("ops_editor", 0, 1)]
    assert "A deleted account" in desk.card(number)
    desk.refused(desk.merged(number), "change.approvals")


def test_somebody_off_the_list_neither_asks_nor_approves(desk: Desk) -> None:
    whole = desk.read(ACCESS)
    without = whole[: whole.index(b"  - sub: auth0|65f0c1a2b3d4e5f60102030a")]
    desk.applied(desk.raise_files({ACCESS: without}, ADMIN), SECOND_ADMIN)

    approved = desk.note("Approved by a stranger")
    desk.hub.approve(approved, LEAVER)
    assert _missing(desk.check(approved)) == [("ops_editor", 0, 1)]
    assert "is not in the people list" in desk.card(approved)
    desk.refused(desk.merged(approved), "change.approvals")

    asked = desk.note("Asked by a stranger", by=LEAVER)
    desk.hub.approve(asked, ADMIN)
    assert _denied(desk.check(asked)) == {
        "identity.author_role",
        "change.last_pusher_known",
    }
    desk.refused(desk.merged(asked), "change.last_pusher_known")


def test_the_book_of_all_these_refusals_is_intact(desk: Desk) -> None:
    assert desk.hub.quietly("audit", "verify").code == 0
    assert [v for v in desk.hub.contract_violations() if "'answer'" in str(v)] == []
