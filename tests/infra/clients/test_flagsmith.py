"""The Flagsmith client against the emulator, in both ways of versioning."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from infra.clients.errors import (
    BadRequestError,
    NotFoundError,
    ReadOnlyError,
    UnauthorisedError,
    UnknownOutcomeError,
)
from infra.clients.flagsmith import flagsmith_client, sdk_flags
from infra.clients.flagsmith_models import FeatureState, FlagState
from infra.clients.transport import Call
from tests.support.pulumi_shim.world import KEYS, TOKEN, World, flagsmith_world

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ADMIN = {"Authorization": f"Api-Key {TOKEN}"}


@pytest.fixture(params=[False, True], ids=["v1", "v2"])
def world(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[World]:
    with flagsmith_world(tmp_path, v2=request.param) as made:
        yield made


def test_a_flag_is_made_switched_and_read_like_applications_read_it(world: World) -> None:
    client = world.client
    assert client.project.name == "Clarivum Operations Hub"
    assert client.environment.name == "Production"
    assert client.flag("ops_one") is None
    feature = client.find_or_create_feature("ops_one", "The first")
    assert client.state(feature) == FlagState(enabled=False)
    for state in (
        FlagState(enabled=True, value="twenty"),
        FlagState(enabled=True),
        FlagState(enabled=False, value="5"),
    ):
        client.set_state(feature, state)
        assert client.state(feature) == state
        assert client.flag("OPS_one") == state
        assert sdk_flags(world.url, KEYS["Production"]) == {"ops_one": state}
    assert sdk_flags(world.url, KEYS["Staging"])["ops_one"].enabled is False


def test_find_or_create_finds_without_regard_to_case_and_makes_once(world: World) -> None:
    first = world.client.find_or_create_feature("ops_one")
    assert world.client.find_or_create_feature("OPS_ONE") == first
    world.client.find_or_create_feature("ops_one_more")
    assert world.client.find_feature("ops_on") is None
    assert [one.name for one in world.client.features()] == ["ops_one", "ops_one_more"]


def test_a_creation_whose_answer_is_lost_is_found(world: World) -> None:
    world.arm(kind="drop_after_effect", method="POST", path_regex="/features/$")
    assert world.client.find_or_create_feature("ops_one").name == "ops_one"
    assert len(world.client.features()) == 1


def test_a_creation_that_never_arrived_has_an_unknown_outcome(world: World) -> None:
    world.arm(kind="drop_before_effect", method="POST", path_regex="/features/$")
    with pytest.raises(UnknownOutcomeError):
        world.client.find_or_create_feature("ops_one")


def test_a_state_whose_answer_is_lost_is_read_back(world: World) -> None:
    feature = world.client.find_or_create_feature("ops_one")
    world.arm(kind="drop_after_effect", path_regex="(featurestates/1|versions)/", times=None)
    world.client.set_state(feature, FlagState(enabled=True))
    world.faults.clear()
    assert world.client.state(feature) == FlagState(enabled=True)


def test_a_state_that_never_arrived_has_an_unknown_outcome(world: World) -> None:
    feature = world.client.find_or_create_feature("ops_one")
    pattern = r"(featurestates/\d+|versions)/$"
    world.arm(kind="drop_before_effect", path_regex=pattern, times=None)
    with pytest.raises(UnknownOutcomeError):
        world.client.set_state(feature, FlagState(enabled=True))


def test_segment_overrides_are_no_state_of_the_environment(world: World) -> None:
    feature = world.client.find_or_create_feature("ops_one")
    rule = {"property": "plan", "operator": "EQUAL", "value": "x"}
    segment = httpx.post(
        f"{world.url}/api/v1/projects/1/segments/",
        headers=ADMIN,
        json={
            "name": "few",
            "project": 1,
            "rules": [
                {
                    "type": "ALL",
                    "rules": [{"type": "ANY", "rules": [], "conditions": [rule]}],
                    "conditions": [],
                }
            ],
        },
    )
    key = KEYS["Production"]
    override = httpx.post(
        f"{world.url}/api/experiments/environments/{key}/update-flag-v2/",
        headers=ADMIN,
        json={
            "feature": {"name": "ops_one"},
            "environment_default": {"enabled": False, "value": {"type": "string", "value": "a"}},
            "segment_overrides": [
                {
                    "segment_id": segment.json()["id"],
                    "enabled": True,
                    "value": {"type": "string", "value": "b"},
                }
            ],
        },
    )
    assert override.status_code == 204, override.text
    assert world.client.state(feature) == FlagState(enabled=False, value="a")
    world.client.set_state(feature, FlagState(enabled=False, value="c"))
    assert world.client.state(feature) == FlagState(enabled=False, value="c")


@pytest.mark.parametrize("override", [{"feature_segment": 3}, {"identity": 4}])
def test_states_of_segments_and_people_are_told_apart(override: dict[str, int]) -> None:
    state = FeatureState(id=1, feature=1, environment=1, enabled=True)
    assert state.of_environment
    assert not state.model_copy(update=override).of_environment


def test_archiving_is_for_known_features(world: World) -> None:
    world.client.find_or_create_feature("ops_one")
    world.client.archive("ops_one")
    feature = world.client.find_feature("ops_one")
    assert feature is not None
    assert feature.is_archived
    with pytest.raises(NotFoundError):
        world.client.archive("ops_two")


def test_lists_are_followed_over_all_pages(world: World) -> None:
    names = {f"ops_{number:03d}" for number in range(205)}
    assert world.client.environment.name == "Production"
    for name in sorted(names):
        path = "/api/v1/projects/1/features/"
        world.client._transport.send(Call("createFeature", "POST", path, body={"name": name}))
    assert world.seen(206) == 206
    world.faults.forget()
    assert {one.name for one in world.client.features()} == names
    assert world.seen(3) == 3


def test_a_key_nobody_knows_and_a_wrong_token_are_named(world: World) -> None:
    stranger = flagsmith_client(world.url, TOKEN, "nobody-knows")
    with pytest.raises(UnauthorisedError, match="unknown or not allowed"):
        stranger.features()
    stranger.close()
    with pytest.raises(UnauthorisedError):
        sdk_flags(world.url, "nobody-knows")


def test_a_name_the_service_refuses_is_a_bad_request(world: World) -> None:
    with pytest.raises(BadRequestError):
        world.client.find_or_create_feature("x" * 2001)


def test_a_read_only_client_reads_and_does_not_write(world: World) -> None:
    world.client.find_or_create_feature("ops_one")
    reader = flagsmith_client(world.url, TOKEN, KEYS["Production"], read_only=True)
    feature = reader.find_feature("ops_one")
    assert feature is not None
    world.faults.forget()
    with pytest.raises(ReadOnlyError):
        reader.set_state(feature, FlagState(enabled=True))
    with pytest.raises(ReadOnlyError):
        reader.find_or_create_feature("ops_two")
    with pytest.raises(ReadOnlyError):
        reader.archive("ops_one")
    assert world.writes() == []
    reader.close()


def test_versioning_switched_on_while_we_run_is_noticed(tmp_path: Path) -> None:
    with flagsmith_world(tmp_path) as world:
        feature = world.client.find_or_create_feature("ops_one")
        assert world.client.environment.use_v2_feature_versioning is False
        key = KEYS["Production"]
        path = f"/api/v1/environments/{key}/enable-v2-versioning/"
        assert httpx.post(world.url + path, headers=ADMIN).status_code == 202
        world.client.set_state(feature, FlagState(enabled=True))
        assert world.client.state(feature) == FlagState(enabled=True)
