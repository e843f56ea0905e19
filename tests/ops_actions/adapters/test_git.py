"""What the git adapter reads of commits, trees and files, against real repositories."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from ops_actions.adapters.git import GitRepository
from ops_actions.adapters.git_process import BLOB_LIMIT
from ops_actions.change.model import FileStatus, Repository
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
def repository(folder: Path) -> Repository:
    return GitRepository(folder)


def test_diff_gives_added_modified_and_removed_bytes_sorted(
    git: Git, folder: Path, repository: Repository
) -> None:
    base = commit(git, folder, {"z.txt": b"old\n", "gone.txt": b"gone", "same.txt": b"same"})
    head = commit(git, folder, {"z.txt": b"new\r\n\x00", "gone.txt": None, "ä b.txt": b""})
    files = repository.diff(base, head).files
    assert [(f.path, f.status, f.before, f.after, f.regular) for f in files] == [
        ("gone.txt", FileStatus.REMOVED, b"gone", None, True),
        ("z.txt", FileStatus.MODIFIED, b"old\n", b"new\r\n\x00", True),
        ("ä b.txt", FileStatus.ADDED, None, b"", True),
    ]


def test_an_empty_diff_has_no_files(git: Git, folder: Path, repository: Repository) -> None:
    base = commit(git, folder, {"a": b"1"})
    assert repository.diff(base, base).files == ()


def test_a_rename_is_a_removal_and_an_addition(
    git: Git, folder: Path, repository: Repository
) -> None:
    git("config", "diff.renames", "copies")
    base = commit(git, folder, {"old.yaml": b"x: 1\n" * 50})
    git("mv", "old.yaml", "new.yaml")
    head = commit(git, folder, {})
    files = repository.diff(base, head).files
    assert [(f.path, f.status) for f in files] == [
        ("new.yaml", FileStatus.ADDED),
        ("old.yaml", FileStatus.REMOVED),
    ]


def test_links_submodules_and_executable_bits_are_not_regular(
    git: Git, folder: Path, repository: Repository
) -> None:
    base = commit(git, folder, {"file": b"content", "run": b"#!/bin/sh\n", "plain": b"1"})
    (folder / "file").unlink()
    (folder / "file").symlink_to("/etc/passwd")
    (folder / "run").chmod(0o755)
    git("update-index", "--add", "--cacheinfo", f"160000,{base},module")
    head = commit(git, folder, {"plain": b"2"})
    found = {f.path: (f.regular, f.after) for f in repository.diff(base, head).files}
    assert found["file"] == (False, b"/etc/passwd")
    assert found["run"] == (False, b"#!/bin/sh\n")
    assert found["plain"] == (True, b"2")
    # `git add --all` drops the submodule again, so it is committed on its own.
    git("update-index", "--add", "--cacheinfo", f"160000,{base},module")
    git("commit", "--quiet", "-m", "module")
    files = repository.diff(head, git("rev-parse", "HEAD")).files
    assert [(f.path, f.regular, f.after) for f in files] == [
        ("module", False, f"Subproject commit {base}\n".encode())
    ]
    assert repository.read(git("rev-parse", "HEAD"), "module") is None
    assert repository.read(head, "file") is None
    assert repository.list_files(head, "") == ("plain", "run")


def test_attributes_filters_and_text_conversion_take_no_part(
    git: Git, folder: Path, repository: Repository
) -> None:
    git("config", "diff.lie.textconv", "echo nothing to see #")
    git("config", "diff.lie.command", "true")
    git("config", "filter.lie.smudge", "tr a-z b")
    base = commit(git, folder, {".gitattributes": b"*.yaml diff=lie -text ident\n", "a.yaml": b"1"})
    git("config", "diff.external", "true")
    head = commit(git, folder, {"a.yaml": b"$Id$\r\n"})
    assert repository.diff(base, head).files[0].after == b"$Id$\r\n"
    assert repository.read(head, "a.yaml") == b"$Id$\r\n"


def test_replace_references_cannot_change_what_is_read(
    git: Git, folder: Path, repository: Repository
) -> None:
    base = commit(git, folder, {"a": b"1"})
    honest = commit(git, folder, {"a": b"evil"})
    git("checkout", "--quiet", "-b", "decoy", base)
    decoy = commit(git, folder, {"a": b"harmless"})
    git("replace", honest, decoy)
    assert git("show", f"{honest}:a") == "harmless"  # git itself is fooled
    assert repository.read(honest, "a") == b"evil"
    assert repository.diff(base, honest).files[0].after == b"evil"


def test_read_and_list_files(git: Git, folder: Path, repository: Repository) -> None:
    head = commit(
        git, folder, {"a/b/c.yaml": b"c", "a/d.yaml": b"d", "ab.yaml": b"no", ":(x)": b"m"}
    )
    assert repository.read(head, "a/b/c.yaml") == b"c"
    assert repository.read(head, ":(x)") == b"m"
    assert repository.read(head, "a/b") is None
    assert repository.read(head, "A/d.yaml") is None
    assert repository.list_files(head, "a") == ("a/b/c.yaml", "a/d.yaml")
    assert repository.list_files(head, "a/b/c.yaml") == ()
    assert repository.list_files(head, "none") == ()


@pytest.mark.parametrize(
    "path", ["", "/etc/passwd", "../x", "a//b", "a/./b", ".git/config", "a\nb"]
)
def test_odd_paths_are_bad_requests(
    git: Git, folder: Path, repository: Repository, path: str
) -> None:
    head = commit(git, folder, {"a": b"1"})
    with pytest.raises(BadRequestError) as refused:
        repository.read(head, path)
    assert refused.value.code == "change.bad_path"


def test_a_changed_path_that_cannot_be_shown_is_refused(
    git: Git, folder: Path, repository: Repository
) -> None:
    base = commit(git, folder, {"a": b"1"})
    head = commit(git, folder, {"infra/\u202egnp.yaml": b"1"})
    with pytest.raises(BadRequestError) as refused:
        repository.diff(base, head)
    assert refused.value.code == "change.bad_path"
    (folder / "infra" / "\u202egnp.yaml").unlink()
    with (folder / os.fsdecode(b"\xff\xfe")).open("wb"):
        head = commit(git, folder, {})
    with pytest.raises(BadRequestError):
        repository.diff(base, head)


@pytest.mark.parametrize(
    "name", ["HEAD", "main", "abc", "--output=x", UNKNOWN.upper(), UNKNOWN + "0"]
)
def test_only_full_commit_ids_are_accepted(repository: Repository, git: Git, name: str) -> None:
    del git
    with pytest.raises(BadRequestError) as refused:
        repository.diff(name, name)
    assert refused.value.code == "change.bad_commit"


def test_an_unknown_commit_names_the_fetch(git: Git, folder: Path, repository: Repository) -> None:
    base = commit(git, folder, {"a": b"1"})
    with pytest.raises(BadRequestError) as refused:
        repository.diff(base, UNKNOWN)
    assert refused.value.code == "change.unknown_commit"
    assert refused.value.next_step == f"fetch it with: git fetch origin {UNKNOWN}"


def test_a_tree_is_not_a_commit(git: Git, folder: Path, repository: Repository) -> None:
    base = commit(git, folder, {"a": b"1"})
    with pytest.raises(BadRequestError) as refused:
        repository.diff(base, git("rev-parse", "HEAD^{tree}"))
    assert refused.value.code == "change.unknown_commit"


def test_a_file_above_the_limit_is_refused_and_one_at_the_limit_is_read(
    git: Git, folder: Path, repository: Repository
) -> None:
    base = commit(git, folder, {"a": b"1"})
    full = commit(git, folder, {"a": b"x" * BLOB_LIMIT})
    over = commit(git, folder, {"a": b"x" * (BLOB_LIMIT + 1)})
    assert len(repository.diff(base, full).files[0].after or b"") == BLOB_LIMIT
    for act in (lambda: repository.diff(base, over), lambda: repository.read(over, "a")):
        with pytest.raises(BadRequestError) as refused:
            act()
        assert refused.value.code == "change.file_too_big"


def test_a_missing_object_is_an_outside_failure(
    git: Git, folder: Path, repository: Repository
) -> None:
    base = commit(git, folder, {"a": b"1"})
    head = commit(git, folder, {"a": b"2"})
    name = git("rev-parse", f"{head}:a")
    (folder / ".git" / "objects" / name[:2] / name[2:]).unlink()
    with pytest.raises(OutsideError) as failed:
        repository.diff(base, head)
    assert failed.value.code == "git.object_missing"


def test_export_tree_writes_exactly_the_files_below_a_folder(
    git: Git, folder: Path, repository: GitRepository, tmp_path: Path
) -> None:
    head = commit(
        git, folder, {"policies/a.rego": b"a", "policies/x/b.rego": b"b", "policy": b"no"}
    )
    out = tmp_path / "out"
    assert repository.export_tree(head, "policies", out) == ("a.rego", "x/b.rego")
    assert (out / "a.rego").read_bytes() == b"a"
    assert (out / "x" / "b.rego").read_bytes() == b"b"
    assert sorted(p.name for p in out.rglob("*")) == ["a.rego", "b.rego", "x"]
    with pytest.raises(BadRequestError) as again:
        repository.export_tree(head, "policies", out)
    assert again.value.code == "git.destination_not_empty"
    with pytest.raises(BadRequestError) as empty:
        repository.export_tree(head, "none", tmp_path / "none")
    assert empty.value.code == "change.folder_missing"


def test_export_tree_refuses_links(
    git: Git, folder: Path, repository: GitRepository, tmp_path: Path
) -> None:
    (folder / "policies").mkdir()
    (folder / "policies" / "link.rego").symlink_to("/etc/passwd")
    head = commit(git, folder, {"policies/a.rego": b"a"})
    with pytest.raises(RefusedError) as refused:
        repository.export_tree(head, "policies", tmp_path / "out")
    assert refused.value.code == "change.link_in_tree"
    assert not (tmp_path / "out").exists()


def test_ten_thousand_files_take_one_object_process(
    git: Git, folder: Path, repository: Repository
) -> None:
    base = commit(git, folder, {"start": b""})
    lines = [
        f"commit refs/heads/main\ncommitter a <a@invalid> 1 +0000\ndata 1\nx\nfrom {base}\n",
        *(f"M 644 inline many/{n:05}\ndata {len(str(n))}\n{n}\n" for n in range(10_000)),
    ]
    git("fast-import", "--quiet", "--force", given="".join(lines))
    files = repository.diff(base, git("rev-parse", "refs/heads/main")).files
    assert len(files) == 10_000
    assert files[-1].after == b"9999"
