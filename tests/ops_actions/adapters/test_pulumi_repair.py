"""A run that is killed: locks, pending operations, and one object in the end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from infra.clients.flagsmith_models import FlagState
from ops_actions.errors import RefusedError, UndecidableError
from tests.support.pulumi_shim.world import ROOT, World, apply_all, flagsmith_world, settings_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ops_actions.adapters.pulumi_errors import LockOwner

CANCEL = "pulumi cancel --stack organization/clarivum-ops/production"
SETTINGS = settings_of({"ops_module_one": True})


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with flagsmith_world(tmp_path) as made:
        yield made


def kill_in_the_middle(world: World) -> None:
    """Start an update whose feature gets made and whose state write never ends; kill -9 it."""
    world.arm(kind="hang", method="PUT", path_regex="featurestates", times=1)
    child = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "tests.support.pulumi_shim.run_up",
            str(world.folder),
            world.url,
            "ops_module_one",
        ],
        cwd=ROOT,
        start_new_session=True,
    )
    try:
        while world.faults.armed():
            assert child.poll() is None, "the update ended before it could be killed"
            with pytest.raises(subprocess.TimeoutExpired):
                child.wait(0.02)
    finally:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
    world.faults.clear()


def test_killed_run_is_repaired_to_one_object_and_a_clean_preview(world: World) -> None:
    world.options()
    kill_in_the_middle(world)
    engine = world.engine()
    assert [feature.name for feature in world.client.features()] == ["ops_module_one"]
    assert world.client.flag("ops_module_one") == FlagState(enabled=False)

    with pytest.raises(RefusedError) as pending:
        apply_all(engine, SETTINGS)
    assert pending.value.code == "infra.pending"

    asked: list[LockOwner] = []

    def alive(owner: LockOwner) -> bool:
        asked.append(owner)
        return True

    with pytest.raises(RefusedError) as locked:
        engine.repair("production", alive)
    assert locked.value.code == "infra.locked"
    assert CANCEL in locked.value.next_step
    assert asked[0].pid > 0
    assert asked[0].host

    repair = engine.repair("production", lambda _owner: False)
    assert [owner.pid for owner in repair.dead] == [asked[0].pid]
    assert [urn.rpartition("::")[2] for urn in repair.cleared] == ["ops_module_one"]

    apply_all(engine, SETTINGS)
    assert [feature.name for feature in world.client.features()] == ["ops_module_one"]
    assert world.client.flag("ops_module_one") == FlagState(enabled=True)
    assert engine.preview(SETTINGS, (), refresh=True) == ()


def test_repair_of_a_healthy_stack_changes_nothing(world: World) -> None:
    engine = world.engine()
    assert engine.repair("production", lambda _owner: False).cleared == ()
    apply_all(engine, SETTINGS)
    world.faults.forget()
    repair = engine.repair("production", lambda _owner: False)
    assert (repair.dead, repair.cleared) == ((), ())
    assert world.writes() == []
    assert engine.preview(SETTINGS, ()) == ()


def test_a_lock_without_an_owner_needs_a_human(world: World) -> None:
    engine = world.engine()
    apply_all(engine, SETTINGS)
    locks = world.folder / "state" / ".pulumi" / "locks" / "organization" / "clarivum-ops"
    folder = locks / "production"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "0a0b.json").write_text('{"pid": 0, "username": "", "hostname": ""}', "utf-8")
    with pytest.raises(UndecidableError) as unknown:
        engine.repair("production", lambda _owner: False)
    assert unknown.value.code == "infra.lock_unknown"
    assert CANCEL in unknown.value.next_step

    # What the refusals name really takes a lock away, from any folder.
    options = world.options()
    subprocess.run(
        [str(options.root / "bin" / "pulumi"), *CANCEL.split()[1:], "--yes"],
        cwd=world.folder,
        env={"PULUMI_BACKEND_URL": options.backend_url, "PULUMI_HOME": str(options.home)},
        check=True,
        capture_output=True,
    )
    assert list(folder.iterdir()) == []
    assert engine.repair("production", lambda _owner: False).dead == ()
