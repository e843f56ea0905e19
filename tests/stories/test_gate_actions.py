"""Ops actions at the gate: the flag that opens them, their time, their file, their number."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from ops_actions.adapters.postgres import Database
from ops_actions.adapters.postgres_audit import PostgresAudit
from ops_actions.audit.entry import AuditEntry, Phase
from ops_actions.change.request import ActionRequest, render_request, request_path
from ops_actions.decision.model import Outcome
from ops_actions.errors import OutsideError
from sandbox.seed import BAD, GOOD
from tests.support.hub import ADMIN, COLLEAGUE, ENGINEER, PRODUCTION

if TYPE_CHECKING:
    from tests.stories.desk import Desk

GATE = "ops_gate_deployment_rollback"
PROJECT = "clarivum-web"

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")  # see desk.seated


def _request(slug: str, **fields: object) -> tuple[str, bytes]:
    now = datetime.now(UTC)
    request = ActionRequest.model_validate(
        {
            "action": "deployment.rollback",
            "target": PROJECT,
            "params": {"to": GOOD, "expect_current": BAD},
            "reason": "Error rate 7 % since 14:02",
            "incident": "INC-88",
            "not_after": (now + timedelta(hours=4)).replace(microsecond=0),
            "confirm": PROJECT,
            **fields,
        }
    )
    return request_path(PRODUCTION, now.date(), slug), render_request(request)


def _raise(desk: Desk, slug: str, **fields: object) -> int:
    path, data = _request(slug, **fields)
    return desk.raise_files({path: data})


def _denied(desk: Desk, number: int) -> set[str]:
    report = desk.check(number)
    assert report.decision.outcome is Outcome.DENY
    return {violation.code for violation in report.decision.violations}


def test_an_action_waits_for_its_gate(desk: Desk) -> None:
    number = _raise(desk, "gate-closed")
    desk.hub.approve(number, ADMIN)

    assert _denied(desk, number) == {"actions.gate_on"}
    desk.refused(desk.merged(number), "actions.gate_on")


def test_a_gate_that_is_open_in_git_alone_is_closed(desk: Desk) -> None:
    opened = desk.toggle(GATE, enabled=True, reason="INC-88 needs a rollback")
    desk.applied(opened, ADMIN)
    number = _raise(desk, "gate-closed-by-hand")
    desk.hub.approve(number, ADMIN)
    assert desk.check(number).decision.outcome is Outcome.ALLOW

    desk.live(GATE, enabled=False)
    try:
        desk.refused(desk.merged(number), "actions.gate_on")
    finally:
        desk.live(GATE, enabled=True)


def test_a_request_that_ran_out_between_approval_and_apply_does_not_run(desk: Desk) -> None:
    number = _raise(desk, "ran-out")
    desk.hub.approve(number, ADMIN)
    assert desk.check(number).decision.outcome is Outcome.ALLOW

    late = datetime.now(UTC) + timedelta(hours=4, seconds=1)
    desk.refused(desk.merged(number), "actions.not_expired", late)


def test_a_request_without_the_target_typed_again_is_refused(desk: Desk) -> None:
    number = _raise(desk, "not-confirmed", confirm="clarivum-wep")
    desk.hub.approve(number, ADMIN)

    assert _denied(desk, number) == {"actions.confirmation"}
    desk.refused(desk.merged(number), "actions.confirmation")


def test_an_editor_does_not_approve_a_destructive_action(desk: Desk) -> None:
    number = _raise(desk, "by-an-editor")
    desk.hub.approve(number, COLLEAGUE)

    report = desk.check(number)

    assert report.decision.outcome is Outcome.NEEDS_APPROVAL
    assert [(n.role, n.have) for n in report.decision.approvals] == [("ops_admin", 0)]
    desk.refused(desk.merged(number), "change.approvals")


def test_a_request_of_a_deployment_that_serves_no_more_is_refused(desk: Desk) -> None:
    number = _raise(desk, "other-current", params={"to": BAD, "expect_current": GOOD})

    desk.refused(desk.merged(number, ADMIN), "gate.live_moved")


def test_a_merged_request_is_neither_edited_nor_removed(desk: Desk) -> None:
    path, data = _request("immutable")
    refused = desk.merged(desk.raise_files({path: data}))
    desk.refused(refused, "change.approvals")

    edited = desk.raise_files({path: data.replace(b"7 %", b"8 %")})
    desk.hub.approve(edited, ADMIN)
    removed = desk.raise_files({path: None})
    desk.hub.approve(removed, ADMIN)

    assert _denied(desk, edited) == {"actions.immutable"}
    assert "actions.immutable" in _denied(desk, removed)
    desk.refused(desk.merged(removed), "actions.confirmation")


def test_more_than_ten_destructive_actions_an_hour_are_refused(desk: Desk) -> None:
    book = Database(desk.hub.running.values["COH_DATABASE_URL"])
    try:
        PostgresAudit(book).append([_done(number) for number in range(10)])
    finally:
        book.close()
    number = _raise(desk, "eleventh")

    report = desk.refused(desk.merged(number, ADMIN), "change.destructive_budget")

    assert "11" in report.fact


def test_production_still_serves_what_it_served(desk: Desk) -> None:
    assert desk.hub.calls("vercel", "POST", "/rollback/") == 0
    assert desk.hub.quietly("audit", "verify").code == 0


def _done(number: int) -> AuditEntry:
    return AuditEntry(
        environment=PRODUCTION,
        actor_sub="auth0|65f0c1a2b3d4e5f601020305",
        actor_login="joao-reis",
        action="deployment.rollback",
        target=PROJECT,
        risk="destructive",
        phase=Phase.INTENT,
        result="intended",
        change_id=f"earlier-{number}",
        key=f"earlier-{number}",
    )


def test_nobody_but_the_engineer_asked(desk: Desk) -> None:
    logins = desk.hub.rows(
        "select distinct actor_login from ops_audit where environment = %s", PRODUCTION
    )
    assert {str(row[0]) for row in logins} == {ENGINEER, "joao-reis"}


def test_a_gate_that_can_not_be_read_stops_the_line_and_refuses_nobody(desk: Desk) -> None:
    path, data = _request("no-answer")
    commit = desk.merged(desk.raise_files({path: data}), ADMIN)
    desk.hub.fault("flagsmith", kind="status", status=503, method="GET", times=None)
    with desk.nothing_done(), pytest.raises(OutsideError, match=r"outside\.flagsmith"):
        desk.apply(commit)
    desk.hub.clear_faults("flagsmith")
    assert desk.tools.book.locks() == ()
    assert desk.entries(commit) == []
