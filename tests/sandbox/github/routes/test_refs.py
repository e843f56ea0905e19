from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import github3
import pytest

if TYPE_CHECKING:
    from tests.sandbox.github.support import World

ZERO = "0" * 40


def test_create_move_and_delete(world: World) -> None:
    first = world.commit("alice", "ops/topic", {"a.txt": b"1\n"})
    second = world.commit("alice", "ops/topic", {"a.txt": b"2\n"})
    repo = world.repo("bob")
    assert repo.ref("heads/ops/topic").object.sha == second
    assert repo.branch("ops/topic").commit.sha == second
    assert repo.branch("ops/topic").protected is False
    ref = repo.ref("heads/ops/topic")
    with pytest.raises(github3.exceptions.UnprocessableEntity):
        ref.update(first)
    assert ref.update(first, force=True)
    assert ref.delete()
    with pytest.raises(github3.exceptions.NotFoundError):
        repo.ref("heads/ops/topic")


def test_existing_reference_is_not_created_again(world: World) -> None:
    with pytest.raises(github3.exceptions.UnprocessableEntity) as caught:
        world.repo("alice").create_ref("refs/heads/main", world.first)
    assert "already exists" in caught.value.message


@pytest.mark.parametrize("name", ["refs/heads/a..b", "refs/heads/ ", "refs/pull/9/head", "main"])
def test_unusable_name_is_refused(world: World, name: str) -> None:
    body = {"ref": name, "sha": world.first}
    answer = world.session("alice").post(world.at("/git/refs"), json=body)
    assert answer.status_code == 422


def test_unknown_object_is_refused(world: World) -> None:
    body = {"ref": "refs/heads/x", "sha": "1" * 40}
    answer = world.session("alice").post(world.at("/git/refs"), json=body)
    assert answer.status_code == 422


def test_activity_names_who_moved_what(world: World) -> None:
    first = world.commit("alice", "log", {"a.txt": b"1\n"})
    second = world.commit("bob", "log", {"a.txt": b"2\n"})
    world.repo("carol").ref("heads/log").update(first, force=True)
    shown = world.session("bob").get(world.at("/activity?ref=log")).json()
    assert [(one["actor"]["login"], one["activity_type"]) for one in shown] == [
        ("carol", "force_push"),
        ("bob", "push"),
        ("alice", "branch_creation"),
    ]
    assert (shown[1]["before"], shown[1]["after"]) == (first, second)
    assert {one["ref"] for one in shown} == {"refs/heads/log"}
    session = world.session("bob")
    by_bob = session.get(world.at("/activity?ref=refs/heads/log&actor=bob")).json()
    assert [one["after"] for one in by_bob] == [second]


def test_merge_shows_in_the_activity_of_the_base(world: World) -> None:
    world.pull("alice", "log", {"a.txt": b"1\n"})
    world.repo("bob").pull_request(1).merge()
    shown = world.session("bob").get(world.at("/activity?ref=main&per_page=1")).json()
    assert (shown[0]["activity_type"], shown[0]["actor"]["login"]) == ("pr_merge", "bob")


def test_push_past_the_api_has_no_actor(world: World) -> None:
    pull = world.pull("alice", "direct", {"a.txt": b"1\n"})
    tree = subprocess.check_output(
        ["git", "rev-parse", "main^{tree}"], cwd=world.directory, text=True
    ).strip()
    environment = {
        "GIT_AUTHOR_NAME": "x",
        "GIT_AUTHOR_EMAIL": "x@example.org",
        "GIT_COMMITTER_NAME": "x",
        "GIT_COMMITTER_EMAIL": "x@example.org",
        "PATH": "/usr/bin:/bin",
    }
    sha = subprocess.check_output(
        ["git", "commit-tree", tree, "-p", pull.head.sha, "-m", "past the API"],
        cwd=world.directory,
        env=environment,
        text=True,
    ).strip()
    subprocess.check_call(["git", "update-ref", "refs/heads/direct", sha], cwd=world.directory)
    assert world.repo("bob").pull_request(1).head.sha == sha
    shown = world.session("bob").get(world.at("/activity?ref=direct")).json()
    assert (shown[0]["actor"], shown[0]["after"]) == (None, sha)
    assert (1, "synchronize") in world.actions


def test_matching_references_and_branches_are_listed(world: World) -> None:
    world.commit("alice", "ops/a", {"a.txt": b"1\n"})
    world.commit("alice", "ops/b", {"a.txt": b"1\n"})
    shown = world.session("bob").get(world.at("/git/matching-refs/heads/ops/")).json()
    assert [one["ref"] for one in shown] == ["refs/heads/ops/a", "refs/heads/ops/b"]
    assert [one.name for one in world.repo("bob").branches()] == ["main", "ops/a", "ops/b"]


def test_deleted_branch_shows_as_deletion(world: World) -> None:
    sha = world.commit("alice", "gone", {"a.txt": b"1\n"})
    world.repo("alice").ref("heads/gone").delete()
    shown = world.session("bob").get(world.at("/activity?ref=gone")).json()
    assert (shown[0]["before"], shown[0]["after"]) == (sha, ZERO)
    assert shown[0]["activity_type"] == "branch_deletion"
    assert (sha, ZERO, "refs/heads/gone") in world.pushes
