"""The linters are tests: they run on the whole project and find nothing."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.support.files import ROOT

_IMPORTS = "import sys; from importlinter.cli import lint_imports_command as main; sys.exit(main())"


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(("-m", "ruff", "check"), id="ruff check"),
        pytest.param(("-m", "ruff", "format", "--check"), id="ruff format"),
        pytest.param(("-m", "mypy"), id="mypy"),
        pytest.param(("-c", _IMPORTS), id="import-linter"),
    ],
)
def test_linters_find_nothing(words: tuple[str, ...]) -> None:
    command = [sys.executable, *words]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, f"{run.stdout}\n{run.stderr}"


@pytest.mark.parametrize("words", [("policy-check",), ("schemas", "--check")], ids=" ".join)
def test_own_checks_find_nothing(words: tuple[str, ...]) -> None:
    command = [str(ROOT / "scripts" / words[0]), *words[1:]]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, f"{run.stdout}\n{run.stderr}"
