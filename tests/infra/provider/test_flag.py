"""The flag resource against the emulator, without an engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from infra.clients.flagsmith import flagsmith_client
from infra.clients.flagsmith_models import FlagState
from infra.provider.flag import FlagHandler
from infra.provider.handler import HandlerError
from infra.provider.lifecycle import Lifecycle
from tests.support.pulumi_shim.world import KEYS, TOKEN, World, flagsmith_world

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from infra.clients.transport import Json

WHERE: dict[str, Json] = {
    "project": "Clarivum Operations Hub",
    "environment": "Production",
    "feature": "ops_module_one",
}
ON: dict[str, Json] = {**WHERE, "enabled": True, "value": "twenty", "description": "The first"}
ID = "Clarivum Operations Hub/Production/ops_module_one"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with flagsmith_world(tmp_path) as made:
        yield made


def test_read_gives_back_what_create_was_given(world: World) -> None:
    life = Lifecycle(FlagHandler(world.client))
    assert life.identify(ON) == ID
    assert life.read(ID, ON) is None
    assert life.create(ON) == ON
    assert life.read(ID, ON) == ON
    # Without a description of ours, the service's is nobody's business.
    plain = {name: value for name, value in ON.items() if name != "description"}
    assert life.read(ID, plain) == plain
    assert life.read(ID, {}) == plain


def test_create_takes_over_what_is_there_and_repeats_nothing(world: World) -> None:
    life = Lifecycle(FlagHandler(world.client))
    world.client.find_or_create_feature("ops_module_one", "Made by hand")
    life.create(ON)
    feature = world.client.find_feature("ops_module_one")
    assert feature is not None
    assert feature.description == "The first"
    world.faults.forget()
    life.create(ON)
    assert world.writes() == []
    assert len(world.client.features()) == 1


def test_an_archived_feature_counts_as_gone_and_comes_back(world: World) -> None:
    life = Lifecycle(FlagHandler(world.client))
    life.create(ON)
    world.client.archive("ops_module_one")
    assert life.read(ID, ON) is None
    life.create(ON)
    assert life.read(ID, ON) == ON


def test_a_value_of_another_type_is_drift(world: World) -> None:
    life = Lifecycle(FlagHandler(world.client))
    five = {**WHERE, "enabled": True, "value": "5"}
    life.create(five)
    feature = world.client.find_feature("ops_module_one")
    assert feature is not None
    world.client.set_state(feature, FlagState(enabled=True, value=5))
    found = life.read(ID, five)
    assert found is not None
    assert [one.name for one in life.differ(found, five, ())] == ["value"]
    life.update(found, five)
    assert life.read(ID, five) == five


@pytest.mark.parametrize("value", ["twenty", None])
def test_delete_switches_off_here_and_says_that_the_feature_stays(
    world: World, value: str | None
) -> None:
    life = Lifecycle(FlagHandler(world.client))
    declared = {name: held for name, held in {**ON, "value": value}.items() if held is not None}
    life.create(declared)
    notes: list[str] = []
    life.delete(declared, notes.append)
    # What the plan of an archived flag desires, and that of a new one expects.
    assert world.client.flag("ops_module_one") == FlagState(enabled=False)
    world.faults.forget()
    life.delete(declared, lambda _: None)
    assert world.writes() == []
    assert len(notes) == 1
    assert "switched off in Production" in notes[0]
    life.delete({**ON, "feature": "ops_module_two"}, notes.append)
    assert len(notes) == 1


def test_a_key_of_another_environment_never_reads_or_writes(world: World) -> None:
    other = flagsmith_client(world.url, TOKEN, KEYS["Staging"])
    life = Lifecycle(FlagHandler(other))
    calls: list[Callable[[], object]] = [
        lambda: life.create(ON),
        lambda: life.read(ID, ON),
        lambda: life.update(ON, ON),
        lambda: life.delete(ON, print),
    ]
    for call in calls:
        with pytest.raises(HandlerError) as refused:
            call()
        assert refused.value.code == "infra.flagsmith_other_environment"
    assert world.writes() == []
    other.close()


def test_without_access_only_plans_work() -> None:
    life = Lifecycle(FlagHandler(None))
    assert life.check({}, ON) == ()
    assert life.differ({}, ON, ()) != ()
    with pytest.raises(HandlerError, match="COH_FLAGSMITH_URL"):
        life.create(ON)


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"feature": "Ops-One"}, "feature"),
        ({"feature": "ops_о"}, "feature"),  # noqa: RUF001 - a Cyrillic letter, on purpose
        ({"enabled": "yes"}, "enabled"),
        ({"value": 5}, "value"),
        ({"token": "canary"}, "token"),
        ({"environment": "04da6b54-80e4-46f7-96ec-b56ff0331ba9"}, "environment"),
    ],
)
def test_check_names_the_input_and_not_its_value(change: dict[str, Json], name: str) -> None:
    failures = Lifecycle(FlagHandler(None)).check({}, {**ON, **change})
    assert [failure.name for failure in failures] == [name]
    assert failures[0].reason.startswith("infra.input_")
    assert "canary" not in failures[0].reason


def test_differences_are_detailed_and_another_object_is_a_replacement() -> None:
    life = Lifecycle(FlagHandler(None))
    other = {**WHERE, "feature": "ops_module_two", "enabled": False, "description": "The first"}
    assert [(one.name, one.verb, one.replaces) for one in life.differ(ON, other, ())] == [
        ("enabled", "update", False),
        ("feature", "update", True),
        ("value", "delete", False),
    ]
    assert life.differ(ON, other, {"enabled", "feature", "value"}) == ()
    assert life.differ(ON, ON, ()) == ()
