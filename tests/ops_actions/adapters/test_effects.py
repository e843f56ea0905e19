from __future__ import annotations

import os
import shutil
import socket
import subprocess
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from infra.clients.flagsmith_models import FlagState
from infra.clients.vercel import VercelClient, vercel_client
from infra.settings.environment import FOLDER, file_of
from infra.settings.migrations import MIGRATIONS_FOLDER
from ops_actions.adapters.effects import (
    JOB_LOOKS,
    ActionEffect,
    FlagEffect,
    VercelDeployments,
    owner_alive,
)
from ops_actions.adapters.git import GitRepository
from ops_actions.adapters.pulumi_errors import LockOwner
from ops_actions.apply.protocol import RunContext, UnknownOutcomeError
from ops_actions.catalogue.services import JobStatus, Services
from ops_actions.errors import OutsideError, RefusedError
from ops_actions.plan.action import action_change
from ops_actions.plan.flags import ABSENT, flag_changes
from sandbox.emulator import Fault, FaultSwitch, Store, running
from sandbox.vercel.app import create_app
from sandbox.vercel.seed import DeploymentSeed, ProjectSeed, seed
from tests.ops_actions.adapters.git_world import commit, start
from tests.ops_actions.plan.plan_world import change_of
from tests.support.files import ROOT
from tests.support.pulumi_shim.world import World, flagsmith_world

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ops_actions.plan.model import Change

FLAGS = file_of("production", "flags")
ONE = "  ops_one: {enabled: true, type: release, reason: r, value: '20'}\n"
TWO = "  ops_two: {enabled: true, type: release, reason: r}\n"


def flags(*lines: str) -> str:
    return "flags:\n" + "".join(lines)


@pytest.fixture
def flagsmith(tmp_path: Path) -> Iterator[World]:
    with flagsmith_world(tmp_path) as world:
        yield world


def effect_on(world: World, folder: Path) -> FlagEffect:
    return FlagEffect(
        lambda _: world.client,
        lambda _: world.engine(),
        GitRepository(folder / "repository"),
        MIGRATIONS_FOLDER,  # the engine must not come near them: it has no database here
    )


def flag_change(before: str, after: str, name: str) -> Change:
    found = flag_changes(change_of(FLAGS, before, after), "production")
    return next(change for change in found if change.target == name)


def test_only_the_flags_of_the_changes_are_brought_up_to_the_merged_commit(
    flagsmith: World, tmp_path: Path
) -> None:
    folder = tmp_path / "repository"
    git = start(folder)
    merged = commit(
        git,
        folder,
        {
            **{
                file_of("production", what): (
                    ROOT / FOLDER / f"production/{what}.yaml"
                ).read_bytes()
                for what in ("access", "platform")
            },
            FLAGS: flags(ONE, TWO).encode(),
        },
    )
    commit(git, folder, {FLAGS: b"flags: {}\n"})  # what came later is not this run's business
    effect = effect_on(flagsmith, tmp_path)
    one = flag_change(flags(TWO), flags(ONE, TWO), "ops_one")
    assert effect.observe(one) == ABSENT
    context = RunContext(merged, merged, "production")
    effect.perform([one], context)
    assert effect.observe(one) == one.desired_live == {"enabled": True, "value": "20"}
    assert flagsmith.client.flag("ops_two") is None

    flagsmith.faults.forget()
    effect.perform([one], context)
    assert flagsmith.writes() == []


def test_a_flagsmith_that_fails_is_named(flagsmith: World, tmp_path: Path) -> None:
    start(tmp_path / "repository")
    effect = effect_on(flagsmith, tmp_path)
    flagsmith.arm(kind="status", status=401, times=None)
    with pytest.raises(OutsideError, match=r"outside\.flagsmith") as caught:
        effect.observe(flag_change(flags(TWO), flags(ONE, TWO), "ops_one"))
    assert "coh reconcile" in caught.value.next_step


def owner(pid: int, host: str | None = None) -> LockOwner:
    return LockOwner("ops", host or socket.gethostname(), pid, "2026-11-24T00:00:00Z")


def test_only_a_pulumi_process_of_this_machine_can_be_seen_to_live_or_not(tmp_path: Path) -> None:
    sleep = shutil.which("sleep")
    assert sleep is not None
    program = tmp_path / "pulumi"
    shutil.copy(sleep, program)
    with subprocess.Popen([program, "600"]) as process:
        try:
            assert owner_alive(owner(process.pid))
        finally:
            process.kill()
    assert not owner_alive(owner(process.pid))
    assert not owner_alive(owner(os.getpid()))  # a process that got the number later
    assert owner_alive(owner(process.pid, "another-machine"))


START = datetime(2026, 11, 1, tzinfo=UTC)
PROJECT = "prj_clarivumweb"
ASKED = """action: deployment.rollback
target: clarivum-web
params: {to: dpl_b, expect_current: dpl_c}
reason: Error rate 7 %
not_after: 2026-11-23T18:00:00Z
confirm: clarivum-web
"""
ROLLBACK = action_change(
    change_of("ops_actions/requests/production/20261123-rollback-web.yaml", None, ASKED),
    "production",
)
CONTEXT = RunContext("c" * 40, "c" * 40, "production")


@dataclass(frozen=True)
class Hosting:
    """Vercel with three deployments, the last one in production."""

    client: VercelClient
    faults: FaultSwitch
    store: Store
    effect: ActionEffect
    waits: list[float]

    def arm(self, **fault: object) -> None:
        self.faults.arm(Fault.model_validate(fault))

    def asked(self) -> int:
        """Count the rollbacks that were really begun."""
        return sum(
            int(one["handled"])
            for one in self.faults.recorded()
            if one["method"] == "POST" and "/rollback/" in one["path"]
        )


