from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from sandbox.emulator import Contract, Store
from sandbox.flagsmith import create_app
from sandbox.flagsmith.app import CONTRACT
from tests.sandbox.emulator.served import CONTROL, KEY, serving, unserved
from tests.sandbox.flagsmith.conftest import TOKEN

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sandbox.flagsmith.conftest import Flagsmith

BILLING = "ops_module_billing"
WEBHOOKS = "ops_module_webhooks"


def test_every_operation_of_the_contract_is_served(flagsmith: Flagsmith) -> None:
    assert unserved(flagsmith.app, Contract.load(CONTRACT)) == []


@pytest.mark.parametrize(
    ("headers", "detail"),
    [
        ({"Authorization": ""}, "Authentication credentials were not provided."),
        ({"Authorization": "Api-Key wrong"}, "Valid Master API Key not found."),
        ({"Authorization": "Token wrong"}, "Invalid token."),
    ],
)
@pytest.mark.parametrize("path", ["/api/v1/projects/", "/api/v1/environments/prod-key/"])
def test_a_wrong_token_is_refused(
    flagsmith: Flagsmith, path: str, headers: dict[str, str], detail: str
) -> None:
    answer = flagsmith.client.get(path, headers=headers)
    assert (answer.status_code, answer.json()) == (401, {"detail": detail})


def test_a_wrong_token_is_refused_before_the_body_is_looked_at(flagsmith: Flagsmith) -> None:
    answer = flagsmith.client.post(
        f"{flagsmith.project}/features/", json={}, headers={"Authorization": "Api-Key wrong"}
    )
    assert answer.status_code == 401


def test_the_seed_is_what_the_sdk_reads(flagsmith: Flagsmith) -> None:
    assert flagsmith.sdk("prod-key") == {WEBHOOKS: (True, None), BILLING: (False, None)}
    assert flagsmith.sdk("stag-key") == {WEBHOOKS: (False, None), BILLING: (True, None)}


def test_v1_toggle_reaches_the_sdk(flagsmith: Flagsmith) -> None:
    states = "/api/v1/environments/stag-key/featurestates/"
    listed = flagsmith.client.get(states, params={"feature": flagsmith.feature(WEBHOOKS)})
    (state,) = listed.json()["results"]
    answer = flagsmith.client.patch(f"{states}{state['id']}/", json={"enabled": True})
    assert answer.json() == {"feature": flagsmith.feature(WEBHOOKS), "enabled": True}
    assert flagsmith.sdk("stag-key")[WEBHOOKS] == (True, None)
    assert flagsmith.sdk("prod-key")[WEBHOOKS] == (True, None)
    again = flagsmith.client.get(f"{states}{state['id']}/").json()
    assert again == {**state, "enabled": True, "updated_at": again["updated_at"]}


@pytest.mark.parametrize("field", ["feature", "environment"])
def test_a_state_can_not_be_moved(flagsmith: Flagsmith, field: str) -> None:
    states = "/api/v1/environments/stag-key/featurestates/"
    state = flagsmith.client.get(states).json()["results"][0]
    answer = flagsmith.client.put(f"{states}{state['id']}/", json={field: 999})
    assert answer.status_code == 400
    assert field in answer.json()


def test_v2_refuses_the_v1_way(flagsmith: Flagsmith) -> None:
    states = "/api/v1/environments/prod-key/featurestates/"
    state = flagsmith.client.get(states).json()["results"][0]
    for method, path in (
        ("PATCH", f"{states}{state['id']}/"),
        ("PUT", f"{states}{state['id']}/"),
        ("PUT", f"/api/v1/features/featurestates/{state['id']}/"),
    ):
        answer = flagsmith.client.request(method, path, json={"enabled": True})
        assert answer.status_code == 400
        assert "v2 feature versioning" in answer.json()["detail"]


def segment(flagsmith: Flagsmith, name: str = "admins") -> int:
    condition = {"property": "role", "operator": "EQUAL", "value": "admin"}
    body: dict[str, Any] = {
        "name": name,
        "rules": [{"type": "ALL", "rules": [{"type": "ANY", "conditions": [condition]}]}],
    }
    answer = flagsmith.client.post(f"{flagsmith.project}/segments/", json=body)
    assert answer.status_code == 201
    number: int = answer.json()["id"]
    return number


