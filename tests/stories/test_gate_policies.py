"""Invariant 2: a change is judged by the policies, code and people of the commit before it."""

from __future__ import annotations

import itertools
import json

import pytest

from infra.settings.edit import set_flag
from ops_actions.decision.model import Outcome
from ops_actions.errors import RefusedError
from sandbox.home import BOT
from tests.stories.desk import ACCESS, FLAGS, NOTED, Desk
from tests.support.hub import ADMIN, COLLEAGUE, ENGINEER, PRODUCTION, SECOND_ADMIN

APPROVALS = "policies/config/approvals/data.yaml"
LIMITS = "policies/config/limits/data.yaml"
LIST = "policies/config/rules/data.json"
WEEKDAY = "policies/ops/rules/flags/weekday/weekday.rego"
RULE = b"package ops.rules.flags.weekday\n\ndeny contains 1 if false\n"

_numbers = itertools.count(1)

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")  # see desk.seated


def _weaker(desk: Desk) -> bytes:
    old = desk.read(APPROVALS)
    new = old.replace(b"guardrail: {count: 1", b"guardrail: {count: 0")
    assert new != old
    return new


def _touched(desk: Desk) -> bytes:
    return desk.read(LIMITS) + f"# Read again, {next(_numbers)}\n".encode()


def test_policies_do_not_travel_with_what_they_judge(desk: Desk) -> None:
    flags = set_flag(desk.read(FLAGS), NOTED, reason="With a rule in the luggage")
    number = desk.raise_files({FLAGS: flags, APPROVALS: _weaker(desk)})
    desk.hub.approve(number, ADMIN)

    report = desk.check(number)

    assert report.decision.outcome is Outcome.DENY
    assert {one.code for one in report.decision.violations} == {"change.no_mixing"}
    assert APPROVALS in report.decision.violations[0].message
    assert desk.status(number) == ("failure", "Refused: change.no_mixing")


def test_weaker_policies_do_not_judge_themselves(desk: Desk) -> None:
    number = desk.raise_files({APPROVALS: _weaker(desk)})
    desk.hub.approve(number, COLLEAGUE)

    report = desk.check(number)

    assert report.decision.outcome is Outcome.NEEDS_APPROVAL
    assert [(n.role, n.have, n.count) for n in report.decision.approvals] == [("ops_admin", 0, 1)]
    assert "not by the new ones" in desk.card(number)


def test_the_list_before_judges_who_joins_it(desk: Desk) -> None:
    more = desk.read(ACCESS).replace(
        b"github: tariq-noor\n    roles:\n      - role: ops_editor",
        b"github: tariq-noor\n    roles:\n      - role: ops_admin",
    )
    joins = desk.applied(desk.raise_files({ACCESS: more}), ADMIN)
    number = desk.raise_files({LIMITS: _touched(desk)}, COLLEAGUE)

    desk.hub.approve(number, ENGINEER)

    # Only now, with the list merged, does the new admin count.
    assert desk.entries(joins)[-1] == ("outcome", "done")
    assert desk.check(number).decision.outcome is Outcome.ALLOW


def test_policies_that_moved_on_main_void_an_approval(desk: Desk) -> None:
    number = desk.note("Cut before the policies moved")
    desk.hub.approve(number, COLLEAGUE)
    assert desk.check(number).decision.outcome is Outcome.ALLOW
    desk.applied(desk.raise_files({LIMITS: _touched(desk)}, ADMIN), SECOND_ADMIN)

    report = desk.check(number)

    assert report.decision.outcome is Outcome.DENY
    assert {one.code for one in report.decision.violations} == {"gate.policies_moved"}
    assert "Update the branch" in desk.card(number)
    desk.refused(desk.merged(number), "gate.policies_moved")


def test_an_updated_branch_is_judged_afresh(desk: Desk) -> None:
    number = desk.note("Will be updated")
    desk.hub.approve(number, COLLEAGUE)
    desk.applied(desk.raise_files({"policies/README.md": b"Rules\n"}, ADMIN), SECOND_ADMIN)
    branch = desk.hub.host(BOT).pull_request(number).head_branch
    main = desk.hub.host(BOT).default_branch_tip().commit
    head = desk.hub.host(BOT).pull_request(number).head
    # The merge of main into the branch, as the button on the page makes it.
    merged = desk.api(BOT, "GET", f"pulls/{number}").json()["merge_commit_sha"]
    kept = desk.api(ENGINEER, "GET", f"git/commits/{merged}").json()["tree"]["sha"]
    body = {"message": "Update", "tree": kept, "parents": [head, main]}
    made = desk.api(ENGINEER, "POST", "git/commits", body).raise_for_status().json()["sha"]
    moved = desk.api(ENGINEER, "PATCH", f"git/refs/heads/{branch}", {"sha": made})
    moved.raise_for_status()

    stale = desk.check(number)
    desk.hub.approve(number, COLLEAGUE)

    assert stale.decision.outcome is Outcome.NEEDS_APPROVAL
    assert desk.check(number).decision.outcome is Outcome.ALLOW
    desk.applied(number)


def test_policies_that_could_not_judge_block_nobody(desk: Desk) -> None:
    listed = json.dumps(sorted([*json.loads(desk.read(LIST)), "flags.weekday"])).encode()
    number = desk.raise_files({WEEKDAY: RULE}, ADMIN)
    desk.hub.approve(number, SECOND_ADMIN)

    with pytest.raises(RefusedError, match=r"gate\.broken_policies"):
        desk.check(number)

    assert desk.status(number) == ("failure", "gate.broken_policies")
    assert "flags.weekday" in desk.card(number)
    desk.refused(desk.hub.merge(number), "gate.broken_policies")

    # Main holds them now. Whoever comes next, the repair among them, is judged by those before.
    note = desk.note("On top of broken policies")
    desk.hub.approve(note, COLLEAGUE)
    assert desk.check(note).decision.outcome is Outcome.ALLOW
    desk.applied(note)
    repair = desk.raise_files({WEEKDAY: None}, ADMIN)
    assert desk.check(repair).decision.outcome is Outcome.NEEDS_APPROVAL
    desk.applied(repair, SECOND_ADMIN)
    whole = desk.raise_files({WEEKDAY: RULE, LIST: listed}, ADMIN)
    assert desk.check(whole).decision.outcome is Outcome.NEEDS_APPROVAL
    desk.applied(whole, SECOND_ADMIN)


def test_policies_that_were_merged_and_refused_judge_nobody(desk: Desk) -> None:
    weaker = desk.merged(desk.raise_files({APPROVALS: _weaker(desk)}))
    desk.refused(weaker, "change.approvals")

    # Main holds them all the same; nobody with a say has approved them.
    commit = desk.merged(desk.raise_files({LIMITS: _touched(desk)}))
    report = desk.apply(commit)

    assert report.status == "refused"

    # Nor do they after a harmless commit that was applied on top of them.
    desk.applied(desk.note("Harmless, on top of what was refused"), COLLEAGUE)
    again = desk.merged(desk.raise_files({LIMITS: _touched(desk)}))
    assert desk.apply(again).status == "refused"


def test_nothing_of_this_reached_production(desk: Desk) -> None:
    assert desk.hub.flag(PRODUCTION, NOTED) is True
    assert desk.hub.quietly("audit", "verify").code == 0
