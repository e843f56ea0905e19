"""Filling a sandbox: the checkout becomes the repository, what is declared becomes live, once."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from infra.clients.flagsmith import sdk_flags
from infra.clients.vercel import vercel_client
from infra.settings.environment import load_environment, load_platforms, read_from_folder
from ops_actions.errors import BadRequestError, OutsideError
from ops_actions.wiring.place import ROOT
from sandbox import control
from sandbox.home import Home
from sandbox.seed import deployments_of, seed, tracked_files
from tests.support.hub import ADMIN, ENGINEER, PRODUCTION

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.hub import Hub


def bare(hub: Hub, *words: str) -> str:
    command = ["git", "-C", str(Home(hub.folder).repository), *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_a_filled_sandbox_is_the_checkout_and_shows_what_it_declares(shared_hub: Hub) -> None:
    commits = bare(shared_hub, "rev-list", "main").split()
    assert len(commits) == 1
    assert set(bare(shared_hub, "ls-tree", "-r", "--name-only", "main").splitlines()) == set(
        tracked_files(ROOT)
    )
    assert bare(shared_hub, "ls-tree", "main", "scripts/coh").startswith("100755 ")
    assert shared_hub.rows("select last_applied from public.ops_apply_cursor") == [(commits[0],)]

    declared = load_environment(PRODUCTION, read_from_folder(ROOT)).flags.flags
    values = shared_hub.running.values
    live = sdk_flags(values["COH_FLAGSMITH_URL"], values["COH_FLAGSMITH_KEY_PRODUCTION"])
    assert {name: state.enabled for name, state in live.items()} == {
        name: flag.enabled for name, flag in declared.items()
    }
    staging = sdk_flags(values["COH_FLAGSMITH_URL"], values["COH_FLAGSMITH_KEY_STAGING"])
    assert not any(state.enabled for state in staging.values())


def test_every_environment_has_a_vercel_project_that_serves_something(shared_hub: Hub) -> None:
    values = shared_hub.running.values
    client = vercel_client(values["COH_VERCEL_URL"], values["COH_VERCEL_TOKEN"])
    for environment, platform in load_platforms(read_from_folder(ROOT)).items():
        good, bad = deployments_of(environment)
        project = client.project(platform.vercel.project)
        assert (project.id, project.production) == (platform.vercel.project_id, bad)
        before = client.deployment(good)
        assert before is not None
        assert (before.project_id, before.ready_state) == (project.id, "READY")
    client.close()


def test_people_act_as_themselves(shared_hub: Hub) -> None:
    for login in (ENGINEER, ADMIN):
        assert shared_hub.host(login).me().login == login


def test_it_is_filled_once(shared_hub: Hub) -> None:
    again = shared_hub.quietly("sandbox", "seed")
    assert again.code == BadRequestError.exit_code
    assert "sandbox.seeded" in again.err
    assert len(bare(shared_hub, "rev-list", "main").split()) == 1


def test_a_filling_that_stopped_half_way_is_told_as_such(place: Home) -> None:
    control.up(place)
    command = [sys.executable, "-m", "ops_actions.cli", "sandbox", "seed"]
    without_engine = {
        **{name: value for name, value in os.environ.items() if name != "COH_PULUMI"},
        "COH_STATE_DIR": str(place.folder),
        "PYTHONPATH": str(ROOT),
    }
    for code in ("target.missing", "sandbox.half_seeded"):
        run = subprocess.run(
            command, cwd=ROOT, env=without_engine, capture_output=True, text=True, check=False
        )
        assert run.returncode == BadRequestError.exit_code, run.stderr
        assert code in run.stderr


def test_without_a_sandbox_there_is_nothing_to_fill(
    place: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COH_STATE_DIR", str(place.folder))
    with pytest.raises(OutsideError) as failed:
        seed(ROOT, PRODUCTION)
    assert failed.value.code == "sandbox.down"
    assert not place.folder.exists()


def test_a_git_checkout_gives_what_git_has_or_would_take(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    for name in (".gitignore", "kept.txt", "gone.txt", "new.txt", "ignored.txt", "ü.txt"):
        (tmp_path / name).write_text("ignored.txt\n", encoding="utf-8")
    subprocess.run(["git", "-C", str(tmp_path), "add", "kept.txt", "gone.txt"], check=True)
    (tmp_path / "gone.txt").unlink()
    assert tracked_files(tmp_path) == [".gitignore", "kept.txt", "new.txt", "ü.txt"]


def test_an_unpacked_archive_gives_all_but_hidden_folders(tmp_path: Path) -> None:
    for name in (".gitignore", ".github/w.yml", ".ci/run", "a/b.py", ".venv/x", "a/__pycache__/b"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("", encoding="utf-8")
    assert tracked_files(tmp_path) == [".ci/run", ".github/w.yml", ".gitignore", "a/b.py"]
