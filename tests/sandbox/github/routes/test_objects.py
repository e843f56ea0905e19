from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import github3
import pytest

if TYPE_CHECKING:
    from tests.sandbox.github.support import World


def test_one_commit_of_many_files(world: World) -> None:
    sha = world.commit(
        "alice", "many", {"a/b.txt": b"one\n", "README.md": None, "bin": b"\x00\xff"}
    )
    listing = subprocess.check_output(
        ["git", "ls-tree", "-r", sha], cwd=world.directory, text=True
    ).splitlines()
    assert sorted(line.split("\t")[1] for line in listing) == [
        "a/b.txt",
        "bin",
        "infra/flags.yaml",
        "scripts/coh",
    ]
    executable = next(line for line in listing if line.endswith("scripts/coh"))
    assert executable.startswith("100755")
    blob = subprocess.check_output(["git", "show", f"{sha}:bin"], cwd=world.directory)
    assert blob == b"\x00\xff"


def test_commit_is_byte_for_byte_what_was_asked(world: World) -> None:
    repo = world.repo("alice")
    tree = repo.commit("main").as_dict()["commit"]["tree"]["sha"]
    author = {"name": "Ä <x>", "email": "a@example.org", "date": "2026-01-02T03:04:05+02:00"}
    commit = repo.create_commit("Title\n\nBody\n", tree, [world.first], author=author)
    raw = subprocess.check_output(
        ["git", "cat-file", "commit", commit.sha], cwd=world.directory, text=True
    )
    assert f"author Ä x <a@example.org> {1767315845} +0000\n" in raw
    assert raw.endswith("\n\nTitle\n\nBody\n")
    read = repo.git_commit(commit.sha)
    assert (read.message, read.author["date"]) == ("Title\n\nBody\n", "2026-01-02T01:04:05Z")


def test_who_commits_by_default_is_the_caller(world: World) -> None:
    sha = world.commit("alice", "mine", {"a.txt": b"1\n"})
    shown = world.repo("bob").commit(sha).as_dict()
    assert shown["author"]["login"] == "alice"
    assert shown["commit"]["author"]["email"].endswith("+alice@users.noreply.github.com")
    assert shown["commit"]["verification"] == {
        "verified": False,
        "reason": "unsigned",
        "signature": None,
        "payload": None,
        "verified_at": None,
    }
    bot = world.commit("bot", "bots", {"a.txt": b"1\n"})
    assert world.repo("bob").commit(bot).as_dict()["commit"]["verification"]["verified"] is True


def test_blob_and_tree_read_back(world: World) -> None:
    repo = world.repo("alice")
    sha = repo.create_blob("grüße\n", "utf-8")
    assert repo.blob(sha).decode_content() == "grüße\n"
    tree = repo.tree("main").recurse()
    assert {one.path: one.type for one in tree.tree}["infra/flags.yaml"] == "blob"
    assert {one.path: one.mode for one in tree.tree}["scripts/coh"] == "100755"


@pytest.mark.parametrize(
    "entry",
    [
        {"path": "../up", "mode": "100644", "type": "blob", "content": "x"},
        {"path": ".git/hooks/x", "mode": "100644", "type": "blob", "content": "x"},
        {"path": "a", "mode": "100644", "type": "blob", "sha": "1" * 40},
        {"path": "absent", "mode": "100644", "type": "blob", "sha": None},
        {"path": "a", "mode": "100600", "type": "blob", "content": "x"},
    ],
)
def test_bad_tree_entry_is_refused(world: World, entry: dict[str, str]) -> None:
    body = {"base_tree": world.first, "tree": [entry]}
    answer = world.session("alice").post(world.at("/git/trees"), json=body)
    assert answer.status_code == 422


def test_whole_directory_can_be_grafted(world: World) -> None:
    repo = world.repo("alice")
    infra = {one.path: one.sha for one in repo.tree("main").tree}["infra"]
    entry = {"path": "copy", "mode": "040000", "type": "tree", "sha": infra}
    tree = repo.create_tree([entry], base_tree=world.first)
    assert "copy/flags.yaml" in {one.path for one in tree.recurse().tree}


def test_unknown_parent_is_refused(world: World) -> None:
    repo = world.repo("alice")
    tree = repo.commit("main").as_dict()["commit"]["tree"]["sha"]
    with pytest.raises(github3.exceptions.UnprocessableEntity):
        repo.create_commit("x", tree, ["2" * 40])
