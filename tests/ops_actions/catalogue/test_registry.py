from __future__ import annotations

import sys
from pathlib import Path

import pytest

from infra.settings.environment import load_environment, read_from_folder
from infra.settings.flags import FlagType
from ops_actions.catalogue.registry import CATALOGUE, discover, find
from ops_actions.errors import BadRequestError

ROOT = Path(__file__).resolve().parents[3]


def package(folder: Path, name: str, **modules: str) -> tuple[list[str], str]:
    """Write a package of action modules that can be imported."""
    (folder / name).mkdir()
    (folder / name / "__init__.py").write_text("")
    for module, text in modules.items():
        (folder / name / f"{module}.py").write_text(text)
    return [str(folder / name)], name


@pytest.fixture
def importable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    return tmp_path


SAME = "from ops_actions.catalogue.deployment_rollback import ACTION\n"


def test_all_files_of_the_package_are_actions() -> None:
    assert "deployment.rollback" in CATALOGUE
    assert list(CATALOGUE) == sorted(CATALOGUE)
    for name, action in CATALOGUE.items():
        assert action.name == name
        assert find(name) is action
        assert action.is_target(action.example_target)


def test_every_gate_is_a_declared_destructive_gate() -> None:
    settings = load_environment("production", read_from_folder(ROOT))
    for action in CATALOGUE.values():
        if action.gate is not None:
            flag = settings.flag(action.gate)
            assert flag is not None, action.gate
            assert flag.type is FlagType.DESTRUCTIVE_GATE


def test_adding_an_action_is_adding_a_file(importable: Path) -> None:
    path, name = package(importable, "coh_actions_one", model="", registry="", new=SAME)
    assert list(discover(path, name)) == ["deployment.rollback"]


def test_a_file_without_an_action_is_a_bug(importable: Path) -> None:
    path, name = package(importable, "coh_actions_none", new="ACTION = None\n")
    with pytest.raises(TypeError, match=r"coh_actions_none\.new holds no ACTION"):
        discover(path, name)


def test_two_actions_of_one_name_are_a_bug(importable: Path) -> None:
    path, name = package(importable, "coh_actions_two", one=SAME, two=SAME)
    with pytest.raises(TypeError, match="repeats the action deployment"):
        discover(path, name)


def test_an_unknown_action_names_the_nearest() -> None:
    with pytest.raises(BadRequestError) as caught:
        find("deployment.rolback")
    assert caught.value.code == "request.unknown_action"
    assert caught.value.fact == "there is no action `deployment.rolback`"
    assert "deployment.rollback" in caught.value.next_step
    with pytest.raises(BadRequestError, match="coh action list"):
        find("x" * 10_000)
