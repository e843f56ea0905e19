"""History, fetching, and that nothing around a repository has a say in what git reports."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from ops_actions.adapters.git import GitRepository
from ops_actions.errors import BadRequestError, OutsideError, RefusedError
from tests.ops_actions.adapters.git_world import UNKNOWN, commit, start

if TYPE_CHECKING:
    from pathlib import Path

    from tests.ops_actions.adapters.git_world import Git


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "repository"


@pytest.fixture
def git(folder: Path) -> Git:
    return start(folder)


@pytest.fixture
def repository(folder: Path) -> GitRepository:
    return GitRepository(folder)


def test_variables_of_the_caller_cannot_redirect_git(
    git: Git, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = commit(git, folder, {"a": b"here"})
    other = start(tmp_path / "other")
    commit(other, tmp_path / "other", {"a": b"there"})
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "other" / ".git"))
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "core.bare")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "true")
    assert GitRepository(folder).head_commit() == head


def test_a_folder_inside_another_repository_is_not_that_repository(git: Git, folder: Path) -> None:
    commit(git, folder, {"below/a": b"1"})
    with pytest.raises(OutsideError) as refused:
        GitRepository(folder / "below").diff(UNKNOWN, UNKNOWN)
    assert refused.value.code == "git.failed"


def test_ancestry(git: Git, folder: Path, repository: GitRepository) -> None:
    root = commit(git, folder, {"a": b"1"})
    git("checkout", "--quiet", "-b", "topic")
    topic = commit(git, folder, {"b": b"1"})
    git("checkout", "--quiet", "main")
    main = commit(git, folder, {"c": b"1"})
    git("merge", "--quiet", "--no-ff", "-m", "merge", "topic")
    merged = git("rev-parse", "HEAD")
    last = commit(git, folder, {"d": b"1"})
    assert repository.first_parent(merged) == main
    assert repository.merge_base(topic, main) == root
    assert repository.is_ancestor(topic, merged)
    assert repository.is_ancestor(topic, topic)
    assert not repository.is_ancestor(merged, topic)
    assert repository.first_parent_range(root, last) == (main, merged, last)
    assert repository.first_parent_range(last, last) == ()
    for after, upto in ((topic, last), (last, root)):
        with pytest.raises(RefusedError) as refused:
            repository.first_parent_range(after, upto)
        assert refused.value.code == "change.history_rewritten"
    with pytest.raises(BadRequestError) as first:
        repository.first_parent(root)
    assert first.value.code == "change.no_parent"
    git("checkout", "--quiet", "--orphan", "alone")
    alone = commit(git, folder, {"e": b"1"})
    with pytest.raises(BadRequestError) as strangers:
        repository.merge_base(alone, main)
    assert strangers.value.code == "change.no_common_ancestor"


def test_a_bare_repository_works_the_same(git: Git, folder: Path, tmp_path: Path) -> None:
    base = commit(git, folder, {"a": b"1"})
    head = commit(git, folder, {"a": b"2"})
    git("clone", "--quiet", "--bare", str(folder), str(tmp_path / "bare.git"))
    bare = GitRepository(tmp_path / "bare.git")
    assert bare.head_commit() == head
    assert bare.diff(base, head) == GitRepository(folder).diff(base, head)
    with pytest.raises(BadRequestError) as unknown:
        bare.resolve("nowhere")
    assert unknown.value.code == "change.unknown_commit"


def test_a_shallow_clone_does_not_guess_about_history(
    git: Git, folder: Path, tmp_path: Path
) -> None:
    base = commit(git, folder, {"a": b"1"})
    head = commit(git, folder, {"a": b"2"})
    git("clone", "--quiet", "--depth=1", folder.as_uri(), str(tmp_path / "shallow"))
    shallow = GitRepository(tmp_path / "shallow")
    assert shallow.first_parent(head) == base
    with pytest.raises(BadRequestError) as refused:
        shallow.merge_base(head, head)
    assert refused.value.code == "change.shallow_clone"


def test_git_missing_from_path(
    git: Git, repository: GitRepository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    del git
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(OutsideError) as failed:
        repository.first_parent(UNKNOWN)
    assert failed.value.code == "git.missing"


@pytest.mark.parametrize("command", ["cat-file", "rev-parse"])
def test_a_git_that_hangs_is_stopped(
    folder: Path, git: Git, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: str
) -> None:
    del git
    slow = tmp_path / "bin" / "git"
    slow.parent.mkdir()
    slow.write_text("#!/bin/sh\nexec sleep 600\n")
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", f"{slow.parent}:{os.environ['PATH']}")
    hanging = GitRepository(folder, timeout=0.2)
    with pytest.raises(OutsideError) as failed:
        hanging.first_parent(UNKNOWN) if command == "cat-file" else hanging.resolve("main")
    assert failed.value.code == "git.timeout"
    assert command in failed.value.fact
