from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ops_actions.adapters.bundles import GitBundles
from ops_actions.adapters.git import GitRepository
from ops_actions.decision.bundle import policy_digest, read_bundle
from ops_actions.errors import RefusedError
from tests.ops_actions.adapters.git_world import commit, start

if TYPE_CHECKING:
    from pathlib import Path

MAIN = "policies/ops/main/main.rego"
TEST = "policies/ops/main/main_test.rego"


def test_the_policies_of_a_commit_and_never_those_of_the_working_tree(tmp_path: Path) -> None:
    folder = tmp_path / "repository"
    git = start(folder)
    first = commit(git, folder, {MAIN: b"package a\n", TEST: b"package a_test\n"})
    second = commit(git, folder, {MAIN: b"package b\n"})
    (folder / MAIN).write_bytes(b"package working_tree\n")
    bundles = GitBundles(GitRepository(folder))
    one, two = bundles.at(first), bundles.at(second)
    assert (one.folder / "ops/main/main.rego").read_bytes() == b"package a\n"
    assert (two.folder / "ops/main/main.rego").read_bytes() == b"package b\n"
    assert one.digest != two.digest
    assert one.digest == policy_digest({MAIN: b"package a\n"})
    assert not list(one.folder.rglob("*_test.rego"))
    assert set(read_bundle(one.folder)) == {MAIN}
    assert bundles.at(first) is one


def test_a_test_of_a_policy_changes_no_digest(tmp_path: Path) -> None:
    folder = tmp_path / "repository"
    git = start(folder)
    first = commit(git, folder, {MAIN: b"package a\n"})
    second = commit(git, folder, {TEST: b"package a_test\n"})
    bundles = GitBundles(GitRepository(folder))
    assert bundles.at(first).digest == bundles.at(second).digest


@pytest.mark.parametrize("files", [{"README.md": b"x"}, {"policies/data.yaml": b"a: 1\n"}])
def test_a_commit_without_policies_judges_nothing(tmp_path: Path, files: dict[str, bytes]) -> None:
    folder = tmp_path / "repository"
    git = start(folder)
    bare = commit(git, folder, dict(files))
    bundles = GitBundles(GitRepository(folder))
    with pytest.raises(RefusedError) as caught:
        bundles.at(bare)
    assert caught.value.code == "gate.no_policies"
    assert bare in caught.value.fact
