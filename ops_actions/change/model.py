"""A change set: what the files of one pull request say, before anyone asks what it will do."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

_COMMIT = re.compile(r"[0-9a-f]{40}")


def is_commit(text: str) -> bool:
    """Tell whether a text is a commit's full id: 40 hex digits."""
    return _COMMIT.fullmatch(text) is not None


class FileStatus(StrEnum):
    """How one path differs between two commits. A rename is a removal and an addition."""

    ADDED = "added"
    MODIFIED = "modified"
    REMOVED = "removed"


class PathKind(StrEnum):
    """What a path means to this project; it decides who must approve a change of it."""

    DECLARED = "declared"
    REQUEST = "request"
    GUARDRAIL = "guardrail"
    DOCUMENT = "document"


@dataclass(frozen=True, slots=True)
class FileChange:
    """One path that differs between two commits.

    Attributes:
        path: path from the repository's root, with ``/``.
        before: content at the base commit in bytes, None when the path was added.
        after: content at the head commit in bytes, None when the path was removed.
        regular: False for a symbolic link, a submodule or an executable bit that changed;
            declared state and requests must be regular files.
    """

    path: str
    status: FileStatus
    before: bytes | None
    after: bytes | None
    regular: bool = True


@dataclass(frozen=True, slots=True)
class ChangedObject:
    """One path that differs between two commits, by git's own names for what is there.

    Attributes:
        path: path from the repository's root; bytes that are no UTF-8 as lone surrogates.
        before: mode and object name at the base commit, empty when nothing was there.
        after: the same at the head commit.
    """

    path: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """All paths that differ between two commits, sorted by path.

    Attributes:
        base: commit (40 hex digits) the change starts from.
        head: commit (40 hex digits) the change ends in.
    """

    base: str
    head: str
    files: tuple[FileChange, ...]


class Repository(Protocol):
    """What this step needs of a git repository; commits are 40 hex digits."""

    def diff(self, base: str, head: str) -> ChangeSet:
        """Return what differs from base to head, from git's own objects, without rename guessing.

        Raises:
            OutsideError: git failed or an object is missing.
        """

    def changed_objects(self, base: str, head: str) -> tuple[ChangedObject, ...]:
        """Return what differs from base to head; reads no content, takes any size and name."""

    def changed_paths(self, base: str, head: str) -> tuple[str, ...]:
        """Return the paths of `changed_objects`."""

    def read(self, commit: str, path: str) -> bytes | None:
        """Return the content of a regular file at a commit, None when it is not there."""

    def list_files(self, commit: str, folder: str) -> tuple[str, ...]:
        """Return the sorted paths of all regular files below a folder at a commit."""

    def first_parent(self, commit: str) -> str:
        """Return the first parent of a commit."""

    def merge_base(self, one: str, other: str) -> str:
        """Return the best common ancestor of two commits."""

    def is_ancestor(self, ancestor: str, commit: str) -> bool:
        """Tell whether a commit is an ancestor of, or is, another one."""

    def first_parents(self, commit: str) -> tuple[str, ...]:
        """Return the whole first-parent line up to and with a commit, oldest first."""

    def first_parent_range(self, after: str, upto: str) -> tuple[str, ...]:
        """Return the first-parent commits after one commit up to and with another, oldest first."""
