from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.settings.environment import load_platforms, read_from_folder
from ops_actions.catalogue.deployment_rollback import ACTION, RollbackParams
from ops_actions.catalogue.model import ActionRisk, ActionState
from ops_actions.catalogue.services import JobStatus, RollbackJob, Services
from ops_actions.errors import BadRequestError
from tests.support.files import ROOT

PARAMS = RollbackParams(to="dpl_9f2", expect_current="dpl_a17")
NO_JOB = RollbackJob(JobStatus.NONE, None)


@dataclass
class Hosting:
    """A hosting service in memory: a rollback is a job that runs when it is told to."""

    current: str | None = "dpl_a17"
    latest: RollbackJob = NO_JOB
    started: list[tuple[str, str]] = field(default_factory=list)

    def current_production(self, project: str) -> str | None:
        assert project == "clarivum-web"
        return self.current

    def rollback(self, project: str, deployment_id: str) -> None:
        self.started.append((project, deployment_id))
        self.latest = RollbackJob(JobStatus.PENDING, deployment_id)

    def job(self, project: str) -> RollbackJob:
        assert project == "clarivum-web"
        return self.latest

    def finish(self, status: JobStatus) -> None:
        self.latest = RollbackJob(status, self.latest.target)
        if status is JobStatus.SUCCEEDED:
            self.current = self.latest.target


def test_what_it_says_of_itself() -> None:
    assert ACTION.name == "deployment.rollback"
    assert ACTION.risk is ActionRisk.DESTRUCTIVE
    assert ACTION.gate == "ops_gate_deployment_rollback"
    assert ACTION.is_target(ACTION.example_target)
    for name, platform in load_platforms(read_from_folder(ROOT)).items():
        suffix = "" if name == "production" else f"-{name}"
        assert ACTION.target_in(platform) == f"clarivum-web{suffix}"
    assert ACTION.parse({"to": "dpl_9f2", "expect_current": "dpl_a17"}) == ACTION.example
    assert ACTION.describe("clarivum-web", PARAMS) == (
        "Production of clarivum-web stops serving deployment dpl_a17 and serves dpl_9f2 again; "
        "visitors see the earlier version within a minute"
    )
    assert ACTION.inverse("clarivum-web", PARAMS) == (
        "deployment.rollback of clarivum-web with to: dpl_a17, expect_current: dpl_9f2",
        True,
    )


@pytest.mark.parametrize("target", ["", "Clarivum", "a b", "-a", "a/b", "a\n", "a" * 101])
def test_a_target_is_a_project(target: str) -> None:
    assert not ACTION.is_target(target)


@pytest.mark.parametrize(
    ("params", "fact"),
    [
        ({}, "params.to: Field required"),
        ({"to": "dpl_9f2"}, "params.expect_current: Field required"),
        ({"to": "dpl_9f2", "expect_current": "dpl_a17", "x": 1}, "params.x: Extra"),
        ({"to": "9f2", "expect_current": "dpl_a17"}, "params.to: String should match"),
        ({"to": "dpl_9f2\n", "expect_current": "dpl_a17"}, "params.to: String should match"),
        ({"to": "dpl_" + "a" * 61, "expect_current": "dpl_a17"}, "params.to: String should"),
        ({"to": 9, "expect_current": "dpl_a17"}, "params.to: Input should be a valid string"),
        ({"to": "dpl_a17", "expect_current": "dpl_a17"}, "are the same deployment"),
    ],
)
def test_wrong_parameters_are_refused(params: dict[str, str | int], fact: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        ACTION.parse(params)
    assert caught.value.code == "request.params"
    assert fact in caught.value.fact
    assert caught.value.next_step == "write params: {to: dpl_9f2, expect_current: dpl_a17}"


def test_from_start_to_end() -> None:
    hosting = Hosting()
    services = Services(deployments=hosting)
    assert ACTION.observe("clarivum-web", PARAMS, services) == ACTION.expected_live("", PARAMS)
    assert ACTION.state("clarivum-web", PARAMS, services) is ActionState.NOT_DONE
    assert hosting.started == []
    ACTION.perform("clarivum-web", PARAMS, services)
    assert hosting.started == [("clarivum-web", "dpl_9f2")]
    assert ACTION.state("clarivum-web", PARAMS, services) is ActionState.RUNNING
    hosting.finish(JobStatus.IN_PROGRESS)
    assert ACTION.state("clarivum-web", PARAMS, services) is ActionState.RUNNING
    hosting.finish(JobStatus.SUCCEEDED)
    assert ACTION.state("clarivum-web", PARAMS, services) is ActionState.DONE
    assert ACTION.observe("clarivum-web", PARAMS, services) == ACTION.desired_live("", PARAMS)


@pytest.mark.parametrize(
    ("current", "job", "state"),
    [
        ("dpl_a17", RollbackJob(JobStatus.FAILED, "dpl_9f2"), ActionState.FAILED),
        ("dpl_a17", RollbackJob(JobStatus.FAILED, "dpl_other"), ActionState.NOT_DONE),
        ("dpl_a17", RollbackJob(JobStatus.SUCCEEDED, "dpl_a17"), ActionState.NOT_DONE),
        ("dpl_9f2", NO_JOB, ActionState.DONE),
        ("dpl_9f2", RollbackJob(JobStatus.FAILED, "dpl_9f2"), ActionState.DONE),
        ("dpl_other", NO_JOB, ActionState.OTHER),
        (None, NO_JOB, ActionState.OTHER),
        # Somebody else is moving production: what is served now will not stay.
        ("dpl_a17", RollbackJob(JobStatus.PENDING, "dpl_other"), ActionState.OTHER),
        ("dpl_9f2", RollbackJob(JobStatus.IN_PROGRESS, "dpl_other"), ActionState.OTHER),
    ],
)
def test_state_is_told_from_what_is_served_and_the_latest_job(
    current: str | None, job: RollbackJob, state: ActionState
) -> None:
    services = Services(deployments=Hosting(current, job))
    assert ACTION.state("clarivum-web", PARAMS, services) is state


IDS = st.from_regex(r"\Adpl_[A-Za-z0-9]{1,8}\Z")


@given(IDS, IDS)
def test_the_inverse_swaps_expected_and_desired(one: str, two: str) -> None:
    if one == two:
        return
    there = RollbackParams(to=one, expect_current=two)
    back = RollbackParams(to=two, expect_current=one)
    assert ACTION.desired_live("x", there) == ACTION.expected_live("x", back)
    assert ACTION.expected_live("x", there) == ACTION.desired_live("x", back)
