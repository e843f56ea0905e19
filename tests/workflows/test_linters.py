"""actionlint and zizmor find nothing, and do find something when there is something."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BAD = """
name: bad
on: pull_request_target
jobs:
  bad:
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@v4
      - run: echo ${{ github.event.pull_request.title }}
"""


def actionlint(folder: Path) -> subprocess.CompletedProcess[str]:
    named = os.environ.get("COH_ACTIONLINT")
    if not named:
        raise RuntimeError("COH_ACTIONLINT is not set: run the tests with scripts/test")
    files = sorted(map(str, folder.glob(".github/workflows/*.yml")))
    return subprocess.run([named, *files], cwd=folder, capture_output=True, text=True, check=False)


def zizmor(folder: Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("zizmor")
    command = [str(program), "--offline", "--persona", "auditor", "--no-progress", "."]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    (tmp_path / ".github" / "workflows").mkdir(parents=True)
    (tmp_path / ".github" / "workflows" / "bad.yml").write_text(BAD, encoding="utf-8")
    return tmp_path


def test_actionlint_finds_nothing() -> None:
    run = actionlint(ROOT)
    assert (run.returncode, run.stdout) == (0, "")


def test_actionlint_finds_text_of_a_pull_request_in_a_shell(bad: Path) -> None:
    run = actionlint(bad)
    assert run.returncode == 1
    assert "potentially untrusted" in run.stdout


def test_zizmor_finds_nothing() -> None:
    run = zizmor(ROOT)
    assert run.returncode == 0, run.stdout
    assert "No findings to report" in run.stdout


def test_zizmor_finds_dangerous_triggers_and_pins(bad: Path) -> None:
    run = zizmor(bad)
    assert run.returncode >= 11
    for audit in ("dangerous-triggers", "unpinned-uses", "artipacked", "template-injection"):
        assert audit in run.stdout


def test_only_one_audit_is_switched_off() -> None:
    lines = (ROOT / "zizmor.yml").read_text(encoding="utf-8").splitlines()
    rules = [line.strip() for line in lines if line.startswith("  ") and not line.startswith("   ")]
    assert rules == ["self-repository:"]
