from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from tests.sandbox.emulator.served import CONTROL

if TYPE_CHECKING:
    from tests.sandbox.vercel.conftest import Vercel

PROMOTE = "/v10/projects/prj_web/promote/"
ROLLBACK = "/v1/projects/prj_web/rollback/"


def test_a_rollback_runs_in_the_background_and_stops_automatic_domains(vercel: Vercel) -> None:
    answer = vercel.client.post(f"{ROLLBACK}dpl_2", params={"description": "INC-88"})
    assert (answer.status_code, answer.content) == (201, b"")
    assert vercel.until_done() == ["pending", "in-progress", "succeeded"]
    project = vercel.project()
    assert project["targets"]["production"]["id"] == "dpl_2"
    assert project["autoAssignCustomDomains"] is False
    assert project["lastRollbackTarget"] == {"id": "dpl_2"}
    assert project["rollbackDescription"]["description"] == "INC-88"
    assert project["lastAliasRequest"]["fromDeploymentId"] == "dpl_3"
    assert vercel.client.get("/v13/deployments/dpl_2").json()["alias"] == ["clarivum.example"]


def test_a_promotion_turns_automatic_domains_on_again(vercel: Vercel) -> None:
    vercel.client.post(f"{ROLLBACK}dpl_2")
    vercel.until_done()
    assert vercel.client.post(f"{PROMOTE}dpl_4").status_code == 201
    listed = "/v1/projects/prj_web/promote/aliases"
    assert vercel.client.get(listed).json()["aliases"][0]["status"] == "pending"
    vercel.until_done()
    assert vercel.client.get(listed).json()["aliases"][0]["status"] == "completed"
    project = vercel.project()
    assert project["targets"]["production"]["id"] == "dpl_4"
    assert (project["autoAssignCustomDomains"], project["lastRollbackTarget"]) == (True, None)


def test_production_stays_until_the_job_is_done(vercel: Vercel) -> None:
    vercel.client.post(f"{ROLLBACK}dpl_2")
    assert vercel.production() == "dpl_3"
    assert vercel.production() == "dpl_3"
    assert vercel.production() == "dpl_2"


def test_a_job_can_be_told_to_fail_once(vercel: Vercel) -> None:
    vercel.plan_failure()
    vercel.client.post(f"{ROLLBACK}dpl_2")
    assert vercel.until_done() == ["pending", "in-progress", "failed"]
    assert vercel.production() == "dpl_3"
    vercel.client.post(f"{ROLLBACK}dpl_2")
    assert vercel.until_done()[-1] == "succeeded"


def test_a_plan_that_makes_no_sense_is_refused(vercel: Vercel) -> None:
    answer = vercel.client.post("/_sandbox/jobs", json={"win": True}, headers=CONTROL)
    assert answer.status_code == 400


@pytest.mark.parametrize("path", [PROMOTE, ROLLBACK])
@pytest.mark.parametrize(
    ("deployment", "status"),
    [("dpl_3", 409), ("dpl_err", 422), ("dpl_run", 422), ("dpl_pre", 422), ("dpl_9", 404)],
)
def test_what_can_not_be_production_is_refused(
    vercel: Vercel, path: str, deployment: str, status: int
) -> None:
    assert vercel.client.post(f"{path}{deployment}").status_code == status
    assert vercel.project()["lastAliasRequest"] is None


def test_a_second_job_has_to_wait_for_the_first(vercel: Vercel) -> None:
    vercel.client.post(f"{ROLLBACK}dpl_2")
    assert vercel.client.post(f"{PROMOTE}dpl_4").status_code == 409
    vercel.until_done()
    assert vercel.client.post(f"{PROMOTE}dpl_4").status_code == 201


@pytest.mark.parametrize("plan", ["hobby"])
def test_the_small_plan_goes_back_one_step_only(vercel: Vercel) -> None:
    answer = vercel.client.post(f"{ROLLBACK}dpl_1")
    assert (answer.status_code, answer.json()["error"]["code"]) == (402, "payment_required")
    assert vercel.client.post(f"{ROLLBACK}dpl_4").status_code == 201


def test_a_duplicated_rollback_is_refused_the_second_time(vercel: Vercel) -> None:
    fault = {"kind": "duplicate", "path_regex": "/rollback/"}
    vercel.client.post("/_sandbox/faults", json=fault, headers=CONTROL)
    assert vercel.client.post(f"{ROLLBACK}dpl_2").status_code == 409
    vercel.until_done()
    assert vercel.production() == "dpl_2"


def test_a_rollback_whose_answer_was_lost_can_be_seen_by_polling(vercel: Vercel) -> None:
    fault = {"kind": "drop_after_effect", "path_regex": "/rollback/"}
    vercel.client.post("/_sandbox/faults", json=fault, headers=CONTROL)
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        vercel.client.post(f"{ROLLBACK}dpl_2")
    assert vercel.project()["lastAliasRequest"]["toDeploymentId"] == "dpl_2"
