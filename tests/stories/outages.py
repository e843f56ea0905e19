"""Running commands while something outside is broken."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from ops_actions.wiring.place import ROOT

if TYPE_CHECKING:
    from tests.stories.desk import Desk

Completed = subprocess.CompletedProcess[str]


def coh(desk: Desk, *arguments: str, **environment: str) -> Completed:
    """Run a command as the bot, with other variables."""
    return subprocess.run(
        [sys.executable, "-m", "ops_actions.cli", *arguments],
        cwd=ROOT,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "COH_STATE_DIR": str(desk.hub.folder),
            "COH_SANDBOX": "1",
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def stopped(desk: Desk, commit: str, code: str, **environment: str) -> Completed:
    """Apply; it must stop with 3 and leave cursor, lock, book and outside alone."""
    with desk.nothing_done():
        ran = coh(desk, "apply", "--commit", commit, "--json", **environment)
    assert (ran.returncode, ran.stdout) == (3, ""), ran.stderr
    assert f'"code": "{code}"' in ran.stderr
    assert '"next": "' in ran.stderr
    assert "Traceback" not in ran.stderr
    untouched(desk, commit)
    return ran


def untouched(desk: Desk, commit: str) -> None:
    """See that a commit waits: not passed, not locked, not in the book."""
    assert desk.tools.book.cursor() != commit
    assert desk.tools.book.locks() == ()
    assert desk.entries(commit) == []
