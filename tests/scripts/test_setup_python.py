"""scripts/setup and the Python environment; scripts/coh in it."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING

from tests.support.machine import ROOT, Machine

if TYPE_CHECKING:
    from pathlib import Path

SETUP = "scripts/setup"
TELLS = """
import json, os, sys
names = ("COH_OPA", "COH_PULUMI", "COH_VENV", "PYTHONPATH")
print(json.dumps([sys.argv[1:], sys.executable, {name: os.environ[name] for name in names}]))
"""


def set_up(machine: Machine) -> None:
    run = machine.run(SETUP)
    assert run.returncode == 0, run.stderr


def tiny_size(machine: Machine) -> str:
    command = [str(machine.environment / "bin" / "python"), "-c", "import tiny; print(tiny.SIZE)"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def test_a_file_with_another_hash_is_refused(bare_machine: Machine) -> None:
    bare_machine.write_lock("0" * 64)
    run = bare_machine.run(SETUP)
    assert run.returncode == 3
    assert "setup.python_packages: pip could not install exactly" in run.stderr
    assert "HASHES" in run.stderr  # pip's own words
    assert not (bare_machine.environment / "coh-setup").exists()

    bare_machine.write_lock()  # what failed once is not taken for done
    set_up(bare_machine)
    assert tiny_size(bare_machine) == "tiny"


def test_a_lock_without_hashes_is_refused(bare_machine: Machine) -> None:
    (bare_machine.checkout / "requirements.lock").write_text("tiny==1.0\n", encoding="utf-8")
    assert bare_machine.run(SETUP).returncode == 3


def test_another_lock_makes_the_environment_anew(
    bare_machine: Machine, ready_environment: Path
) -> None:
    shutil.copytree(ready_environment, bare_machine.environment, symlinks=True)
    stray = bare_machine.environment / "stray"
    stray.touch()
    set_up(bare_machine)
    assert stray.exists()
    lock = bare_machine.checkout / "requirements.lock"
    lock.write_text(f"# changed\n{lock.read_text('utf-8')}", encoding="utf-8")
    set_up(bare_machine)
    assert not stray.exists()
    assert tiny_size(bare_machine) == "tiny"


def test_a_killed_set_up_is_finished_once_by_the_next(bare_machine: Machine) -> None:
    bare_machine.environment.mkdir()
    (bare_machine.environment / "coh-environment").write_text("building", encoding="utf-8")
    (bare_machine.environment / "bin").mkdir()
    processes = [bare_machine.start(SETUP) for _ in range(3)]
    errors = [process.communicate()[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], errors
    assert sum(error.count("installing Python packages") for error in errors) == 1
    assert tiny_size(bare_machine) == "tiny"


def test_a_folder_of_somebody_else_is_left_alone(bare_machine: Machine) -> None:
    bare_machine.environment.mkdir()
    (bare_machine.environment / "thesis.txt").write_text("years of work", encoding="utf-8")
    run = bare_machine.run(SETUP)
    assert run.returncode == 2
    assert "setup.environment_foreign" in run.stderr
    assert [path.name for path in bare_machine.environment.iterdir()] == ["thesis.txt"]


def test_no_python_says_what_to_install(bare_machine: Machine) -> None:
    (bare_machine.folder / "bin" / "python3").unlink()
    run = bare_machine.run(SETUP)
    assert run.returncode == 2
    assert run.stderr.startswith("setup.python_missing: no Python >= 3.11 on PATH\n  next: install")


def test_an_old_python_is_passed_over_for_a_newer_one(machine: Machine) -> None:
    newer = (machine.folder / "bin" / "python3").readlink()
    machine.install("python3", "#!/bin/sh\nexit 0\n")  # what 3.10 answers to our question
    assert "setup.python_missing" in machine.run(SETUP).stderr
    (machine.folder / "bin" / "python3.11").symlink_to(newer)
    set_up(machine)


def test_a_named_python_that_is_too_old_is_refused(bare_machine: Machine) -> None:
    old = bare_machine.install("python-old", "#!/bin/sh\nexit 0\n")
    run = bare_machine.run(SETUP, COH_PYTHON=str(old))
    assert run.returncode == 2
    assert f"setup.python_version: COH_PYTHON={old} is not a Python >= 3.11" in run.stderr


def test_coh_runs_in_the_environment_and_imports_nothing_from_here(
    machine: Machine, tmp_path: Path
) -> None:
    opa = machine.install_engine("opa", "1.22.2")
    machine.install_engine("pulumi", "3.259.0")
    for folder, text in ((machine.checkout, TELLS), (tmp_path, "raise SystemExit('stolen')")):
        (folder / "ops_actions" / "cli").mkdir(parents=True)
        (folder / "ops_actions" / "__init__.py").touch()
        (folder / "ops_actions" / "cli" / "__main__.py").write_text(text, encoding="utf-8")
    run = machine.run("scripts/coh", "flag list", "--json", PYTHONPATH=str(tmp_path))
    assert run.returncode == 0, run.stderr
    words, executable, variables = json.loads(run.stdout)
    assert words == ["flag list", "--json"]
    assert executable == str(machine.environment / "bin" / "python")
    assert variables == {
        "COH_OPA": str(opa),
        "COH_PULUMI": str(machine.folder),
        "COH_VENV": str(machine.environment),
        "PYTHONPATH": str(machine.checkout),
    }
    assert machine.run("scripts/demo").returncode == 0


def test_help_and_unknown_words(machine: Machine) -> None:
    helped, unknown = machine.run(SETUP, "--help"), machine.run(SETUP, "--what")
    assert (helped.returncode, unknown.returncode) == (0, 2)
    assert helped.stdout.startswith("Usage: scripts/setup [--tests] [--where]")
    assert unknown.stderr == helped.stdout


def test_the_lock_names_no_machine_and_no_index() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert "://" not in lock
    assert not [line for line in lock.splitlines() if line.startswith(("-", "/"))]
    assert lock.count("--hash=sha256:") > lock.count("==")
