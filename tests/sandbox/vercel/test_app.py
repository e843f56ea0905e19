from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from sandbox.emulator import Contract, Store
from sandbox.vercel import DeploymentSeed, ProjectSeed, create_app, seed
from sandbox.vercel.app import CONTRACT
from tests.sandbox.emulator.served import CONTROL, KEY, serving, unserved
from tests.sandbox.vercel.conftest import TOKEN

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sandbox.vercel.conftest import Vercel

PROJECT = "/v9/projects/clarivum-web"


def test_every_operation_of_the_contract_is_served(vercel: Vercel) -> None:
    assert unserved(vercel.app, Contract.load(CONTRACT)) == []


@pytest.mark.parametrize(
    ("authorization", "team", "status", "code"),
    [
        ("", "team_1", 401, "unauthorized"),
        ("Bearer wrong", "team_1", 403, "forbidden"),
        (f"Bearer {TOKEN}", "team_2", 403, "forbidden"),
        (f"Bearer {TOKEN}", "team_1", 200, None),
    ],
)
def test_tokens_and_teams(
    vercel: Vercel, authorization: str, team: str, status: int, code: str | None
) -> None:
    answer = vercel.client.get(
        PROJECT, params={"teamId": team}, headers={"Authorization": authorization}
    )
    assert answer.status_code == status
    assert answer.json().get("error", {}).get("code") == code


def test_a_bad_request_is_refused_in_the_services_words_after_the_token(vercel: Vercel) -> None:
    path = "/v11/projects"
    assert vercel.client.post(path, json={}).json()["error"]["code"] == "bad_request"
    wrong = vercel.client.post(path, json={}, headers={"Authorization": "Bearer wrong"})
    assert wrong.status_code == 403
    assert vercel.client.get("/v99/projects").json()["error"]["code"] == "not_found"


def test_a_project_is_found_by_number_and_name_and_lives_its_life(vercel: Vercel) -> None:
    made = vercel.client.post("/v11/projects", json={"name": "docs", "framework": "nextjs"})
    assert made.status_code == 200
    number = made.json()["id"]
    again = vercel.client.post("/v11/projects", json={"name": "docs"})
    assert (again.status_code, again.json()["error"]["code"]) == (409, "conflict")
    clash = vercel.client.patch(f"/v9/projects/{number}", json={"name": "clarivum-web"})
    assert clash.status_code == 409
    renamed = vercel.client.patch("/v9/projects/docs", json={"name": "handbook"})
    assert renamed.json()["name"] == "handbook"
    assert vercel.client.get("/v9/projects/docs").status_code == 404
    assert vercel.client.get("/v9/projects/handbook").json()["framework"] == "nextjs"
    names = [one["name"] for one in vercel.client.get("/v10/projects").json()["projects"]]
    assert names == ["handbook", "clarivum-web"]
    assert vercel.client.delete(f"/v9/projects/{number}").status_code == 204
    assert vercel.client.delete(f"/v9/projects/{number}").status_code == 404


def test_cached_answers_are_invalidated_by_tag(vercel: Vercel) -> None:
    path = "/v1/edge-cache/invalidate-by-tags"
    query = {"projectIdOrName": "clarivum-web"}
    assert vercel.client.post(path, params=query, json={"tags": "articles"}).status_code == 200
    assert vercel.client.post(path, json={"tags": "articles"}).status_code == 400
    seen = vercel.client.get("/_sandbox/invalidations", headers=CONTROL).json()
    assert seen["invalidations"] == [
        {"project": "clarivum-web", "tags": ["articles"], "target": "production"}
    ]


def test_an_injected_failure_has_the_services_shape(vercel: Vercel) -> None:
    fault = {"kind": "status", "status": 429, "retry_after": 2}
    vercel.client.post("/_sandbox/faults", json=fault, headers=CONTROL)
    answer = vercel.client.get(PROJECT)
    assert (answer.json()["error"]["code"], answer.headers["Retry-After"]) == ("rate_limited", "2")


def test_a_restart_keeps_everything_and_no_token_in_clear(vercel: Vercel, tmp_path: Path) -> None:
    vercel.client.post("/v1/projects/prj_web/rollback/dpl_2")
    other = Store(tmp_path / "vercel.sqlite")
    app = create_app(other, clock=lambda: datetime.now(UTC), sandbox_key=KEY)
    with serving(app, {"Authorization": f"Bearer {TOKEN}"}) as client:
        assert client.get(PROJECT).json()["lastAliasRequest"]["jobStatus"] == "pending"
    other.close()
    content = b"".join(path.read_bytes() for path in tmp_path.glob("vercel.sqlite*"))
    assert TOKEN.encode() not in content


def test_a_seed_that_contradicts_itself_is_refused(tmp_path: Path) -> None:
    store = Store(tmp_path / "other.sqlite")
    with pytest.raises(ValueError, match="dpl_9"):
        seed(store, team="t", token="t", projects=[ProjectSeed("web", current="dpl_9")])
    shared = DeploymentSeed("dpl_1", "1" * 40, datetime(2026, 11, 1, tzinfo=UTC))
    for one, other, name in (
        (ProjectSeed("web"), ProjectSeed("web", id="prj_2"), "web"),
        (ProjectSeed("web"), ProjectSeed("blog", id="prj_web"), "prj_web"),
        (ProjectSeed("web", aliases=["a.example"]), ProjectSeed("b", aliases=["a.example"]), "a.e"),
        (ProjectSeed("web", [shared]), ProjectSeed("blog", [shared]), "dpl_1"),
    ):
        with pytest.raises(ValueError, match=name):
            seed(store, team="t", token="t", projects=[one, other])
    assert store.all("projects") == []
    store.close()
