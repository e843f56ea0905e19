"""Outside services that fail: a clear answer, nothing half done, and it works later."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from infra.clients.flagsmith import flagsmith_client
from ops_actions.adapters.effects import FlagEffect
from ops_actions.adapters.github import GitHubHost
from ops_actions.adapters.github_session import Patience
from ops_actions.errors import OpsError, OutsideError
from ops_actions.flow.apply import apply_upto
from ops_actions.flow.check import check_pull_request
from ops_actions.plan.model import Kind
from ops_actions.wiring import place
from ops_actions.wiring.infrastructure import pulumi
from ops_actions.wiring.place import MIGRATIONS, ROOT
from sandbox import control, database
from sandbox.home import BOT
from tests.stories.desk import NOTED, Desk, home_of
from tests.stories.outages import coh, stopped, untouched
from tests.support.hub import COLLEAGUE, PRODUCTION, copied

if TYPE_CHECKING:
    from pathlib import Path


pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")  # see desk.seated


@pytest.mark.parametrize(
    ("fault", "word"),
    [
        ({"status": 401}, "401"),
        ({"status": 403}, "403"),
        ({"status": 429, "retry_after": 60}, "429"),
        ({"status": 500}, "500"),
    ],
    ids=["401", "403", "429", "500"],
)
def test_flagsmith_out_of_order_stops_an_apply(
    desk: Desk, waiting: str, fault: dict[str, int], word: str
) -> None:
    desk.hub.fault("flagsmith", kind="status", times=None, **fault)
    try:
        ran = stopped(desk, waiting, "outside.flagsmith")
    finally:
        desk.hub.clear_faults("flagsmith")
    assert word in ran.stderr


def test_flagsmith_hanging_stops_an_apply(desk: Desk, waiting: str) -> None:
    effects = {**desk.tools.effects, Kind.FLAG: _impatient_flags(desk)}
    desk.hub.fault("flagsmith", kind="hang", times=None)
    try:
        with pytest.raises(OutsideError, match=r"outside\.flagsmith"):
            apply_upto(replace(desk.tools, effects=effects), waiting, place.now())
    finally:
        desk.hub.clear_faults("flagsmith")
    untouched(desk, waiting)


def _impatient_flags(desk: Desk) -> FlagEffect:
    """The real effect with a client that waits a fifth of a second instead of ten."""
    need = desk.target.need
    key = need(f"COH_FLAGSMITH_KEY_{PRODUCTION.upper()}")
    client = flagsmith_client(
        need("COH_FLAGSMITH_URL"), need("COH_FLAGSMITH_TOKEN"), key, timeout=0.2
    )
    return FlagEffect(
        lambda _: client,
        lambda environment: pulumi(desk.target, environment),
        desk.tools.judge.repository,
        MIGRATIONS,
    )


@pytest.mark.parametrize(
    ("status", "code"), [(401, "github.unauthorised"), (500, "github.failed")], ids=["401", "500"]
)
def test_github_out_of_order_stops_an_apply_and_a_check(
    desk: Desk, waiting: str, asked: int, status: int, code: str
) -> None:
    before = desk.status(asked), desk.card(asked)
    desk.hub.fault("github", kind="status", status=status, times=None)
    try:
        stopped(desk, waiting, code)
        checked = coh(desk, "check", "--pr", str(asked))
    finally:
        desk.hub.clear_faults("github")
    assert (checked.returncode, checked.stdout) == (3, "")
    assert code in checked.stderr
    assert (desk.status(asked), desk.card(asked)) == before


def test_github_hanging_stops_an_apply_and_a_check(desk: Desk, waiting: str, asked: int) -> None:
    values = desk.hub.running.values
    hasty = GitHubHost(
        values["COH_GITHUB_API"],
        values["COH_GITHUB_REPOSITORY"],
        desk.hub.running.tokens[BOT],
        account=BOT,
        patience=Patience(connect=0.2, read=0.2, retries=1, backoff=0.01),
    )
    desk.hub.fault("github", kind="hang", times=None)
    try:
        with desk.nothing_done(), pytest.raises(OutsideError, match=r"github\.unreachable"):
            apply_upto(replace(desk.tools, host=hasty), waiting, place.now())
        with pytest.raises(OutsideError, match=r"github\.unreachable"):
            check_pull_request(desk.judge, hasty, asked, place.now())
    finally:
        desk.hub.clear_faults("github")
        hasty.close()
    untouched(desk, waiting)


def test_a_status_that_can_not_be_posted_is_no_success(desk: Desk, asked: int) -> None:
    desk.hub.fault(
        "github", kind="status", status=500, times=None, method="POST", path_regex="/statuses/"
    )
    try:
        with pytest.raises(OpsError, match=r"github\.failed"):
            desk.check(asked)
    finally:
        desk.hub.clear_faults("github")


def test_slack_down_delays_the_message_and_nothing_else(desk: Desk, waiting: str) -> None:
    desk.hub.fault("slack", kind="status", status=503, times=None)
    try:
        applied = coh(desk, "apply", "--commit", waiting, "--json")
        unsent = desk.tools.book.unsent()
    finally:
        desk.hub.clear_faults("slack")
    told = desk.hub.calls("slack", "POST", "/chat.postMessage")

    reconciled = desk.hub.quietly("reconcile")
    again = desk.hub.quietly("reconcile")

    assert applied.returncode == 0, applied.stderr
    assert desk.hub.flag(PRODUCTION, "ops_module_audit_feed") is False
    assert [message.key for message in unsent] == [f"{waiting}/applied"]
    assert (reconciled.code, again.code) == (0, 0)
    assert desk.tools.book.unsent() == ()
    assert desk.hub.calls("slack", "POST", "/chat.postMessage") == told + 1


def test_a_short_rate_limit_is_waited_out(desk: Desk, waiting: str) -> None:
    assert desk.tools.book.cursor() == waiting
    commit = desk.merged(desk.note("After a short wait"), COLLEAGUE)
    desk.hub.fault("flagsmith", kind="status", status=429, retry_after=1, times=2)

    assert desk.apply(commit).status == "done"


def test_postgres_down_stops_an_apply_and_it_works_later(seeded: Path) -> None:
    with copied(seeded) as hub:
        number = hub.raise_toggle(NOTED, enabled=False, reason="Proxy loops")
        hub.approve(number)
        commit = hub.merge(number)
        database.stop(home_of(hub).database)

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            down = list(
                pool.map(
                    lambda arguments: hub.quietly(*arguments),
                    [("apply", "--commit", commit), ("audit", "tail"), ("reconcile",)],
                )
            )

        assert [ran.code for ran in down] == [3, 3, 3]
        for ran in down:
            assert "database.unreachable" in ran.err
        assert hub.calls("flagsmith", "PUT", "/featurestates/") == 0

        control.down(home_of(hub))
        hub.running = control.up(home_of(hub))
        later = hub.quietly("apply", "--commit", commit, "--json")
        assert [one["status"] for one in later.items("applies")] == ["done"], later.err
        assert hub.flag(PRODUCTION, NOTED) is False


def test_a_sandbox_that_is_down_is_never_replaced_by_the_live_services(tmp_path: Path) -> None:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("COH_GITHUB")}
    environment |= {"PYTHONPATH": str(ROOT), "COH_STATE_DIR": str(tmp_path / "none")}
    commands = [
        ("check", "--pr", "1"),
        ("apply", "--commit", "main"),
        ("audit", "tail"),
        ("flag", "disable", NOTED, "--env", PRODUCTION, "--reason", "x", "--dry-run"),
    ]
    for command in commands:
        ran = subprocess.run(
            [sys.executable, "-m", "ops_actions.cli", *command, "--sandbox"],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (ran.returncode, ran.stdout) == (3, "")
        assert "sandbox.down" in ran.stderr
        assert "coh sandbox up" in ran.stderr
