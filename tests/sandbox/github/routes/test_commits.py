from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.sandbox.github.support import World


def test_commit_shows_its_files(world: World) -> None:
    sha = world.commit("alice", "one", {"README.md": None, "a.txt": b"1\n2\n"})
    commit = world.repo("bob").commit("one")
    assert commit.sha == sha
    assert {one["filename"]: one["status"] for one in commit.files} == {
        "README.md": "removed",
        "a.txt": "added",
    }
    assert (commit.additions, commit.deletions) == (2, 1)


def test_first_commit_adds_everything(world: World) -> None:
    commit = world.repo("bob").commit(world.first)
    assert {one["status"] for one in commit.files} == {"added"}
    assert commit.as_dict()["author"] is None


def test_comparison_runs_over_the_merge_base(world: World) -> None:
    head = world.commit("alice", "one", {"a.txt": b"1\n"})
    world.commit("bob", "main", {"b.txt": b"1\n"})
    comparison = world.repo("bob").compare_commits("main", "one")
    assert (comparison.status, comparison.ahead_by, comparison.behind_by) == ("diverged", 1, 1)
    assert [one["filename"] for one in comparison.files] == ["a.txt"]
    assert [one.sha for one in comparison.original_commits] == [head]


def test_commits_are_listed_newest_first(world: World) -> None:
    one = world.commit("alice", "main", {"a.txt": b"1\n"})
    two = world.commit("alice", "main", {"b.txt": b"1\n"})
    assert [c.sha for c in world.repo("bob").commits(sha="main")] == [two, one, world.first]
    assert [c.sha for c in world.repo("bob").commits(sha="main", path="a.txt")] == [one]


def test_unknown_commit(world: World) -> None:
    answer = world.session("bob").get(world.at(f"/commits/{'3' * 40}"))
    assert answer.status_code == 422
