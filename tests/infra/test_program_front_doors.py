"""`pulumi up` at the desk and the Automation API make the same stack."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import yaml

from infra.clients.flagsmith import sdk_flags
from infra.settings.environment import load_environment, read_from_folder
from infra.settings.migrations import read_migrations
from ops_actions.adapters.pulumi_steps import PROJECT
from tests.support.pulumi_shim.world import (
    KEYS,
    ROOT,
    TOKEN,
    World,
    apply_all,
    engine_root,
    flagsmith_world,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with flagsmith_world(tmp_path) as made:
        yield made


def checkout(folder: Path) -> Path:
    """Copy what `pulumi up` reads, so that the engine writes nothing into the repository."""
    root = folder / "checkout"
    root.mkdir()
    for name in ("Pulumi.yaml", "Pulumi.production.yaml"):
        shutil.copy(ROOT / name, root / name)
    shutil.copytree(ROOT / "infra", root / "infra", ignore=shutil.ignore_patterns("__pycache__"))
    (root / "scripts").mkdir()
    shutil.copy(ROOT / "scripts" / "pulumi-resource-opshub", root / "scripts")
    return root


def pulumi(world: World, root: Path, database_url: str, *words: str) -> str:
    options = world.options()
    path = os.pathsep.join(
        [str(ROOT / "tests/support/pulumi_shim"), str(root / "scripts"), os.environ["PATH"]]
    )
    variables = {
        "PATH": path,
        "HOME": str(world.folder),
        "PULUMI_HOME": str(options.home),
        "PULUMI_BACKEND_URL": options.backend_url,
        "PULUMI_CONFIG_PASSPHRASE_FILE": str(options.passphrase_file),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "COH_PYTHON": sys.executable,
        "COH_FLAGSMITH_URL": world.url,
        "COH_FLAGSMITH_TOKEN": TOKEN,
        "COH_FLAGSMITH_ENVIRONMENT_KEY": KEYS["Production"],
        "COH_DATABASE_URL": database_url,
    }
    command = [str(engine_root() / "bin" / "pulumi"), "--non-interactive", "--color=never", *words]
    done = subprocess.run(
        command, cwd=root, env=variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_both_front_doors_make_the_same_stack(world: World, empty_database_url: str) -> None:
    settings = load_environment("production", read_from_folder(ROOT))
    engine = world.engine(empty_database_url)
    apply_all(engine, settings, read_migrations())
    live = sdk_flags(world.url, KEYS["Production"])
    declared = {name: flag.enabled for name, flag in settings.flags.flags.items()}
    assert {name: flag.enabled for name, flag in live.items()} == declared

    root = checkout(world.folder)
    count = len(declared) + len(read_migrations())
    said = pulumi(world, root, empty_database_url, "preview", "--stack", "production", "--diff")
    assert "unchanged" in said
    world.faults.forget()
    said = pulumi(
        world, root, empty_database_url, "up", "--yes", "--refresh", "--stack", "production"
    )
    assert f"{count + 3} unchanged" in said, said
    assert world.writes() == []
    assert engine.preview(settings, read_migrations(), refresh=True) == ()


def test_the_project_file_names_the_project_that_urns_name() -> None:
    document = yaml.safe_load((ROOT / "Pulumi.yaml").read_text(encoding="utf-8"))
    assert document["name"] == PROJECT
    assert "backend" not in document