@pytest.fixture
def hosting(tmp_path: Path) -> Iterator[Hosting]:
    store = Store(tmp_path / "vercel.sqlite")
    deployments = [
        DeploymentSeed(id=f"dpl_{letter}", sha=letter * 40, created=START + timedelta(hours=hour))
        for hour, letter in enumerate("abc")
    ]
    project = ProjectSeed("clarivum-web", deployments, "dpl_c", ["ops.clarivum.example"], PROJECT)
    seed(store, team="team_clarivum", token="t", projects=[project])
    app = create_app(store, clock=lambda: datetime.now(UTC), sandbox_key="k")
    waits: list[float] = []
    with running({"vercel": app}) as urls:
        client = vercel_client(urls["vercel"], "t", team_id="team_clarivum", sleep=lambda _: None)
        effect = ActionEffect(lambda _: Services(VercelDeployments(client)), waits.append)
        yield Hosting(client, app.state.faults, store, effect, waits)
        client.close()
    store.close()


def test_an_action_is_begun_once_and_waited_for(hosting: Hosting) -> None:
    assert hosting.effect.observe(ROLLBACK) == ROLLBACK.expected_live
    hosting.effect.perform([ROLLBACK], CONTEXT)
    assert hosting.effect.observe(ROLLBACK) == ROLLBACK.desired_live
    assert hosting.waits
    assert max(hosting.waits) <= 5
    hosting.effect.perform([ROLLBACK], CONTEXT)
    assert hosting.asked() == 1


def test_a_job_of_an_earlier_attempt_is_waited_for(hosting: Hosting) -> None:
    hosting.client.rollback(PROJECT, "dpl_b")
    hosting.effect.perform([ROLLBACK], CONTEXT)
    assert hosting.effect.observe(ROLLBACK) == ROLLBACK.desired_live
    assert hosting.asked() == 1


def test_an_answer_that_got_lost_is_read_back_and_not_asked_for_again(hosting: Hosting) -> None:
    hosting.arm(kind="drop_after_effect", method="POST", path_regex="/rollback/")
    hosting.effect.perform([ROLLBACK], CONTEXT)
    assert hosting.effect.observe(ROLLBACK) == ROLLBACK.desired_live
    assert hosting.asked() == 1


def test_a_call_that_may_not_have_arrived_is_not_made_twice(hosting: Hosting) -> None:
    hosting.arm(kind="drop_before_effect", method="POST", path_regex="/rollback/")
    with pytest.raises(UnknownOutcomeError, match="has no end"):
        hosting.effect.perform([ROLLBACK], CONTEXT)
    assert hosting.asked() == 0
    assert len(hosting.waits) == JOB_LOOKS


def test_a_job_that_fails_ends_it_and_the_next_attempt_begins_anew(hosting: Hosting) -> None:
    hosting.store.put("control", "job", {"fail": True})
    with pytest.raises(OutsideError, match=r"apply\.job_failed"):
        hosting.effect.perform([ROLLBACK], CONTEXT)
    assert hosting.effect.observe(ROLLBACK) == ROLLBACK.expected_live
    hosting.effect.perform([ROLLBACK], CONTEXT)
    assert hosting.effect.observe(ROLLBACK) == ROLLBACK.desired_live
    assert hosting.asked() == 2


def test_somebody_else_s_job_is_left_alone(hosting: Hosting) -> None:
    hosting.client.rollback(PROJECT, "dpl_a")
    with pytest.raises(RefusedError, match=r"apply\.target_busy"):
        hosting.effect.perform([ROLLBACK], CONTEXT)
    assert hosting.asked() == 1


def test_a_service_that_says_no_is_named(hosting: Hosting) -> None:
    hosting.arm(kind="status", status=403, times=None)
    calls: tuple[Callable[[], object], ...] = (
        lambda: hosting.effect.observe(ROLLBACK),
        lambda: hosting.effect.perform([ROLLBACK], CONTEXT),
    )
    for call in calls:
        with pytest.raises(OutsideError, match=r"outside\.vercel") as caught:
            call()
        assert "coh reconcile" in caught.value.next_step
    assert hosting.asked() == 0


def test_a_project_that_nobody_moved_has_no_job(hosting: Hosting) -> None:
    deployments = VercelDeployments(hosting.client)
    assert deployments.job("clarivum-web").status is JobStatus.NONE
    assert deployments.current_production("clarivum-web") == "dpl_c"
    hosting.client.rollback(PROJECT, "dpl_b")
    job = deployments.job("clarivum-web")
    assert (job.status in {JobStatus.PENDING, JobStatus.IN_PROGRESS}, job.target) == (True, "dpl_b")


def test_several_actions_of_a_group_are_done_one_after_another(hosting: Hosting) -> None:
    back = replace(
        ROLLBACK,
        after={**dict(ROLLBACK.after), "params": {"to": "dpl_c", "expect_current": "dpl_b"}},  # type: ignore[arg-type]
    )
    hosting.effect.perform([ROLLBACK, back], CONTEXT)
    assert hosting.client.project("clarivum-web").production == "dpl_c"
    assert hosting.asked() == 2


def test_a_state_read_is_what_flagsmith_shows(flagsmith: World, tmp_path: Path) -> None:
    start(tmp_path / "repository")
    feature = flagsmith.client.find_or_create_feature("ops_one", None)
    flagsmith.client.set_state(feature, FlagState(enabled=True, value="by hand"))
    live = effect_on(flagsmith, tmp_path).observe(
        flag_change(flags(TWO), flags(ONE, TWO), "ops_one")
    )
    assert live == {"enabled": True, "value": "by hand"}
