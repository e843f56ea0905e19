"""The Vercel client against the emulator."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import httpx
import pytest

from infra.clients.errors import (
    ClientError,
    ConflictError,
    NotFoundError,
    RateLimitedError,
    ReadOnlyError,
    UnauthorisedError,
    UnknownOutcomeError,
)
from infra.clients.vercel import JobStatus, VercelClient, vercel_client
from sandbox.emulator import Fault, FaultSwitch, Store, running
from sandbox.vercel.app import create_app
from sandbox.vercel.seed import DeploymentSeed, ProjectSeed, seed
from tests.support.pulumi_shim.world import requests_seen

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TOKEN = "canary-vercel-token"
START = datetime(2026, 11, 1, tzinfo=UTC)
PROJECT = "prj_clarivumweb"


@dataclass(frozen=True)
class World:
    url: str
    client: VercelClient
    faults: FaultSwitch


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    store = Store(tmp_path / "vercel.sqlite")
    deployments = [
        DeploymentSeed(id=f"dpl_{letter}", sha=letter * 40, created=START + timedelta(hours=hour))
        for hour, letter in enumerate("abc")
    ]
    project = ProjectSeed("clarivum-web", deployments, "dpl_c", ["ops.clarivum.example"], PROJECT)
    seed(store, team="team_clarivum", token=TOKEN, projects=[project])
    app = create_app(store, clock=lambda: datetime.now(UTC), sandbox_key="k")
    with running({"vercel": app}) as urls:
        client = vercel_client(urls["vercel"], TOKEN, team_id="team_clarivum", sleep=lambda _: None)
        yield World(urls["vercel"], client, app.state.faults)
        client.close()
    store.close()
    assert app.state.contract_log.of() == []


def finish(client: VercelClient) -> JobStatus:
    for _ in range(10):
        job = client.project(PROJECT).last_job
        assert job is not None
        if job.status not in {JobStatus.PENDING, JobStatus.IN_PROGRESS}:
            return job.status
    raise AssertionError("the job does not end")


def test_rollback_and_promote_move_production(world: World) -> None:
    client = world.client
    assert client.project("clarivum-web").production == "dpl_c"
    assert client.project(PROJECT).last_job is None
    client.rollback(PROJECT, "dpl_b")
    assert finish(client) is JobStatus.SUCCEEDED
    project = client.project(PROJECT)
    assert project.production == "dpl_b"
    assert project.last_job is not None
    job = project.last_job
    assert (job.kind, job.source, job.target) == ("rollback", "dpl_c", "dpl_b")
    client.promote(PROJECT, "dpl_c")
    assert finish(client) is JobStatus.SUCCEEDED
    assert client.project(PROJECT).production == "dpl_c"


def test_a_failed_job_leaves_production_alone(world: World) -> None:
    httpx.post(
        f"{world.url}/_sandbox/jobs", headers={"X-Sandbox-Key": "k"}, json={"fail": True}
    ).raise_for_status()
    world.client.rollback(PROJECT, "dpl_b")
    assert finish(world.client) is JobStatus.FAILED
    assert world.client.project(PROJECT).production == "dpl_c"


def test_deployments_are_found_or_not(world: World) -> None:
    found = world.client.deployment("dpl_a")
    assert found is not None
    assert (found.id, found.ready_state, found.target) == ("dpl_a", "READY", "production")
    assert world.client.deployment("dpl_nowhere") is None
    with pytest.raises(NotFoundError):
        world.client.project("nowhere")


def test_a_refused_rollback_is_typed(world: World) -> None:
    with pytest.raises(ClientError) as refused:
        world.client.rollback(PROJECT, "dpl_nowhere")
    assert refused.value.status in {400, 404, 409, 422}
    world.client.rollback(PROJECT, "dpl_b")
    with pytest.raises(ConflictError):
        world.client.rollback(PROJECT, "dpl_a")


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"kind": "status", "status": 401}, UnauthorisedError),
        ({"kind": "status", "status": 403}, UnauthorisedError),
        ({"kind": "status", "status": 429, "retry_after": 1}, RateLimitedError),
        ({"kind": "status", "status": 500}, UnknownOutcomeError),
        ({"kind": "drop_before_effect"}, UnknownOutcomeError),
    ],
)
def test_a_rollback_is_sent_once_whatever_happens(
    world: World, fault: dict[str, object], kind: type[ClientError]
) -> None:
    world.faults.arm(Fault.model_validate({**fault, "method": "POST", "times": None}))
    with pytest.raises(kind):
        world.client.rollback(PROJECT, "dpl_b")
    world.client.project(PROJECT)
    assert requests_seen(world.faults, 2) == 2


def test_a_rollback_whose_answer_is_lost_can_be_read_back(world: World) -> None:
    world.faults.arm(Fault.model_validate({"kind": "drop_after_effect", "method": "POST"}))
    with pytest.raises(UnknownOutcomeError):
        world.client.rollback(PROJECT, "dpl_b")
    job = world.client.project(PROJECT).last_job
    assert job is not None
    assert job.target == "dpl_b"


def test_a_read_only_client_does_not_move_anything(world: World) -> None:
    reader = vercel_client(world.url, TOKEN, team_id="team_clarivum", read_only=True)
    assert reader.project(PROJECT).production == "dpl_c"
    world.faults.forget()
    with pytest.raises(ReadOnlyError):
        reader.rollback(PROJECT, "dpl_b")
    with pytest.raises(ReadOnlyError):
        reader.promote(PROJECT, "dpl_b")
    assert world.faults.recorded() == []
    reader.close()


def test_a_wrong_token_is_refused_and_never_shown(world: World) -> None:
    stranger = vercel_client(world.url, "canary-wrong-token")
    with pytest.raises(UnauthorisedError) as refused:
        stranger.project(PROJECT)
    assert "canary-wrong-token" not in str(refused.value)
    stranger.close()
