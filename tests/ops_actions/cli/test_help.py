"""Help: every command explains itself, and its example is one that would be understood."""

from __future__ import annotations

import re
import shlex
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

from ops_actions.cli.guard import guarded
from ops_actions.cli.main import COMMANDS, SINGLE, help_text
from tests.ops_actions.cli.commands import leaves

if TYPE_CHECKING:
    from collections.abc import Callable

LEAVES = leaves()


@pytest.fixture
def help_of(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    def read(*words: str) -> str:
        name = words[0]
        app = import_module(f"ops_actions.cli.{COMMANDS[name].module}").app
        arguments = list(words if name in SINGLE else words[1:])
        assert guarded(app, [*arguments, "--help"], name) == 0
        return capsys.readouterr().out

    return read


def _example(leaf: Any) -> list[str]:  # noqa: ANN401 - Typer's own class of commands is private
    _, found, text = (leaf.help or "").partition("Example: ")
    assert found
    # Variables may stand in front, and one command may be inside another's `$(…)`.
    command = re.search(r"(?:^|\$\()coh ([^)]*)", re.sub(r"^\w+=(?!\$)\S+ ", "", text.strip()))
    assert command is not None
    return shlex.split(" ".join(command[1].split()).replace("…", ""))


def test_there_are_commands() -> None:
    assert {("flag", "list"), ("check",), ("apply",), ("audit", "verify")} <= LEAVES.keys()


@pytest.mark.parametrize("words", LEAVES, ids=" ".join)
def test_help_has_an_example(words: tuple[str, ...], help_of: Callable[..., str]) -> None:
    shown = help_of(*words)

    assert f"Usage: coh {' '.join(words)}" in shown
    assert re.search(rf"Example: .*coh {' '.join(words)}", " ".join(shown.split()))


@pytest.mark.parametrize("words", LEAVES, ids=" ".join)
def test_an_example_is_understood(words: tuple[str, ...]) -> None:
    example = _example(LEAVES[words])

    assert tuple(example[: len(words)]) == words
    LEAVES[words].make_context(words[-1], example[len(words) :]).close()


@pytest.mark.parametrize("words", LEAVES, ids=" ".join)
def test_every_option_says_what_it_is_for(words: tuple[str, ...]) -> None:
    assert [p.name for p in LEAVES[words].params if not getattr(p, "help", None)] == []


@pytest.mark.parametrize("name", sorted(COMMANDS.keys() - SINGLE))
def test_help_of_a_group_lists_its_commands(name: str, help_of: Callable[..., str]) -> None:
    shown = help_of(name)

    for group, each in (words for words in LEAVES if len(words) == 2):
        if group == name:
            assert re.search(rf"\b{each} ", shown)
    assert "completion" not in shown


def test_the_front_page_lists_every_command_and_the_exit_codes() -> None:
    shown = help_text()

    for name, command in COMMANDS.items():
        assert f"  {name} " in shown
        assert command.summary in shown
    assert "Exit codes: 0 done or nothing to do, 1 refused, 2 bad request" in shown
    assert "Example: coh " in shown
