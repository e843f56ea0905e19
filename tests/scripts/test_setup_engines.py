"""scripts/setup and the engines: who wins, what is built, what is refused."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.support.machine import ENGINES, Machine, snapshot

if TYPE_CHECKING:
    from pathlib import Path

SETUP = "scripts/setup"


def where(machine: Machine, *words: str, **variables: str) -> dict[str, tuple[str, str]]:
    run = machine.run(SETUP, "--where", *words, **variables)
    assert run.returncode == 0, run.stderr
    lines = [line.split(" ", 2) for line in run.stdout.splitlines()]
    return {name: (version, path) for name, version, path in lines}


def cached(machine: Machine, name: str) -> str:
    return str(machine.cache / f"{name}-{ENGINES[name]}" / "bin" / name)


def test_engines_are_built_into_the_cache(machine: Machine) -> None:
    found = where(machine)
    assert list(found) == ["python", "opa", "pulumi"]
    for name in ("opa", "pulumi"):
        assert found[name] == (ENGINES[name], cached(machine, name))
    assert machine.builds == ["opa", "pulumi"]
    leftovers = [path.name for path in machine.cache.iterdir() if "lock" not in path.name]
    assert sorted(leftovers) == ["opa-1.22.2", "pulumi-3.259.0"]


def test_tests_need_two_more(machine: Machine) -> None:
    assert list(where(machine, "--tests")) == ["python", "opa", "pulumi", "act", "actionlint"]


def test_an_engine_on_path_saves_the_build(machine: Machine) -> None:
    program = machine.install_engine("opa", "1.4.0")
    assert where(machine)["opa"] == ("1.4.0", str(program))
    assert machine.builds == ["pulumi"]


@pytest.mark.parametrize("version", ["1.3.9", "2.0.0", "0.70.0", "unknown"])
def test_an_engine_on_path_out_of_range_is_passed_over(machine: Machine, version: str) -> None:
    machine.install_engine("opa", version)
    assert where(machine)["opa"] == (ENGINES["opa"], cached(machine, "opa"))


def test_versions_are_numbers_not_text(machine: Machine) -> None:
    machine.install_engine("opa", "1.10.0")
    machine.install_engine("pulumi", "3.1000.0")
    found = where(machine)
    assert (found["opa"][0], found["pulumi"][0]) == ("1.10.0", "3.1000.0")
    assert machine.builds == []


def test_an_engine_that_a_person_names_wins(machine: Machine) -> None:
    machine.install_engine("opa", "1.20.0")
    own = machine.install_engine("opa-of-mine", "1.21.0")
    assert where(machine, COH_OPA=str(own))["opa"] == ("1.21.0", str(own))


def test_pulumi_is_named_by_its_folder(machine: Machine) -> None:
    machine.install_engine("pulumi", "3.300.0")
    found = where(machine, COH_PULUMI=str(machine.folder))
    assert found["pulumi"] == ("3.300.0", str(machine.folder / "bin" / "pulumi"))


@pytest.mark.parametrize("version", ["0.9.0", "2.1.0", "unknown"])
def test_a_named_engine_of_the_wrong_version_is_refused(machine: Machine, version: str) -> None:
    wrong = machine.install_engine("opa-of-mine", version)
    run = machine.run(SETUP, COH_OPA=str(wrong))
    assert run.returncode == 2
    assert run.stderr.startswith("setup.engine_version: COH_OPA names opa ")
    assert "needed is >=1.4,<2\n  next: unset COH_OPA" in run.stderr
    assert ("unknown version" if version == "unknown" else version) in run.stderr
    assert machine.builds == []


def test_a_named_engine_that_is_not_there_is_refused(machine: Machine) -> None:
    run = machine.run(SETUP, COH_PULUMI="/nowhere")
    assert run.returncode == 2
    assert "setup.engine_missing: COH_PULUMI names /nowhere" in run.stderr


def test_an_unfit_name_is_refused_before_anything_is_installed(bare_machine: Machine) -> None:
    run = bare_machine.run(SETUP, COH_OPA="/nowhere")
    assert run.returncode == 2
    assert not bare_machine.environment.exists()


def test_no_go_says_what_to_install(machine: Machine) -> None:
    (machine.folder / "bin" / "go").unlink()
    run = machine.run(SETUP)
    assert run.returncode == 2
    assert run.stderr == (
        "setup.go_missing: opa >=1.4,<2 is neither on PATH nor in the cache, "
        "and building it needs Go >= 1.26.0 (found: none)\n"
        "  next: install opa >=1.4,<2 (name it in COH_OPA) or Go >= 1.26.0\n"
    )


def test_an_old_go_is_named(machine: Machine) -> None:
    machine.install_go("1.25.9")
    run = machine.run(SETUP)
    assert run.returncode == 2
    assert "(found: 1.25.9)" in run.stderr


def test_another_go_of_the_runner_is_found(machine: Machine) -> None:
    newer = machine.folder / "go-1.26" / "bin" / "go"
    newer.parent.mkdir(parents=True)
    (machine.folder / "bin" / "go").rename(newer)
    machine.install_go("1.24.0", body="exit 9")
    where(machine, GOROOT_1_26_X64=str(newer.parent.parent))
    assert machine.builds == ["opa", "pulumi"]


def test_a_failed_build_leaves_nothing(machine: Machine) -> None:
    machine.install_go("1.26.5", body='echo "checksum mismatch" >&2; exit 1')
    run = machine.run(SETUP)
    assert run.returncode == 3
    assert "checksum mismatch" in run.stderr
    assert "setup.engine_build: Go could not build opa 1.22.2" in run.stderr
    assert [path.name for path in machine.cache.iterdir()] == ["opa.lock"]


def test_a_build_of_another_version_is_refused(machine: Machine) -> None:
    machine.install_go("1.26.5", said="9.9.9")
    run = machine.run(SETUP)
    assert run.returncode == 3
    assert "says version '9.9.9', not 1.22.2" in run.stderr


def test_a_broken_engine_in_the_cache_is_built_again(machine: Machine) -> None:
    where(machine)
    program = machine.cache / "opa-1.22.2" / "bin" / "opa"
    program.write_text("torn", encoding="utf-8")
    assert where(machine)["opa"][0] == ENGINES["opa"]
    assert machine.builds == ["opa", "pulumi", "opa"]


def test_a_new_pin_is_built(machine: Machine) -> None:
    where(machine)
    pin = machine.checkout / "tools" / "opa" / "go.mod"
    pin.write_text(pin.read_text("utf-8").replace("v1.22.2", "v1.23.0"), encoding="utf-8")
    assert where(machine)["opa"][0] == "1.23.0"
    assert machine.builds == ["opa", "pulumi", "opa"]


def test_an_engine_replaced_in_place_is_noticed(machine: Machine) -> None:
    machine.install_engine("opa", "1.20.0")
    where(machine)
    machine.install_engine("opa", "2.0.0")
    assert where(machine)["opa"] == (ENGINES["opa"], cached(machine, "opa"))


def test_the_second_run_writes_and_says_nothing(machine: Machine) -> None:
    where(machine, "--tests")
    before = snapshot(machine.folder, machine.environment)
    run = machine.run(SETUP, "--tests")
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
    assert snapshot(machine.folder, machine.environment) == before


def test_the_second_run_starts_neither_python_nor_engines(machine: Machine) -> None:
    where(machine)
    for name in ("python3", "go", "timeout", "flock"):
        machine.install(name, "#!/bin/sh\nexit 9\n")
    assert machine.run(SETUP).returncode == 0


def test_set_ups_at_the_same_time_build_once(machine: Machine) -> None:
    processes = [machine.start(SETUP) for _ in range(4)]
    errors = [process.communicate()[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0, 0], errors
    assert sorted(machine.builds) == ["opa", "pulumi"]
    assert sum(error.count("building opa") for error in errors) == 1


def test_no_colour_in_a_pipe(machine: Machine) -> None:
    run = machine.run(SETUP)
    assert re.search("building opa 1.22.2 from tools/opa", run.stderr)
    assert "\x1b" not in run.stderr


def test_scripts_inside_scripts_agree(machine: Machine, tmp_path: Path) -> None:
    found = where(machine)
    exported = {
        "COH_OPA": found["opa"][1],
        "COH_PULUMI": found["pulumi"][1].removesuffix("/bin/pulumi"),
    }
    assert where(machine, **exported) == found
    before = snapshot(tmp_path, machine.environment)
    assert where(machine, **exported) == found
    assert where(machine) == found
    assert snapshot(tmp_path, machine.environment) == before
