"""The real engine against a real HTTP emulator: look, compare, do."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from infra.clients.flagsmith import flagsmith_client, sdk_flags
from infra.clients.flagsmith_models import FlagState
from infra.settings.flags import Flag, FlagType
from ops_actions.adapters.pulumi_steps import flag_urn
from ops_actions.errors import OutsideError, RefusedError
from tests.support.pulumi_shim.world import (
    KEYS,
    PASSPHRASE,
    TOKEN,
    World,
    apply_all,
    engine_on,
    flagsmith_world,
    settings_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FLAGS = {"ops_module_one": True, "ops_module_two": False}
ONE = flag_urn("production", "ops_module_one")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with flagsmith_world(tmp_path) as made:
        yield made


def test_create_then_no_op_then_toggle_of_one_flag(world: World) -> None:
    engine, settings = world.engine(), settings_of(FLAGS)
    steps = engine.preview(settings, ())
    assert {step.name for step in steps if step.type == "opshub:flagsmith:Flag"} == set(FLAGS)
    assert {step.op for step in steps} == {"create"}
    engine.up(settings, (), None, steps)
    live = sdk_flags(world.url, KEYS["Production"])
    assert {name: flag.enabled for name, flag in live.items()} == FLAGS

    assert engine.preview(settings, ()) == ()
    world.faults.forget()
    engine.up(settings, (), None, ())
    assert world.writes() == []

    toggled = settings_of({**FLAGS, "ops_module_two": True})
    steps = engine.preview(toggled, ())
    assert [(step.op, step.name) for step in steps] == [("update", "ops_module_two")]
    assert steps[0].old is not None
    assert steps[0].new is not None
    assert (steps[0].old["enabled"], steps[0].new["enabled"]) == (False, True)
    engine.up(toggled, (), None, steps)
    assert [method for method, _ in world.writes()] == ["PUT"]
    assert world.client.flag("ops_module_two") == FlagState(enabled=True)


def test_preview_leaves_nothing_behind(world: World) -> None:
    options = world.options()
    assert world.engine().preview(settings_of(FLAGS), ())
    assert list((world.folder / "state").rglob("*.json*")) == []
    assert world.writes() == []
    # A pull request's check has no access to Flagsmith at all, and still sees the plan.
    assert engine_on(options, None, None).preview(settings_of(FLAGS), ())


def test_drift_made_by_hand_is_seen_by_a_refresh_and_repaired(world: World) -> None:
    engine, settings = world.engine(), settings_of(FLAGS)
    apply_all(engine, settings)
    feature = world.client.find_feature("ops_module_one")
    assert feature is not None
    world.client.set_state(feature, FlagState(enabled=False, value="by hand"))

    steps = engine.preview(settings, (), refresh=True)
    assert [(step.op, step.name) for step in steps] == [("update", "ops_module_one")]
    assert steps[0].old is not None
    assert steps[0].old["value"] == "by hand"
    engine.up(settings, (), None, steps, refresh=True)
    assert world.client.flag("ops_module_one") == FlagState(enabled=True)
    assert engine.preview(settings, (), refresh=True) == ()


def test_a_flag_deleted_by_hand_comes_back(world: World) -> None:
    engine, settings = world.engine(), settings_of(FLAGS)
    apply_all(engine, settings)
    world.client.archive("ops_module_one")
    steps = engine.preview(settings, (), refresh=True)
    assert [(step.op, step.name) for step in steps] == [("create", "ops_module_one")]
    engine.up(settings, (), None, steps, refresh=True)
    feature = world.client.find_feature("ops_module_one")
    assert feature is not None
    assert not feature.is_archived


def test_a_flag_no_longer_declared_is_switched_off_here_only(world: World) -> None:
    engine = world.engine()
    apply_all(engine, settings_of(FLAGS))
    staging = flagsmith_client(world.url, TOKEN, KEYS["Staging"])
    feature = staging.find_feature("ops_module_one")
    assert feature is not None
    staging.set_state(feature, FlagState(enabled=True))

    rest = settings_of({"ops_module_two": False})
    steps = engine.preview(rest, ())
    assert [(step.op, step.name, step.new) for step in steps] == [
        ("delete", "ops_module_one", None)
    ]
    notes = engine.up(rest, (), None, steps)
    assert [note.partition(" is ")[0] for note in notes] == ["ops_module_one"]
    assert world.client.flag("ops_module_one") == FlagState(enabled=False)
    assert staging.flag("ops_module_one") == FlagState(enabled=True)
    staging.close()


def test_what_was_approved_is_what_runs(world: World) -> None:
    engine = world.engine()
    apply_all(engine, settings_of(FLAGS))
    approved = engine.preview(settings_of({**FLAGS, "ops_module_two": True}), ())
    world.faults.forget()
    both = settings_of({"ops_module_one": False, "ops_module_two": True})
    with pytest.raises(RefusedError) as refused:
        engine.up(both, (), None, approved)
    assert refused.value.code == "infra.preview_differs"
    assert ONE in refused.value.fact
    assert flag_urn("production", "ops_module_two") not in refused.value.fact
    assert world.writes() == []


def test_targets_limit_what_is_done_and_what_is_asked(world: World) -> None:
    engine = world.engine()
    many = {f"ops_module_{number:02d}": False for number in range(12)}
    target = [flag_urn("production", "ops_module_03")]
    on = settings_of(dict.fromkeys(many, True))
    steps = engine.preview(on, (), target)
    engine.up(on, (), target, steps)
    assert [feature.name for feature in world.client.features()] == ["ops_module_03"]

    apply_all(engine, settings_of(many))
    world.faults.forget()
    steps = engine.preview(on, (), target, refresh=True)
    assert [step.name for step in steps] == ["ops_module_03"]
    engine.up(on, (), target, steps, refresh=True)
    assert len(world.faults.recorded()) < len(many)
    assert [f.enabled for f in sdk_flags(world.url, KEYS["Production"]).values()].count(True) == 1


def test_no_secret_reaches_any_file_of_the_engine(world: World) -> None:
    engine = world.engine()
    valued = Flag(enabled=True, type=FlagType.RELEASE, reason="A test", value="twenty")
    apply_all(engine, settings_of({"ops_module_one": valued}))
    engine.preview(settings_of(FLAGS), (), refresh=True)
    files = [path for path in world.folder.rglob("*") if path.is_file()]
    assert len(files) > 10
    for path in files:
        if path.name != "passphrase" and not path.name.startswith("flagsmith.sqlite"):
            data = path.read_bytes()
            assert TOKEN.encode() not in data, path
            assert PASSPHRASE.encode() not in data, path


def test_the_engine_keeps_everything_in_its_own_home(world: World) -> None:
    home = world.options().home
    apply_all(world.engine(), settings_of({}))
    assert list((home / "workspaces").iterdir())
    # The engine logs each command, also the question for its version, where its home is.
    assert [path for path in (home / "logs").iterdir() if "version" in path.name]


def test_a_failing_service_is_an_outside_error_without_the_token(world: World) -> None:
    engine, settings = world.engine(), settings_of(FLAGS)
    steps = engine.preview(settings, ())
    world.arm(kind="status", status=401, times=None)
    with pytest.raises(OutsideError) as failed:
        engine.up(settings, (), None, steps)
    assert failed.value.code == "infra.engine"
    assert "401" in failed.value.fact
    assert TOKEN not in str(failed.value)
    world.faults.clear()
    apply_all(engine, settings)
    assert engine.preview(settings, (), refresh=True) == ()


def test_a_key_of_another_environment_is_refused(world: World) -> None:
    other = flagsmith_client(world.url, TOKEN, KEYS["Staging"])
    engine, settings = engine_on(world.options(), other, None), settings_of(FLAGS)
    with pytest.raises(RefusedError) as refused:
        engine.up(settings, (), None, engine.preview(settings, ()))
    assert refused.value.code == "infra.flagsmith_other_environment"
    assert world.writes() == []
    other.close()


def test_a_bad_name_is_refused_before_anything_runs(world: World) -> None:
    with pytest.raises(RefusedError) as refused:
        world.engine().preview(settings_of({"Ops-Module": True}), ())
    assert refused.value.code == "infra.input_invalid"


def test_a_second_run_is_refused_while_one_holds_the_lock(world: World) -> None:
    engine, settings = world.engine(), settings_of(FLAGS)
    apply_all(engine, settings)
    toggled = settings_of({**FLAGS, "ops_module_two": True})
    steps = engine.preview(toggled, ())
    # Two looks come before the update's own: the preview's. The update's own hangs.
    world.arm(kind="hang", path_regex="/features/", skip=2, times=1)
    slow = engine_on(replace(world.options(), work_dir=world.folder / "work2"), world.client, None)
    outcome: list[BaseException | None] = []

    def run() -> None:
        try:
            slow.up(toggled, (), None, steps, refresh=True)
            outcome.append(None)
        except OutsideError as error:
            outcome.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    while world.faults.armed():
        threading.Event().wait(0.01)
    with pytest.raises(RefusedError) as refused:
        engine.up(toggled, (), None, steps)
    assert refused.value.code == "infra.locked"
    world.faults.clear()
    thread.join()
    assert len(outcome) == 1


def test_a_wrong_passphrase_and_a_missing_engine_are_named(world: World, tmp_path: Path) -> None:
    apply_all(world.engine(), settings_of(FLAGS))
    wrong = tmp_path / "wrong"
    wrong.write_text("not it", encoding="utf-8")
    options = replace(world.options(), passphrase_file=wrong)
    with pytest.raises(OutsideError, match="passphrase"):
        engine_on(options, world.client, None).preview(settings_of(FLAGS), ())
    options = replace(world.options(), root=tmp_path / "nowhere")
    with pytest.raises(OutsideError) as missing:
        engine_on(options, world.client, None).preview(settings_of(FLAGS), ())
    assert missing.value.code == "infra.engine_missing"


def test_the_working_folder_holds_nothing_that_is_needed(world: World) -> None:
    settings = settings_of(FLAGS)
    apply_all(world.engine(), settings)
    elsewhere = replace(
        world.options(), work_dir=world.folder / "other", home=world.folder / "other-home"
    )
    assert engine_on(elsewhere, world.client, None).preview(settings, (), refresh=True) == ()
