from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.github.diff import changes
from sandbox.github.git import ZERO, Git, RefMovedError
from sandbox.github.gitobjects import GitError, Signature, TreeChange, parse_commit

if TYPE_CHECKING:
    from pathlib import Path

WHEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
WHO = Signature("A", "a@example.org", WHEN)


@pytest.fixture
def git(tmp_path: Path) -> Git:
    return Git.create(tmp_path / "bare.git")


def commit(git: Git, files: dict[str, bytes], *parents: str) -> str:
    tree = git.write_tree(
        None, [TreeChange(path, "100644", git.write_blob(data)) for path, data in files.items()]
    )
    return git.write_commit(tree, parents, "message", WHO, WHO)


def test_move_is_compare_and_swap(git: Git) -> None:
    one = commit(git, {"a": b"1"})
    two = commit(git, {"a": b"2"}, one)
    git.move("refs/heads/x", new=one, old=ZERO)
    with pytest.raises(RefMovedError):
        git.move("refs/heads/x", new=two, old=ZERO)
    with pytest.raises(RefMovedError):
        git.move("refs/heads/x", new=two, old=two)
    assert git.refs("refs/heads") == {"refs/heads/x": one}
    git.move("refs/heads/x", new=two, old=one)
    assert git.refs("refs/heads/x") == {"refs/heads/x": two}
    git.move("refs/heads/x", new=ZERO, old=two)
    assert git.refs("refs") == {}


def test_name_below_another_reference_is_an_error(git: Git) -> None:
    one = commit(git, {"a": b"1"})
    git.move("refs/heads/x", new=one, old=ZERO)
    with pytest.raises(GitError):
        git.move("refs/heads/x/y", new=one, old=ZERO)


def test_packed_and_foreign_moves_are_seen(git: Git) -> None:
    one, two = commit(git, {"a": b"1"}), commit(git, {"a": b"2"})
    git.move("refs/heads/x", new=one, old=ZERO)
    assert git.refs("refs/heads") == {"refs/heads/x": one}
    git.run("pack-refs", "--all")
    assert git.refs("refs/heads") == {"refs/heads/x": one}
    git.run("update-ref", "refs/heads/x", two)
    assert git.refs("refs/heads") == {"refs/heads/x": two}
    git.run("pack-refs", "--all")
    git.run("update-ref", "-d", "refs/heads/x")
    assert git.refs("refs/heads") == {}


def test_merge_tree_tells_conflicts(git: Git) -> None:
    base = commit(git, {"a": b"1\n", "b": b"1\n"})
    left = commit(git, {"a": b"2\n", "b": b"1\n"}, base)
    right = commit(git, {"a": b"1\n", "b": b"2\n"}, base)
    clash = commit(git, {"a": b"3\n", "b": b"1\n"}, base)
    tree = git.merge_tree(left, right)
    assert tree is not None
    assert {one.path: git.blob(one.sha) for one in git.tree(tree)} == {"a": b"2\n", "b": b"2\n"}
    assert git.merge_tree(left, clash) is None
    with pytest.raises(GitError):
        git.merge_tree(left, "1" * 40)


def test_changes_of_every_kind(git: Git) -> None:
    body = b"".join(b"line %d\n" % number for number in range(20))
    one = commit(git, {"gone": b"x\n", "kept": b"y\n", "old": body, "edited": b"1\n2\n"})
    two = commit(git, {"kept": b"y\n", "new": body, "edited": b"1\n3\n", "bin": b"\x00\x01"}, one)
    found = {item.filename: item for item in changes(git, one, two)}
    assert {name: item.status for name, item in found.items()} == {
        "bin": "added",
        "edited": "modified",
        "gone": "removed",
        "new": "renamed",
    }
    assert (found["new"].previous, found["new"].patch) == ("old", None)
    assert (found["edited"].additions, found["edited"].deletions) == (1, 1)
    assert found["edited"].patch == "@@ -1,2 +1,2 @@\n 1\n-2\n+3"
    assert (found["bin"].additions, found["bin"].patch) == (0, None)


@given(name=st.text(), email=st.text(), message=st.text(alphabet=st.characters(codec="utf-8")))
def test_signature_can_not_forge_headers(name: str, email: str, message: str) -> None:
    line = Signature(name, email, WHEN).line()
    text = f"tree {ZERO}\nauthor {line}\ncommitter {line}\n\n{message}"
    parsed = parse_commit(ZERO, text)
    assert (parsed.tree, parsed.parents, parsed.message) == (ZERO, (), message)
    assert parsed.author.when == WHEN


def test_resolve_takes_no_expressions(git: Git) -> None:
    one = commit(git, {"a": b"1"})
    two = commit(git, {"a": b"2"}, one)
    git.move("refs/heads/x", new=two, old=ZERO)
    assert git.resolve("x") == git.resolve("refs/heads/x") == git.resolve(two) == two
    assert [git.resolve(name) for name in ("x^", "x~1", "x@{0}", f"{one}..x", "--all", "")] == [
        None
    ] * 6