def identity(flagsmith: Flagsmith, key: str, role: str) -> dict[str, bool]:
    body = {
        "identifier": f"auth0|{role}",
        "traits": [{"trait_key": "role", "trait_value": role}],
    }
    answer = flagsmith.client.post(
        "/api/v1/identities/", json=body, headers={"X-Environment-Key": key}
    )
    return {one["feature"]["name"]: one["enabled"] for one in answer.json()["flags"]}


@pytest.mark.parametrize("key", ["prod-key", "stag-key"])
def test_an_override_of_a_segment_is_set_and_taken_away_in_either_versioning(
    flagsmith: Flagsmith, key: str
) -> None:
    number = segment(flagsmith)
    feature = {"name": WEBHOOKS}
    value = {"type": "string", "value": "x"}
    before = identity(flagsmith, key, "admin")
    body = {
        "feature": feature,
        "segment": {"id": number},
        "enabled": not before[WEBHOOKS],
        "value": value,
    }
    base = f"/api/experiments/environments/{key}"
    assert flagsmith.client.post(f"{base}/update-flag-v1/", json=body).status_code == 204
    assert identity(flagsmith, key, "admin")[WEBHOOKS] is not before[WEBHOOKS]
    assert identity(flagsmith, key, "viewer")[WEBHOOKS] is before[WEBHOOKS]
    environment = flagsmith.client.get(f"/api/v1/environments/{key}/").json()
    assert environment["total_segment_overrides"] == 1
    gone = {"feature": feature, "segment": {"id": number}}
    path = f"{base}/delete-segment-override/"
    assert flagsmith.client.post(path, json=gone).status_code == 204
    assert identity(flagsmith, key, "admin") == before
    assert flagsmith.client.post(path, json=gone).status_code == 400


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"feature": {}}, "feature"),
        ({"feature": {"name": "x", "id": 1}}, "feature"),
        ({"feature": {"name": "unknown"}}, "non_field_errors"),
        ({"value": {"type": "integer", "value": "x"}}, "value"),
        ({"value": {"type": "boolean", "value": "x"}}, "value"),
        ({"enabled": "maybe"}, "enabled"),
        ({"segment": {"id": 999}}, "segment"),
    ],
)
def test_a_bad_update_changes_nothing(
    flagsmith: Flagsmith, change: dict[str, Any], field: str
) -> None:
    good = {
        "feature": {"name": BILLING},
        "enabled": True,
        "value": {"type": "string", "value": "x"},
    }
    path = "/api/experiments/environments/prod-key/update-flag-v1/"
    answer = flagsmith.client.post(path, json={**good, **change})
    assert answer.status_code == 400
    assert field in answer.json()
    assert flagsmith.client.get(flagsmith.versions(BILLING)).json()["count"] == 1


def test_dropping_a_segment_drops_its_overrides(flagsmith: Flagsmith) -> None:
    number = segment(flagsmith)
    override = {
        "enabled": True,
        "feature_segment": {"segment": number},
        "feature_state_value": {"type": "bool", "boolean_value": True},
    }
    feature = flagsmith.feature(WEBHOOKS)
    path = f"/api/v1/environments/stag-key/features/{feature}/create-segment-override/"
    assert flagsmith.client.post(path, json=override).json()["feature_segment"]["priority"] == 0
    query = {"environment": flagsmith.seeded.environments["staging"], "feature": feature}
    listed = "/api/v1/features/feature-segments/"
    assert flagsmith.client.get(listed, params=query).json()["count"] == 1
    assert flagsmith.client.delete(f"{flagsmith.project}/segments/{number}/").status_code == 204
    assert flagsmith.client.get(listed, params=query).json()["count"] == 0
    assert identity(flagsmith, "stag-key", "admin")[WEBHOOKS] is False


