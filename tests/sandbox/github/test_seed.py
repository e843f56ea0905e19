from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sandbox.emulator.store import Store
from sandbox.github import SeedFile, SeedUser, delete_user, register_users, seed_repository
from sandbox.github.git import Git, RefMovedError
from sandbox.github.state import State
from tests.sandbox.github.support import START

if TYPE_CHECKING:
    from pathlib import Path


def test_first_commit_keeps_modes(tmp_path: Path) -> None:
    script = tmp_path / "run"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    plain = tmp_path / "plain"
    plain.write_text("x\n")
    files: dict[str, bytes | Path | SeedFile] = {
        "bin/run": script,
        "plain": plain,
        "raw": b"x",
        "x": SeedFile(b"y", "100755"),
    }
    bare = tmp_path / "bare.git"
    sha = seed_repository(bare, files, "Start", ("Seed", "seed@example.org"), START)
    git = Git(bare)
    assert {one.path: one.mode for one in git.tree(sha, recursive=True) if one.type == "blob"} == {
        "bin/run": "100755",
        "plain": "100644",
        "raw": "100644",
        "x": "100755",
    }
    assert git.resolve("main") == sha
    assert git.commit(sha).author.when == START
    with pytest.raises(RefMovedError):
        seed_repository(bare, {"a": b"1"}, "Again", ("Seed", "seed@example.org"), START)


def test_same_seed_gives_the_same_commit(tmp_path: Path) -> None:
    made = {
        seed_repository(tmp_path / name, {"a": b"1"}, "Start", ("S", "s@example.org"), START)
        for name in ("one.git", "two.git")
    }
    assert len(made) == 1


def test_registering_again_changes_the_role_only(tmp_path: Path) -> None:
    store = Store(tmp_path / "state.sqlite")
    register_users(store, [SeedUser("alice", "read")], START)
    before = State(store).account("alice")
    register_users(store, [SeedUser("Alice", "admin")], START)
    after = State(store).account("ALICE")
    assert before is not None
    assert after == before.model_copy(update={"role": "admin"})
    with pytest.raises(LookupError):
        delete_user(store, "nobody")
    store.close()
