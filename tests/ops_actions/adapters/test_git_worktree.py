from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ops_actions.adapters.git_worktree import uncommitted
from ops_actions.errors import OutsideError
from tests.ops_actions.adapters.git_world import commit, start

if TYPE_CHECKING:
    from pathlib import Path


def test_what_differs_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "checkout"
    git = start(folder)
    names = ("changed", "removed", "staged", "moved", ".gitignore")
    commit(git, folder, {name: name.encode() * 20 for name in names})
    assert uncommitted(folder) == ()

    (folder / "changed").write_bytes(b"other")
    (folder / "removed").unlink()
    (folder / "staged").write_bytes(b"other")
    git("add", "staged")
    git("mv", "moved", "elsewhere")
    (folder / "new").mkdir()
    (folder / "new" / "ümlaut file").write_bytes(b"x")

    assert uncommitted(folder) == (
        "changed", "elsewhere", "moved", "new/ümlaut file", "removed", "staged",
    )  # fmt: skip


def test_what_is_ignored_does_not_count_and_settings_hide_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "checkout"
    git = start(folder)
    commit(git, folder, {".gitignore": b"/ignored\n"})
    (folder / "ignored").write_bytes(b"x")
    assert uncommitted(folder) == ()
    git("config", "status.showUntrackedFiles", "no")
    (folder / "new").write_bytes(b"x")
    assert uncommitted(folder) == ("new",)


def test_a_folder_that_is_no_checkout_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OutsideError, match=r"git\.failed"):
        uncommitted(tmp_path)
