from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.sandbox.vercel.conftest import Vercel


@pytest.mark.parametrize("version", ["v6", "v7"])
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"projectId": "prj_web", "limit": 2}, ["dpl_pre", "dpl_run"]),
        ({"projectId": "prj_other"}, []),
        ({"app": "clarivum-web", "sha": "sha2"}, ["dpl_2"]),
        ({"branch": "feature"}, ["dpl_pre"]),
        ({"state": "ERROR,BUILDING"}, ["dpl_run", "dpl_err"]),
        (
            {"target": "production", "state": "READY", "rollbackCandidate": "true"},
            ["dpl_4", "dpl_2", "dpl_1"],
        ),
    ],
)
def test_deployments_are_filtered_newest_first(
    vercel: Vercel, version: str, query: dict[str, str | int], found: list[str]
) -> None:
    answer = vercel.client.get(f"/{version}/deployments", params=query).json()
    assert [one["uid"] for one in answer["deployments"]] == found


def test_pages_are_followed_by_until(vercel: Vercel) -> None:
    seen: list[str] = []
    query: dict[str, str | int] = {"limit": 3}
    while True:
        answer = vercel.client.get("/v6/deployments", params=query).json()
        seen += [one["uid"] for one in answer["deployments"]]
        if answer["pagination"]["next"] is None:
            break
        query["until"] = answer["pagination"]["next"]
    assert seen == ["dpl_pre", "dpl_run", "dpl_err", "dpl_4", "dpl_3", "dpl_2", "dpl_1"]


def test_a_deployment_is_found_by_number_and_url_and_knows_whether_it_is_current(
    vercel: Vercel,
) -> None:
    found = vercel.client.get("/v13/deployments/dpl_3").json()
    assert (found["aliasAssigned"], found["readySubstate"]) == (True, "PROMOTED")
    assert found["alias"] == ["clarivum.example"]
    by_url = vercel.client.get(f"/v13/deployments/{found['url']}").json()
    assert by_url == found
    other = vercel.client.get("/v13/deployments/dpl_4").json()
    assert (other["aliasAssigned"], other["readySubstate"]) == (False, "STAGED")
    assert vercel.client.get("/v13/deployments/dpl_9").status_code == 404


def test_only_an_unfinished_deployment_can_be_cancelled(vercel: Vercel) -> None:
    answer = vercel.client.patch("/v12/deployments/dpl_run/cancel")
    assert answer.json()["readyState"] == "CANCELED"
    assert vercel.client.patch("/v12/deployments/dpl_run/cancel").status_code == 400


def test_an_alias_moves_from_one_deployment_to_another(vercel: Vercel) -> None:
    path = "/v2/deployments/dpl_4/aliases"
    moved = vercel.client.post(path, json={"alias": "clarivum.example"}).json()
    assert moved["oldDeploymentId"] == "dpl_3"
    listed = vercel.client.get(path).json()["aliases"]
    assert [one["alias"] for one in listed] == ["clarivum.example"]
    everything = vercel.client.get("/v4/aliases", params={"projectId": "prj_web"}).json()
    assert [one["deploymentId"] for one in everything["aliases"]] == ["dpl_4"]
    refused = vercel.client.post("/v2/deployments/dpl_err/aliases", json={"alias": "x.example"})
    assert refused.status_code == 400
