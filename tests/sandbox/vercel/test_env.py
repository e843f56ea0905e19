from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.sandbox.vercel.conftest import Vercel

ENV = "/v10/projects/clarivum-web/env"


def variable(key: str = "API", value: str = "one", **more: Any) -> dict[str, Any]:  # noqa: ANN401
    return {"key": key, "value": value, "type": "encrypted", "target": ["production"], **more}


def create(vercel: Vercel, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    answer = vercel.client.post(ENV, json=variable(**more))
    assert answer.status_code == 201
    created: dict[str, Any] = answer.json()["created"]
    return created


def test_one_that_exists_is_refused_with_what_it_clashes_with(vercel: Vercel) -> None:
    made = create(vercel)
    body = variable(target=["production", "preview"])
    answer = vercel.client.post(ENV, json=body)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert (error["code"], error["envVarId"]) == ("ENV_CONFLICT", made["id"])
    assert vercel.client.post(ENV, json=variable(target=["preview"])).status_code == 201


def test_in_a_list_a_created_answer_can_hold_failures(vercel: Vercel) -> None:
    create(vercel)
    answer = vercel.client.post(ENV, json=[variable(), variable(key="OTHER")])
    assert answer.status_code == 201
    body = answer.json()
    assert [one["key"] for one in body["created"]] == ["OTHER"]
    assert [one["error"]["code"] for one in body["failed"]] == ["ENV_CONFLICT"]


def test_upsert_replaces(vercel: Vercel) -> None:
    made = create(vercel)
    answer = vercel.client.post(ENV, params={"upsert": "true"}, json=variable(value="two"))
    assert answer.json()["created"]["id"] == made["id"]
    found = vercel.client.get(f"/v1/projects/clarivum-web/env/{made['id']}").json()
    assert (found["value"], found["decrypted"]) == ("two", True)
    assert len(vercel.client.get(ENV).json()["envs"]) == 1


@pytest.mark.parametrize(
    ("kind", "listed", "decrypted", "single"),
    [("plain", "v", "v", "v"), ("encrypted", None, "v", "v"), ("sensitive", "", "", "")],
)
def test_a_value_is_shown_only_as_its_type_allows(
    vercel: Vercel, kind: str, listed: str | None, decrypted: str, single: str
) -> None:
    made = create(vercel, value="v", type=kind)
    hidden = vercel.client.get(ENV).json()["envs"][0]["value"]
    assert hidden != "v" if listed is None else hidden == listed
    clear = vercel.client.get(ENV, params={"decrypt": "true"}).json()["envs"][0]
    assert clear["value"] == decrypted
    one = vercel.client.get(f"/v1/projects/clarivum-web/env/{made['id']}").json()
    assert one["value"] == single


def test_a_variable_is_changed_and_dropped(vercel: Vercel) -> None:
    made = create(vercel)
    other = create(vercel, key="OTHER")
    path = f"/v9/projects/clarivum-web/env/{other['id']}"
    assert vercel.client.patch(path, json={"key": "API"}).json()["error"]["code"] == "ENV_CONFLICT"
    assert vercel.client.patch(path, json={"comment": "rotated"}).json()["comment"] == "rotated"
    gone = vercel.client.delete(f"/v9/projects/clarivum-web/env/{made['id']}")
    assert (gone.status_code, gone.json()["key"]) == (200, "API")
    missing = vercel.client.delete(f"/v9/projects/clarivum-web/env/{made['id']}")
    assert missing.status_code == 404


@pytest.mark.parametrize(
    "wrong",
    [
        {"target": []},
        {"target": ["production"], "gitBranch": "feature"},
        {"target": ["moon"]},
        {"type": "secret"},
    ],
)
def test_what_makes_no_sense_is_refused_without_quoting_the_value(
    vercel: Vercel, wrong: dict[str, Any]
) -> None:
    answer = vercel.client.post(ENV, json={**variable(value="canary-secret"), **wrong})
    assert answer.status_code == 400
    assert "canary-secret" not in answer.text
    assert vercel.client.get(ENV).json()["envs"] == []


def test_a_branch_has_its_own_variables(vercel: Vercel) -> None:
    create(vercel, target=["preview"])
    create(vercel, target=["preview"], gitBranch="feature")
    listed = vercel.client.get(ENV, params={"gitBranch": "feature"}).json()["envs"]
    assert [one["gitBranch"] for one in listed] == ["feature"]