def test_features_are_found_by_page_search_tag_and_archive(flagsmith: Flagsmith) -> None:
    features, tags = f"{flagsmith.project}/features/", f"{flagsmith.project}/tags/"
    tag = flagsmith.client.post(tags, json={"label": "ops"}).json()["id"]
    for index in range(12):
        body = {"name": f"extra_{index:02}", "tags": [tag] if index < 2 else []}
        assert flagsmith.client.post(features, json=body).status_code == 201
    first = flagsmith.client.get(features, params={"search": "EXTRA"}).json()
    assert (first["count"], len(first["results"]), first["previous"]) == (12, 10, None)
    second = flagsmith.client.get(first["next"]).json()
    assert [one["name"] for one in second["results"]] == ["extra_10", "extra_11"]
    assert flagsmith.client.get(features, params={"page": 9}).status_code == 404
    assert flagsmith.client.get(features, params={"tags": str(tag)}).json()["count"] == 2
    number = first["results"][0]["id"]
    flagsmith.client.patch(f"{features}{number}/", json={"is_archived": True})
    found = flagsmith.client.get(features, params={"is_archived": "true"}).json()
    assert [one["id"] for one in found["results"]] == [number]
    descending: dict[str, str | int] = {
        "sort_field": "name",
        "sort_direction": "DESC",
        "page_size": 1,
    }
    assert (
        flagsmith.client.get(features, params=descending).json()["results"][0]["name"] == WEBHOOKS
    )
    assert flagsmith.client.delete(f"{tags}{tag}/").status_code == 204


def test_a_name_is_free_again_after_renaming_or_dropping(flagsmith: Flagsmith) -> None:
    features = f"{flagsmith.project}/features/"
    number = flagsmith.client.post(features, json={"name": "old"}).json()["id"]
    assert flagsmith.client.post(features, json={"name": "OLD"}).status_code == 400
    taken = flagsmith.client.patch(f"{features}{number}/", json={"name": BILLING.upper()})
    assert taken.status_code == 400
    assert flagsmith.client.patch(f"{features}{number}/", json={"name": "new"}).status_code == 200
    other = flagsmith.client.post(features, json={"name": "old"})
    assert other.status_code == 201
    assert flagsmith.client.delete(f"{features}{number}/").status_code == 204
    assert flagsmith.client.delete(f"{features}{number}/").status_code == 404
    assert flagsmith.client.post(features, json={"name": "new"}).status_code == 201


def test_an_unknown_project_is_forbidden_and_an_unknown_route_is_djangos_page(
    flagsmith: Flagsmith,
) -> None:
    assert flagsmith.client.get("/api/v1/projects/999/features/").status_code == 403
    answer = flagsmith.client.get("/api/v1/projects")  # without the last slash
    assert answer.status_code == 404
    assert "<!doctype html>" in answer.text
    assert [one.path for one in flagsmith.app.state.contract_log.of("unknown")] == [
        "/api/v1/projects"
    ]


def test_a_throttled_call_is_worded_as_the_service_words_it(flagsmith: Flagsmith) -> None:
    fault = {"kind": "status", "status": 429, "retry_after": 3}
    flagsmith.client.post("/_sandbox/faults", json=fault, headers=CONTROL)
    answer = flagsmith.client.get("/api/v1/projects/")
    assert answer.json() == {"detail": "Request was throttled."}
    assert answer.headers["Retry-After"] == "3"


def test_a_toggle_whose_answer_was_lost_happened(flagsmith: Flagsmith) -> None:
    fault = {"kind": "drop_after_effect", "path_regex": "update-flag"}
    flagsmith.client.post("/_sandbox/faults", json=fault, headers=CONTROL)
    body = {
        "feature": {"name": BILLING},
        "enabled": True,
        "value": {"type": "string", "value": ""},
    }
    path = "/api/experiments/environments/prod-key/update-flag-v1/"
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        flagsmith.client.post(path, json=body)
    assert flagsmith.sdk("prod-key")[BILLING] == (True, "")


def test_a_restart_keeps_everything(flagsmith: Flagsmith, tmp_path: Path) -> None:
    flagsmith.client.post(f"{flagsmith.project}/features/", json={"name": "kept"})
    before = flagsmith.sdk("prod-key")
    other = Store(tmp_path / "flagsmith.sqlite")
    app = create_app(other, clock=lambda: datetime.now(UTC), sandbox_key=KEY)
    with serving(app, {"Authorization": f"Api-Key {TOKEN}"}) as client:
        answer = client.get("/api/v1/flags/", headers={"X-Environment-Key": "prod-key"})
        assert {one["feature"]["name"] for one in answer.json()} == before.keys()
        assert client.get("/api/v1/projects/").json()[0]["name"] == "ops"
    other.close()


def test_no_token_is_kept_in_clear(flagsmith: Flagsmith, tmp_path: Path) -> None:
    flagsmith.store.put("things", 1, {"written": True})
    content = b"".join(path.read_bytes() for path in tmp_path.glob("flagsmith.sqlite*"))
    assert TOKEN.encode() not in content
