"""One atomic commit on a new branch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ops_actions.errors import BadRequestError, OutsideError, RefusedError
from sandbox.emulator import FaultKind
from tests.ops_actions.adapters.github_world import FLAGS, World, github_world

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ops_actions.adapters.github import GitHubHost

CONTENT: dict[str, bytes | None] = {FLAGS: b"flags: {a: 1}\n", "docs/old.md": None}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with github_world(tmp_path) as running_world:
        yield running_world


@pytest.fixture
def host(world: World) -> GitHubHost:
    return world.host()


def test_all_files_are_in_one_commit_by_the_token_s_account(world: World, host: GitHubHost) -> None:
    made = host.create_branch_commit("main", "ops/x", CONTENT, "Subject\n\nBody\n")
    assert world.git.first_parent(made) == world.first
    assert {f.path: f.after for f in world.git.diff(world.first, made).files} == CONTENT
    assert world.git.resolve("refs/heads/ops/x") == made
    commit = host._repository.commit(made).as_dict()
    assert commit["author"]["login"] == "alice"
    assert commit["commit"]["message"].strip() == "Subject\n\nBody"


def test_the_same_again_is_reused(host: GitHubHost) -> None:
    made = host.create_branch_commit("main", "ops/x", CONTENT, "m")
    assert host.create_branch_commit("main", "ops/x", CONTENT, "another message") == made


def test_the_same_again_is_reused_after_the_base_moved(world: World, host: GitHubHost) -> None:
    made = host.create_branch_commit("main", "ops/x", CONTENT, "m")
    world.push("t-bob", "main")
    assert host.create_branch_commit("main", "ops/x", CONTENT, "m") == made


def test_another_content_is_refused_and_changes_nothing(world: World, host: GitHubHost) -> None:
    made = host.create_branch_commit("main", "ops/x", CONTENT, "m")
    with pytest.raises(RefusedError) as refused:
        host.create_branch_commit("main", "ops/x", {FLAGS: b"flags: {b: 2}\n"}, "m")
    assert refused.value.code == "request.branch_taken"
    assert world.git.resolve("refs/heads/ops/x") == made


def test_a_branch_with_a_commit_below_that_is_not_on_the_base_is_refused(
    world: World, host: GitHubHost
) -> None:
    # Somebody else prepares the branch: first a commit of theirs, then exactly our files.
    host.create_branch_commit("main", "evil", {"evil.md": b"evil"}, "m")
    host.create_branch_commit("evil", "ops/x", CONTENT, "m")
    with pytest.raises(RefusedError) as refused:
        host.create_branch_commit("main", "ops/x", CONTENT, "m")
    assert refused.value.code == "request.branch_taken"
    world.push("t-bob", "ops/x")
    with pytest.raises(RefusedError):
        host.create_branch_commit("main", "ops/x", CONTENT, "m")


def test_an_unchanged_file_is_no_change(world: World, host: GitHubHost) -> None:
    with pytest.raises(RefusedError) as refused:
        host.create_branch_commit("main", "ops/x", {"README.md": b"# Ops\n"}, "m")
    assert refused.value.code == "request.no_change"
    with pytest.raises(BadRequestError):
        world.git.resolve("refs/heads/ops/x")


def test_a_missing_base_branch(host: GitHubHost) -> None:
    with pytest.raises(BadRequestError) as refused:
        host.create_branch_commit("none", "ops/x", CONTENT, "m")
    assert refused.value.code == "github.branch_missing"


@pytest.mark.parametrize("path", ["/git/blobs$", "/git/trees$", "/git/commits$", "/git/refs$"])
@pytest.mark.parametrize(
    "kind", [FaultKind.DROP_BEFORE_EFFECT, FaultKind.DROP_AFTER_EFFECT, FaultKind.HANG]
)
def test_a_connection_lost_at_any_write_leaves_nothing_or_the_branch_and_repeats_cleanly(
    world: World, host: GitHubHost, path: str, kind: FaultKind
) -> None:
    world.fault(kind, path, method="POST")
    with pytest.raises(OutsideError) as failed:
        host.create_branch_commit("main", "ops/x", CONTENT, "m")
    assert failed.value.code == "github.unreachable"
    world.app.state.faults.clear()
    made = host.create_branch_commit("main", "ops/x", CONTENT, "m")
    assert world.git.first_parent(made) == world.first
    assert {f.path: f.after for f in world.git.diff(world.first, made).files} == CONTENT


def test_a_branch_that_appears_at_the_last_moment_is_judged_like_any_other(world: World) -> None:
    other = world.host("t-bob")

    def race(content: bytes) -> GitHubHost:
        def overtake(_: float) -> None:
            other.create_branch_commit("main", f"ops/{content.decode()}", {FLAGS: content}, "m")

        world.fault(FaultKind.STATUS, "/git/refs$", method="POST", status=429, retry_after=1)
        return world.host(sleep=overtake)

    ours = race(b"same").create_branch_commit("main", "ops/same", {FLAGS: b"same"}, "m")
    assert world.git.resolve("refs/heads/ops/same") == ours
    with pytest.raises(RefusedError) as refused:
        race(b"other").create_branch_commit("main", "ops/other", {FLAGS: b"ours"}, "m")
    assert refused.value.code == "request.branch_taken"


def test_a_branch_name_that_git_refuses_is_rejected(host: GitHubHost) -> None:
    with pytest.raises(RefusedError) as refused:
        host.create_branch_commit("main", "bad..name", CONTENT, "m")
    assert refused.value.code == "github.rejected"
