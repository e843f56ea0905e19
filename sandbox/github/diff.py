"""What changed between two commits, file by file, as git's rename detection sees it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from sandbox.github.git import ZERO

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.github.git import Git

KEPT = 256
"""Comparisons kept; they never change, since they are between two object names."""
STATUS: Final = {
    "A": "added",
    "D": "removed",
    "M": "modified",
    "R": "renamed",
    "C": "copied",
    "T": "changed",
}
"""Git's letters in the words of the pulls/{n}/files endpoint."""


@dataclass(frozen=True)
class FileChange:
    """One changed file; counts are lines and 0 for binary files, which have no patch."""

    filename: str
    previous: str | None
    status: str
    sha: str
    additions: int
    deletions: int
    patch: str | None


@lru_cache(maxsize=KEPT)
def changes(git: Git, before: str, after: str) -> tuple[FileChange, ...]:
    """Return the changed files between two commits or trees, in path order."""
    arguments = ("diff-tree", "-r", "-M", "--no-abbrev", "--no-commit-id", "--no-ext-diff")
    listing = git.run(*arguments, "-z", "--raw", "--numstat", before, after).decode()
    fields = iter(listing.split("\0"))
    raw: list[tuple[str, str | None, str, str]] = []
    counts: dict[str, tuple[int, int]] = {}
    for field in fields:
        if field.startswith(":"):
            raw.append(_raw(field, fields))
        elif field:
            name, additions, deletions = _count(field, fields)
            counts[name] = (additions, deletions)
    patches = _patches(git.run(*arguments, "-p", before, after).decode(errors="replace"))
    return tuple(
        FileChange(name, previous, STATUS[letter], sha, *counts[name], patch=patch)
        for (name, previous, letter, sha), patch in zip(raw, patches, strict=True)
    )


def _raw(field: str, rest: Iterator[str]) -> tuple[str, str | None, str, str]:
    _, _, before, after, status = field.split(" ")
    name, previous, letter = next(rest), None, status[0]
    if letter in "RC":
        previous, name = name, next(rest)
    return name, previous, letter, before if after == ZERO else after


def _count(field: str, rest: Iterator[str]) -> tuple[str, int, int]:
    additions, deletions, name = field.split("\t", 2)
    if not name:  # a rename gives the old and the new name as two more fields
        next(rest)
        name = next(rest)
    return name, _lines(additions), _lines(deletions)


def _lines(count: str) -> int:
    return 0 if count == "-" else int(count)


def _patches(text: str) -> list[str | None]:
    # Inside a patch every line starts with a blank, +, -, @ or backslash, so the header is unique.
    sections = ("\n" + text).split("\ndiff --git ")[1:]
    found: dict[str, list[str]] = {}
    for section in sections:
        # A file that becomes a link, or the other way, is a removal and an addition of one name.
        patches = found.setdefault(section.partition("\n")[0], [])
        start = section.find("\n@@")
        if start >= 0:
            patches.append(section[start + 1 :].rstrip("\n"))
    return ["\n".join(patches) or None for patches in found.values()]
