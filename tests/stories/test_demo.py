"""`scripts/demo` as a newcomer runs it: every line of its table says yes, and it can say no."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from infra.settings.edit import set_flag
from infra.settings.environment import file_of
from sandbox import control
from sandbox.home import Home
from sandbox.seed import tracked_files
from sandbox.story.demo import GATE
from tests.support.files import ROOT
from tests.support.hub import PRODUCTION

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

CHAPTERS = 15
"""Fewer lines than this in the table mean that something is not told any more."""

_ROW = re.compile(r"^│ (?P<held>yes|NO) +│ (?P<what>[^│]+?) +│", re.MULTILINE)


@contextmanager
def _temporary() -> Iterator[Path]:
    """Give a TMPDIR with a short path, and stop what was left running in it."""
    folder = Path(tempfile.mkdtemp(prefix="coh-t-"))
    try:
        yield folder
    finally:
        for state in folder.glob("coh-demo-*"):
            control.down(Home(state))
        shutil.rmtree(folder)


def run(checkout: Path, temporary: Path, script: str, *words: str) -> tuple[int, str]:
    """Run a script of a checkout the way a person does, wide enough for the table."""
    done = subprocess.run(
        [str(checkout / "scripts" / script), *words],
        cwd=temporary,
        env={**os.environ, "TMPDIR": str(temporary), "COLUMNS": "200"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def table(output: str) -> list[tuple[str, str]]:
    return [(row["held"], row["what"]) for row in _ROW.finditer(output)]


def test_everything_that_the_demo_shows_holds_and_can_be_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with _temporary() as temporary:
        code, output = run(ROOT, temporary, "demo", "--keep")
        assert code == 0, output
        assert len(table(output)) >= CHAPTERS, output
        assert {held for held, _ in table(output)} == {"yes"}
        assert "\x1b" not in output  # no colours in a pipe

        (folder,) = re.findall(r"^  export COH_STATE_DIR=(\S+)$", output, re.MULTILINE)
        monkeypatch.setenv("COH_STATE_DIR", folder)
        offered = re.findall(r"^  scripts/coh (.+)$", output, re.MULTILINE)
        assert len(offered) >= 2
        for command in offered:
            code, said = run(ROOT, temporary, "coh", *command.split())
            assert code == 0, f"{command}: {said}"

        running = control.status(Home(Path(folder)))
        assert running is not None
        code, said = run(ROOT, temporary, "coh", "sandbox", "down")
        assert (code, said) == (0, "The sandbox is down.\n")
        assert not psutil.pid_exists(running.pid)


def test_a_demo_that_does_not_hold_says_so_and_cleans_up() -> None:
    """A checkout in which the destructive gate stands open already."""
    with _temporary() as temporary:
        checkout = temporary / "checkout"
        for name in tracked_files(ROOT):
            (checkout / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, checkout / name)
        flags = checkout / file_of(PRODUCTION, "flags")
        opened = set_flag(flags.read_bytes(), GATE, enabled=True, reason="Left open")
        flags.write_bytes(opened)

        code, output = run(checkout, temporary, "demo")

        assert code == 1, output
        said = {what: held for held, what in table(output)}
        assert said["The rollback is refused while its gate is off"] == "NO"
        assert said["Applying again does nothing"] == "yes"
        assert list(temporary.glob("coh-demo-*")) == []
        assert [pid for pid in psutil.pids() if _works_in(pid, temporary)] == []


def _works_in(pid: int, folder: Path) -> bool:
    try:
        words = psutil.Process(pid).cmdline()
    except psutil.Error:
        return False
    return any(str(folder) in word for word in words)
