"""What a commit meets on its way when other processes, people and crashes are on theirs."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from infra.clients.flagsmith_models import FlagState
from ops_actions.adapters.postgres import Database
from ops_actions.adapters.postgres_book import PostgresBook
from ops_actions.adapters.postgres_lock import Holder
from ops_actions.errors import OutsideError, RefusedError
from ops_actions.flow.case import Case, attempt_of, judge_commit, permit_for
from ops_actions.flow.reconcile import reconcile, settle
from ops_actions.wiring.infrastructure import flagsmith
from tests.stories.desk import Desk, seated
from tests.stories.kills import SWITCHED, crash, exactly_once, statuses
from tests.support.audit import entry
from tests.support.hub import COLLEAGUE, PRODUCTION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.hub import Hub

FLAG = "ops_module_webhooks"
AFTER_ALL_EXPIRED = datetime(2028, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def desk(shared_hub: Hub) -> Iterator[Desk]:
    with seated(shared_hub) as opened:
        yield opened


def toggled(desk: Desk, reason: str) -> str:
    """Merge an approved switch of the flag."""
    wanted = not desk.hub.flag(PRODUCTION, FLAG)
    return desk.merged(desk.toggle(FLAG, enabled=wanted, reason=reason), COLLEAGUE)


def judged(desk: Desk, commit: str) -> Case:
    """Be a process that has judged a commit and does not have its lock yet."""
    previous = desk.tools.book.cursor()
    assert previous is not None
    case = Case(commit, previous, previous, attempt_of(desk.tools, commit))
    case.judged = judge_commit(desk.tools, commit, datetime.now(UTC))
    return case


def set_live(desk: Desk, state: FlagState) -> None:
    """Move the flag by hand."""
    client = flagsmith(desk.target, PRODUCTION)
    feature = client.find_feature(FLAG)
    assert feature is not None
    client.set_state(feature, state)
    client.close()


def live(desk: Desk) -> FlagState:
    client = flagsmith(desk.target, PRODUCTION)
    state = client.flag(FLAG)
    client.close()
    assert state is not None
    return state


def test_who_was_overtaken_while_judging_leaves_no_lock_behind(desk: Desk) -> None:
    commit = toggled(desk, "Overtaken")
    case = judged(desk, commit)
    with exactly_once(desk.hub, SWITCHED, commit):
        assert statuses(desk.hub.quietly("apply", "--commit", commit, "--json")) == ["done"]
        with pytest.raises(RefusedError, match=r"lock\.overtaken") as caught:
            permit_for(desk.tools, case)
        assert "coh apply" in caught.value.next_step


def test_a_run_that_died_while_judging_is_resumed_and_not_begun_anew(desk: Desk) -> None:
    commit = toggled(desk, "Died while another one judged")
    case = judged(desk, commit)
    with exactly_once(desk.hub, SWITCHED, commit):
        crash(desk.hub, commit, "0.perform:worked")
        with pytest.raises(RefusedError, match=r"lock\.overtaken") as caught:
            permit_for(desk.tools, case)
        assert caught.value.next_step == "coh reconcile"
        (report,) = reconcile(desk.tools, datetime.now(UTC))
        assert report.status == "done"
    assert desk.tools.durable.attempts(commit) == 1


def test_refused_again_for_another_reason_is_written_down_again(desk: Desk) -> None:
    before = live(desk)
    commit = toggled(desk, "Somebody moved it")
    moved = FlagState(enabled=before.enabled, value="by hand")
    for state, said in (
        (moved, "value is another"),
        (replace(moved, enabled=not before.enabled), "enabled is"),
        (replace(moved, enabled=not before.enabled, value="too"), "enabled is"),
    ):
        set_live(desk, state)
        report = desk.apply(commit)
        assert (report.status, report.code) == ("refused", "gate.live_moved")
        assert said in report.fact
        desk.passed(commit)
    assert desk.entries(commit) == [("refusal", "gate.live_moved")] * 2
    set_live(desk, before)
    assert desk.apply(commit).status == "done"


def test_an_outside_that_fails_before_anything_began_gives_the_lock_back(desk: Desk) -> None:
    commit = toggled(desk, "Flagsmith is down")
    cursor = desk.tools.book.cursor()
    desk.hub.fault("flagsmith", kind="status", status=401, method="GET", times=None)
    with pytest.raises(OutsideError, match=r"outside\.flagsmith"):
        desk.apply(commit)
    desk.hub.clear_faults("flagsmith")
    assert desk.tools.book.locks() == ()
    assert desk.tools.book.cursor() == cursor
    with exactly_once(desk.hub, SWITCHED, commit):
        assert desk.apply(commit).status == "done"


def test_a_change_in_doubt_is_not_passed_by_when_it_may_not_go_on(desk: Desk) -> None:
    hub, before = desk.hub, live(desk)
    commit = toggled(desk, "In doubt")
    cursor = desk.tools.book.cursor()
    crash(hub, commit, "0.intent:recorded")
    set_live(desk, FlagState(enabled=before.enabled, value="by hand"))
    (report,) = reconcile(desk.tools, datetime.now(UTC))
    assert report.status == "undecidable"

    # By now the policies say no. That does not tell what the attempt has done.
    (report,) = reconcile(desk.tools, AFTER_ALL_EXPIRED)
    assert (report.status, report.code, report.exit_code) == ("undecidable", "flags.expiry", 5)
    assert [lock.state for lock in desk.tools.book.locks()] == ["undecidable"]
    assert desk.tools.book.cursor() == cursor

    # As if nothing had begun: now it may be refused and passed.
    set_live(desk, before)
    (report,) = reconcile(desk.tools, AFTER_ALL_EXPIRED)
    assert (report.status, report.code) == ("refused", "flags.expiry")
    desk.passed(commit)
    assert live(desk) == before
    # The next change meets what main says and the outside never became; it says so, and main and
    # the outside are one again.
    number = desk.toggle(FLAG, enabled=before.enabled, reason="Back to what is live")
    report = desk.apply(desk.merged(number, COLLEAGUE))
    assert (report.status, report.code) == ("refused", "gate.live_moved")


def test_a_living_run_is_left_alone(desk: Desk) -> None:
    commit, tools = toggled(desk, "At work"), desk.tools
    database = Database(desk.target.need("COH_DATABASE_URL"))
    other = PostgresBook(database, Holder("another-worker", 1, "another-machine"))
    other.take_lock(PRODUCTION, commit)
    (report,) = reconcile(tools, datetime.now(UTC))
    assert (report.status, report.code, report.exit_code) == ("busy", "lock.held", 0)
    with pytest.raises(RefusedError, match=r"lock\.held"):
        settle(tools, tools.book.locks()[0], entry(1))
    other.leave()
    database.close()
    with exactly_once(desk.hub, SWITCHED, commit):
        (report,) = reconcile(tools, datetime.now(UTC))
        assert report.status == "done"


def test_reconcile_of_one_environment_leaves_the_others(desk: Desk) -> None:
    commit = toggled(desk, "Of production")
    with exactly_once(desk.hub, SWITCHED, commit):
        crash(desk.hub, commit, "0.intent:recorded")
        assert reconcile(desk.tools, datetime.now(UTC), "staging") == ()
        (report,) = reconcile(desk.tools, datetime.now(UTC), PRODUCTION)
        assert report.status == "done"
