"""The whole life of a pull request, driven by an unchanged github3.py."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import github3
import pytest

if TYPE_CHECKING:
    from tests.sandbox.github.support import World

FLAGS = "infra/flags.yaml"


def git(world: World, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=world.directory, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_raise_read_and_merge(world: World) -> None:
    files = {FLAGS: b"flags:\n  a: false\n", "docs/new.md": b"new\n"}
    pull = world.pull("alice", "ops/flags", files)
    assert pull.number == 1
    full = world.repo("bob").pull_request(1)
    assert (full.state, full.mergeable, full.mergeable_state) == ("open", True, "clean")
    assert full.user.login == "alice"
    assert {one.filename: one.status for one in full.files()} == {
        "docs/new.md": "added",
        FLAGS: "modified",
    }
    assert [one.sha for one in full.commits()] == [full.head.sha]
    assert full.merge(sha=full.head.sha, merge_method="merge") is True

    merged = world.repo("bob").pull_request(1)
    assert (merged.merged, merged.state, merged.merged_by.login) == (True, "closed", "bob")
    main = git(world, "rev-parse", "refs/heads/main")
    assert merged.merge_commit_sha == main
    assert git(world, "rev-list", "--parents", "-n1", main).split() == [
        main,
        world.first,
        full.head.sha,
    ]
    assert git(world, "show", "main:docs/new.md") == "new"
    assert (world.first, main, "refs/heads/main") in world.pushes
    assert world.actions == [(1, "opened"), (1, "closed")]
    assert world.repo("bob").pull_request(1).is_merged()


def test_squash_makes_one_commit_by_the_author(world: World) -> None:
    world.pull("alice", "one", {"a.txt": b"1\n"})
    world.commit("alice", "one", {"a.txt": b"2\n"})
    pull = world.repo("bob").pull_request(1)
    assert pull.merge(sha=pull.head.sha, merge_method="squash", commit_title="Squashed")
    commit = world.repo("bob").commit("main")
    assert [one["sha"] for one in commit.parents] == [world.first]
    shown = commit.as_dict()
    assert shown["commit"]["message"] == "Squashed"
    assert shown["author"]["login"] == "alice"
    assert shown["commit"]["verification"]["verified"] is True


def test_merge_is_guarded_by_the_head(world: World) -> None:
    pull = world.pull("alice", "guard", {"a.txt": b"1\n"})
    seen = pull.head.sha
    world.commit("alice", "guard", {"a.txt": b"2\n"})
    with pytest.raises(github3.exceptions.Conflict):
        world.repo("bob").pull_request(1).merge(sha=seen)
    assert git(world, "rev-parse", "main") == world.first


def test_merge_that_loses_the_race_leaves_nothing(world: World) -> None:
    world.pull("alice", "race", {"a.txt": b"1\n"})
    lock = world.directory / "refs/heads/main.lock"
    lock.touch()
    with pytest.raises(github3.exceptions.Conflict):
        world.repo("bob").pull_request(1).merge()
    lock.unlink()
    assert world.repo("bob").pull_request(1).state == "open"
    assert world.actions == [(1, "opened")]
    assert world.repo("bob").pull_request(1).merge()
    assert world.actions == [(1, "opened"), (1, "closed")]


def test_conflict_is_not_mergeable(world: World) -> None:
    world.pull("alice", "one", {FLAGS: b"flags: one\n"})
    world.pull("bob", "two", {FLAGS: b"flags: two\n"})
    assert world.repo("carol").pull_request(1).merge()
    other = world.repo("carol").pull_request(2)
    assert (other.mergeable, other.mergeable_state) == (False, "dirty")
    assert git(world, "for-each-ref", "refs/pull/2/merge") == ""
    with pytest.raises(github3.exceptions.MethodNotAllowed):
        other.merge(sha=other.head.sha)


def test_references_follow_head_and_merge(world: World) -> None:
    pull = world.pull("alice", "refs", {"a.txt": b"1\n"})
    assert git(world, "rev-parse", "refs/pull/1/head") == pull.head.sha
    pushed = world.commit("alice", "refs", {"b.txt": b"1\n"})
    assert git(world, "rev-parse", "refs/pull/1/head") == pushed
    merge = git(world, "rev-list", "--parents", "-n1", "refs/pull/1/merge").split()
    assert merge[1:] == [world.first, pushed]
    base = world.commit("bob", "main", {"c.txt": b"1\n"})
    merge = git(world, "rev-list", "--parents", "-n1", "refs/pull/1/merge").split()
    assert merge[1:] == [base, pushed]
    assert (1, "synchronize") in world.actions


def test_base_sha_stays_where_the_head_was_pushed(world: World) -> None:
    pull = world.pull("alice", "base", {"a.txt": b"1\n"})
    world.commit("bob", "main", {"c.txt": b"1\n"})
    read = world.repo("bob").pull_request(pull.number)
    assert read.base.sha == world.first
    assert [one.filename for one in read.files()] == ["a.txt"]


def test_rename_shows_its_old_path(world: World) -> None:
    content = b"flags:\n  a: true\n  b: true\n  c: true\n  d: true\n  e: true\n"
    pull = world.pull("alice", "rename", {FLAGS: None, "infra/new.yaml": content})
    shown = [one.as_dict() for one in world.repo("bob").pull_request(pull.number).files()]
    assert [(one["status"], one["filename"], one["previous_filename"]) for one in shown] == [
        ("renamed", "infra/new.yaml", FLAGS)
    ]


def test_patch_and_counts_are_those_of_git(world: World) -> None:
    pull = world.pull("alice", "patch", {FLAGS: b"flags:\n  a: true\n  b: false\n"})
    shown = next(iter(world.repo("bob").pull_request(pull.number).files()))
    assert (shown.additions_count, shown.deletions_count) == (1, 4)
    assert shown.patch.startswith("@@ -1,6 +1,3 @@\n")
    assert "+  b: false" in shown.patch
    diff = world.repo("bob").pull_request(pull.number).diff()
    assert diff.startswith(b"diff --git a/infra/flags.yaml")


def test_more_files_than_a_page(world: World) -> None:
    files = {f"many/{number:03}.txt": b"x\n" for number in range(130)}
    pull = world.pull("alice", "many", files)
    read = world.repo("bob").pull_request(pull.number)
    assert sorted(one.filename for one in read.files()) == sorted(files)
    assert read.as_dict()["changed_files"] == 130
    first = world.session("bob").get(world.at("/pulls/1/files?per_page=100"))
    assert len(first.json()) == 100
    assert first.links["next"]["url"] == first.links["last"]["url"]


def test_duplicate_is_refused(world: World) -> None:
    world.pull("alice", "twice", {"a.txt": b"1\n"})
    with pytest.raises(github3.exceptions.UnprocessableEntity) as caught:
        world.repo("alice").create_pull("Again", "main", "twice")
    assert "already exists" in str(caught.value.errors)


def test_nothing_to_merge_is_refused(world: World) -> None:
    world.repo("alice").create_branch_ref("empty", world.first)
    with pytest.raises(github3.exceptions.UnprocessableEntity):
        world.repo("alice").create_pull("Empty", "main", "empty")
    assert list(world.repo("alice").pull_requests(state="all")) == []


def test_close_reopen_and_edit(world: World) -> None:
    pull = world.pull("alice", "edit", {"a.txt": b"1\n"})
    assert pull.update(title="Better")
    assert pull.close()
    assert world.repo("bob").pull_request(1).state == "closed"
    assert pull.reopen()
    read = world.repo("bob").pull_request(1)
    assert (read.title, read.state) == ("Better", "open")
    found = world.repo("bob").pull_requests(state="open", head="acme:edit", base="main")
    assert [one.number for one in found] == [1]
    assert list(world.repo("bob").pull_requests(state="closed")) == []


def test_deleting_the_branch_closes(world: World) -> None:
    world.pull("alice", "gone", {"a.txt": b"1\n"})
    world.repo("alice").ref("heads/gone").delete()
    read = world.repo("bob").pull_request(1)
    assert (read.state, read.merged) == ("closed", False)


def test_head_pushed_straight_to_base_counts_as_merged(world: World) -> None:
    pull = world.pull("alice", "straight", {"a.txt": b"1\n"})
    world.repo("bob").ref("heads/main").update(pull.head.sha)
    read = world.repo("bob").pull_request(1)
    assert (read.merged, read.merged_by.login) == (True, "bob")
    assert read.merge_commit_sha == pull.head.sha


def test_pulls_of_a_commit(world: World) -> None:
    pull = world.pull("alice", "origin", {"a.txt": b"1\n"})
    world.repo("bob").pull_request(1).merge()
    main = git(world, "rev-parse", "main")
    stray = world.commit("bob", "main", {"stray.txt": b"1\n"})
    session = world.session("bob")

    def numbers(sha: str) -> list[int]:
        return [one["number"] for one in session.get(world.at(f"/commits/{sha}/pulls")).json()]

    assert numbers(main) == [1]
    assert numbers(pull.head.sha) == [1]
    assert numbers(stray) == []


def test_fork_pull_request(world: World) -> None:
    session = world.session("reader")
    assert session.post(world.at("/forks"), "{}").status_code == 202
    repo = world.login("reader").repository("reader", "ops")
    assert repo.as_dict()["parent"]["full_name"] == "acme/ops"
    repo.create_file("fork.txt", "From a fork", b"hi\n", branch="main")
    pull = world.repo("reader").create_pull("Fork", "main", "reader:main")
    read = world.repo("bob").pull_request(pull.number).as_dict()
    assert read["head"]["repo"]["full_name"] == "reader/ops"
    assert read["head"]["repo"]["fork"] is True
    assert read["head"]["label"] == "reader:main"
    assert read["mergeable"] is True
    assert git(world, "show", "refs/pull/1/head:fork.txt") == "hi"
    assert git(world, "show", "refs/pull/1/merge:fork.txt") == "hi"
    repo.create_file("more.txt", "Again", b"hi\n", branch="main")
    assert git(world, "show", "refs/pull/1/merge:more.txt") == "hi"
    assert world.actions == [(1, "opened"), (1, "synchronize")]
    assert world.pushes == []
