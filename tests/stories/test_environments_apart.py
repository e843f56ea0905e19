"""A request moves the Vercel project of its own environment, never another one's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from infra.clients.flagsmith_models import FlagState
from infra.clients.vercel import vercel_client
from infra.settings.environment import file_of
from ops_actions.change.request import ActionRequest, render_request, request_path
from ops_actions.decision.model import Outcome
from ops_actions.errors import BadRequestError
from ops_actions.wiring.infrastructure import flagsmith
from sandbox.seed import BAD, GOOD, deployments_of
from tests.stories.desk import Desk, seated
from tests.support.hub import ADMIN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.hub import Hub

GATE = "ops_gate_deployment_rollback"
PRODUCTION, STAGING, SANDBOX = "clarivum-web", "clarivum-web-staging", "clarivum-web-sandbox"
PLATFORM = file_of("staging", "platform")

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")  # see desk.seated


@pytest.fixture(scope="module")
def desk(shared_hub: Hub) -> Iterator[Desk]:
    """Open the gate in staging, live as it is declared; production's stays closed."""
    with seated(shared_hub) as opened:
        client = flagsmith(opened.target, "staging")
        feature = client.find_feature(GATE)
        assert feature is not None
        client.set_state(feature, FlagState(enabled=True))
        client.close()
        yield opened


def serving(desk: Desk, project: str) -> str | None:
    values = desk.hub.running.values
    client = vercel_client(values["COH_VERCEL_URL"], values["COH_VERCEL_TOKEN"])
    try:
        return client.project(project).production
    finally:
        client.close()


def request(environment: str, project: str, to: str, current: str) -> tuple[str, bytes]:
    now = datetime.now(UTC)
    asked = ActionRequest.model_validate(
        {
            "action": "deployment.rollback",
            "target": project,
            "params": {"to": to, "expect_current": current},
            "reason": "Error rate 7 % since 14:02",
            "not_after": (now + timedelta(hours=4)).replace(microsecond=0),
            "confirm": project,
        }
    )
    return request_path(environment, now.date(), f"rollback-{project}"), render_request(asked)


@pytest.mark.parametrize("environment", ["staging", "sandbox"])
def test_a_request_with_an_open_gate_does_not_reach_past_the_closed_one(
    desk: Desk, environment: str
) -> None:
    path, data = request(environment, PRODUCTION, GOOD, BAD)
    number = desk.raise_files({path: data})

    with desk.nothing_done(), pytest.raises(BadRequestError) as refused:
        desk.check(number)

    assert refused.value.code == "request.wrong_target"
    assert f"{path}:" in refused.value.fact
    assert f"write target: clarivum-web-{environment}" in refused.value.next_step
    assert desk.status(number) == ("failure", "request.wrong_target")
    assert "request.wrong_target" in desk.card(number)
    # Merged all the same, by an admin and in spite of the status: apply says no as well.
    assert desk.refused(desk.merged(number, ADMIN), "request.wrong_target").exit_code == 2
    assert serving(desk, PRODUCTION) == BAD


def test_a_platform_file_can_not_be_bent_to_another_environment_s_project(desk: Desk) -> None:
    declared = desk.read(PLATFORM)
    bent = declared.replace(b"project: clarivum-web-staging", b"project: clarivum-web")
    number = desk.raise_files({PLATFORM: bent})

    with pytest.raises(BadRequestError, match=r"declared\.invalid"):
        desk.check(number)

    desk.refused(desk.merged(number, ADMIN), "declared.invalid")
    # It stands on main now, was never approved, and can be put right.
    desk.applied(desk.raise_files({PLATFORM: declared}), ADMIN)


def test_a_request_can_not_bring_its_platform_along(desk: Desk) -> None:
    staging = desk.read(PLATFORM).replace(
        b"project: clarivum-web-staging", b"project: clarivum-api"
    )
    path, data = request("staging", "clarivum-api", GOOD, BAD)
    number = desk.raise_files({PLATFORM: staging, path: data})

    with pytest.raises(BadRequestError, match=r"request\.wrong_target"):
        desk.check(number)


def test_a_request_for_its_own_project_moves_that_and_nothing_else(desk: Desk) -> None:
    good, bad = deployments_of("staging")
    path, data = request("staging", STAGING, good, bad)
    number = desk.raise_files({path: data})
    desk.hub.approve(number, ADMIN)
    assert desk.check(number).decision.outcome is Outcome.ALLOW

    desk.applied(number)

    assert serving(desk, STAGING) == good
    assert serving(desk, PRODUCTION) == BAD
    assert serving(desk, SANDBOX) == deployments_of("sandbox")[1]
    assert desk.hub.calls("vercel", "POST", "/rollback/") == 1
