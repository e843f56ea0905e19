"""Which checkouts may be brought up after refusals, on real histories."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from ops_actions.adapters.git import GitRepository
from ops_actions.apply.protocol import RunContext
from ops_actions.audit.entry import AuditEntry, Phase
from ops_actions.errors import RefusedError
from ops_actions.flow.bring_up import BringUp, refuse_not_applied
from tests.ops_actions.adapters.git_world import commit, start
from tests.ops_actions.apply.simulator import Book

if TYPE_CHECKING:
    from pathlib import Path

FLAGS = "infra/environments/production/flags.yaml"
STAGING = "infra/environments/staging/flags.yaml"
BROKEN = b"flags: [\n"


def flags(**states: bool) -> bytes:
    lines = (
        f"  {name}: {{enabled: {str(on).lower()}, type: release, reason: A test}}"
        for name, on in states.items()
    )
    return "\n".join(("flags:", *lines, "")).encode()


class Counting(GitRepository):
    """A repository that counts what it reads."""

    reads = 0

    def read(self, commit: str, path: str) -> bytes | None:
        self.reads += 1
        return super().read(commit, path)


class History:
    """A line of commits and what was refused of it."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._git = folder, start(folder)
        self.repository = Counting(folder)
        self.book = Book(lambda: None)
        self.add({FLAGS: flags(one=False, two=False), STAGING: flags(one=False)})

    def add(self, files: dict[str, bytes | None], *, refused: bool = False) -> None:
        made = commit(self._git, self._folder, files)
        self.book.start_cursor(made)
        if refused:
            self.book.take_lock("production", made)
            self.book.record((refusal(made),), RunContext(made, made, "production"))

    def check(self) -> None:
        tip = self.book.cursor() or ""
        one = BringUp("production", tip, None, datetime(2026, 11, 24, 9, 0, tzinfo=UTC))
        refuse_not_applied(self.repository, self.book, one)

    def wrong(self) -> str:
        with pytest.raises(RefusedError) as refused:
            self.check()
        assert refused.value.code == "infra.refused_state"
        return refused.value.fact.rpartition(": ")[2]


def refusal(commit: str) -> AuditEntry:
    return AuditEntry(
        environment="production",
        actor_sub="system:apply",
        actor_login=None,
        action="change.refused",
        target="production",
        risk="guarded",
        phase=Phase.REFUSAL,
        result="gate.refused",
        change_id=commit,
        commit=commit,
        key=f"{commit}/refused",
        detail={},
    )


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path / "repository")


def test_a_file_that_was_broken_and_mended_is_brought_up(history: History) -> None:
    history.add({FLAGS: BROKEN}, refused=True)
    history.add({"docs/x.md": b"innocent"})
    history.add({STAGING: flags(one=True)})
    history.add({FLAGS: flags(one=False, two=False)})
    history.check()
    history.add({FLAGS: flags(one=True, two=False)})
    history.check()


def test_an_edit_of_a_broken_file_and_its_mend_approve_no_flag(history: History) -> None:
    history.add({FLAGS: BROKEN}, refused=True)
    history.add({FLAGS: BROKEN + b"\n"})
    history.add({FLAGS: flags(one=True, two=False)})
    assert history.wrong() == "one"
    history.add({FLAGS: flags(one=False, two=False)})
    history.check()


def test_what_was_approved_on_top_of_a_refusal_counts(history: History) -> None:
    history.add({FLAGS: flags(one=True, two=False)}, refused=True)
    history.add({FLAGS: flags(one=True, two=True)})
    assert history.wrong() == "one"
    history.add({FLAGS: flags(one=False, two=True)})
    history.check()


def test_commits_that_leave_the_file_alone_are_not_read(history: History) -> None:
    history.add({FLAGS: flags(one=True, two=False)}, refused=True)
    history.add({FLAGS: flags(one=False, two=False)})
    history.check()
    before, history.repository.reads = history.repository.reads, 0
    for number in range(5):
        history.add({"docs/x.md": str(number).encode(), STAGING: flags(one=number % 2 == 0)})
    history.check()
    assert history.repository.reads == before
