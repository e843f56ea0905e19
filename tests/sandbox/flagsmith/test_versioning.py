from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.sandbox.flagsmith.conftest import Flagsmith

BILLING = "ops_module_billing"


def test_enabling_v2_is_one_way(flagsmith: Flagsmith) -> None:
    path = "/api/v1/environments/stag-key/enable-v2-versioning/"
    assert flagsmith.client.post(path, json={}).status_code == 202
    assert flagsmith.client.post(path, json={}).status_code == 400
    environment = flagsmith.client.get("/api/v1/environments/stag-key/").json()
    assert environment["use_v2_feature_versioning"] is True
    assert flagsmith.sdk("stag-key")[BILLING] == (True, None)


def test_a_draft_changes_nothing_until_it_is_published_and_then_can_not_be_changed(
    flagsmith: Flagsmith,
) -> None:
    versions = flagsmith.versions(BILLING)
    draft = flagsmith.client.post(versions, json={}).json()
    states = f"{versions}{draft['uuid']}/featurestates/"
    (state,) = flagsmith.client.get(states).json()
    change = {"enabled": True, "feature_state_value": {"type": "int", "integer_value": 3}}
    assert flagsmith.client.patch(f"{states}{state['id']}/", json=change).status_code == 200
    assert flagsmith.sdk("prod-key")[BILLING] == (False, None)
    assert flagsmith.client.delete(f"{states}{state['id']}/").status_code == 400
    published = flagsmith.client.post(f"{versions}{draft['uuid']}/publish/", json={})
    assert published.json().keys() == {"live_from"}
    assert flagsmith.sdk("prod-key")[BILLING] == (True, 3)
    assert flagsmith.client.patch(f"{states}{state['id']}/", json=change).status_code == 400
    assert flagsmith.client.delete(f"{versions}{draft['uuid']}/").status_code == 400


def test_a_draft_can_be_dropped(flagsmith: Flagsmith) -> None:
    versions = flagsmith.versions(BILLING)
    draft = flagsmith.client.post(versions, json={}).json()
    assert flagsmith.client.delete(f"{versions}{draft['uuid']}/").status_code == 204
    assert flagsmith.client.get(versions).json()["count"] == 1
    assert flagsmith.client.post(f"{versions}{draft['uuid']}/publish/", json={}).status_code == 404


def test_a_version_published_for_later_is_not_in_force_yet(flagsmith: Flagsmith) -> None:
    body = {
        "publish_immediately": True,
        "live_from": "2999-01-01T00:00:00Z",
        "feature_states_to_update": [
            {"enabled": True, "feature_state_value": {"type": "unicode", "string_value": "x"}}
        ],
    }
    made = flagsmith.client.post(flagsmith.versions(BILLING), json=body).json()
    assert (made["published"], made["is_live"]) == (True, False)
    assert flagsmith.sdk("prod-key")[BILLING] == (False, None)


def test_versions_of_an_environment_without_versioning_are_refused(flagsmith: Flagsmith) -> None:
    number = flagsmith.seeded.environments["staging"]
    path = f"/api/v1/environments/{number}/features/{flagsmith.feature(BILLING)}/versions/"
    assert flagsmith.client.post(path, json={}).status_code == 400
