"""Which commit judges when refused commits lie on main, on real histories."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ops_actions.adapters.git import GitRepository
from ops_actions.adapters.git_process import BLOB_LIMIT
from ops_actions.errors import RefusedError
from ops_actions.flow.trust import judging_files, trusted_before
from tests.ops_actions.adapters.git_world import commit, start

if TYPE_CHECKING:
    from pathlib import Path

RULE = "policies/ops/rules/x.rego"
FLAGS = "infra/environments/production/flags.yaml"
PLATFORM = "infra/environments/production/platform.yaml"
PEOPLE = "infra/environments/staging/access.yaml"


class History:
    """A line of commits, oldest first."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._git = folder, start(folder)
        self.repository = GitRepository(folder)
        self.commits: list[str] = []
        self.add({RULE: b"deny", FLAGS: b"0", PLATFORM: b"0", PEOPLE: b"0"})

    def add(self, files: dict[str, bytes | None]) -> str:
        self.commits.append(commit(self._git, self._folder, files))
        return self.commits[-1]

    def judge(self, *refused: str) -> str:
        """Return which commit, counted from 0, judges what comes next."""
        tip = self.commits[-1]
        trusted = trusted_before(self.repository, frozenset(refused), tip)
        return str(self.commits.index(trusted))


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path / "repository")


def test_with_nothing_refused_the_commit_before_judges(history: History) -> None:
    history.add({RULE: b"other"})
    assert history.judge() == "1"


@pytest.mark.parametrize(
    "path", [RULE, PEOPLE, PLATFORM, ".github/workflows/apply.yml", "setup.py"]
)
def test_a_refused_rule_judges_nobody_however_much_comes_after_it(
    history: History, path: str
) -> None:
    refused = history.add({path: b"allow"})
    assert history.judge(refused) == "0"
    history.add({FLAGS: b"1"})
    assert history.judge(refused) == "0"
    history.add({RULE: b"approved on top of it"})
    history.add({"docs/x.md": b""})
    assert history.judge(refused) == "0"


@pytest.mark.parametrize(
    "path", [FLAGS, "docs/x.md", "ops_actions/requests/production/20261124-x.yaml"]
)
def test_a_refused_flag_request_or_document_taints_nothing(history: History, path: str) -> None:
    refused = history.add({path: b"1"})
    assert history.judge(refused) == "0"
    history.add({"docs/y.md": b""})
    assert history.judge(refused) == "2"


def test_trust_goes_on_once_the_refused_part_is_gone(history: History) -> None:
    refused = history.add({RULE: b"allow"})
    history.add({FLAGS: b"1"})
    history.add({RULE: b"deny"})
    assert history.judge(refused) == "3"
    history.add({RULE: b"deny more"})
    assert history.judge(refused) == "4"


def test_a_revert_that_is_refused_itself_heals_all_the_same(history: History) -> None:
    refused = history.add({RULE: b"allow"})
    revert = history.add({RULE: b"deny"})
    assert history.judge(refused, revert) == "0"
    history.add({FLAGS: b"1"})
    assert history.judge(refused, revert) == "3"


def test_a_second_refusal_after_a_healed_one(history: History) -> None:
    first = history.add({RULE: b"allow"})
    history.add({RULE: b"deny"})
    second = history.add({PEOPLE: b"me"})
    history.add({FLAGS: b"1"})
    assert history.judge(first, second) == "2"


def test_what_was_approved_between_a_refusal_and_its_revert_counts_after_it(
    history: History,
) -> None:
    refused = history.add({RULE: b"allow"})
    history.add({"scripts/setup": b"approved"})
    assert history.judge(refused) == "0"
    history.add({RULE: b"deny"})
    assert history.judge(refused) == "3"
    history.add({"docs/x.md": b""})
    assert history.judge(refused) == "4"


def test_a_file_that_is_too_big_or_oddly_named_to_be_read_stops_nobody(history: History) -> None:
    odd = "na\udcffme"
    refused = history.add({"assets/big.bin": b"0" * (BLOB_LIMIT + 1), odd: b""})
    history.add({"docs/x.md": b""})
    assert history.judge(refused) == "0"
    gone = history.add({"assets/big.bin": None, odd: None})
    assert history.judge(refused, gone) == "0"
    history.add({"docs/y.md": b""})
    assert history.judge(refused, gone) == "4"


def test_what_was_never_judged_by_anybody_trusts_nobody(history: History) -> None:
    with pytest.raises(RefusedError) as caught:
        history.judge(history.commits[0])
    assert caught.value.code == "gate.no_trust"


def test_the_files_that_judge_are_named(history: History) -> None:
    head = history.add({RULE: b"1", FLAGS: b"1", PLATFORM: b"1", PEOPLE: b"1", "README.md": b""})
    found = judging_files(history.repository, history.commits[0], head)
    assert found == (PLATFORM, PEOPLE, RULE)
