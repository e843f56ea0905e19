"""Change sets for tests of plans."""

from __future__ import annotations

from infra.settings.environment import read_from_folder
from ops_actions.change.model import ChangeSet, FileChange, FileStatus
from tests.support.files import ROOT

BASE, HEAD = "a" * 40, "b" * 40
POLICIES = "sha256:" + "1" * 64
READ = read_from_folder(ROOT)
"""Reads the commit that judges: this checkout."""


def change_of(
    path: str, before: str | None, after: str | None, *, regular: bool = True
) -> FileChange:
    """Return one path that differs; None for a side where it is not there."""
    status = (
        FileStatus.ADDED
        if before is None
        else FileStatus.REMOVED
        if after is None
        else FileStatus.MODIFIED
    )
    sides = [None if side is None else side.encode() for side in (before, after)]
    return FileChange(path, status, sides[0], sides[1], regular)


def change_set(*files: FileChange) -> ChangeSet:
    """Return a change set of some paths."""
    return ChangeSet(BASE, HEAD, files)
