"""What git keeps, as values: who signed, what a commit says, what stands in a tree."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

TREE_MODE = "040000"
"""The mode of a directory's entry in a tree."""


class GitError(Exception):
    """Git refused a command; the message is what it wrote to standard error."""


@dataclass(frozen=True)
class Signature:
    """Who and when, as a commit records it; seconds are git's resolution."""

    name: str
    email: str
    when: datetime

    def line(self) -> str:
        """Return the value of an ``author`` or ``committer`` header."""
        name = re.sub(r"[<>\n\0]", "", self.name).strip() or "unknown"
        email = re.sub(r"[<>\n\0 ]", "", self.email)
        return f"{name} <{email}> {int(self.when.timestamp())} +0000"


@dataclass(frozen=True)
class Commit:
    """One parsed commit object."""

    sha: str
    tree: str
    parents: tuple[str, ...]
    author: Signature
    committer: Signature
    message: str


@dataclass(frozen=True)
class TreeEntry:
    """One entry of a tree; ``size`` is in bytes and None for anything but a blob."""

    mode: str
    type: str
    sha: str
    size: int | None
    path: str


@dataclass(frozen=True)
class TreeChange:
    """One path to write into a tree; ``sha`` None removes it."""

    path: str
    mode: str
    sha: str | None


def parse_commit(sha: str, text: str) -> Commit:
    """Return a commit from what ``git cat-file commit`` says of it."""
    head, _, message = text.partition("\n\n")
    fields = [line.partition(" ") for line in head.split("\n")]
    values = {name: value for name, _, value in fields if name}
    return Commit(
        sha=sha,
        tree=values["tree"],
        parents=tuple(value for name, _, value in fields if name == "parent"),
        author=signature(values["author"]),
        committer=signature(values["committer"]),
        message=message,
    )


def tree_entry(line: str) -> TreeEntry:
    """Return an entry from one line of ``git ls-tree -l``."""
    meta, _, path = line.partition("\t")
    mode, kind, sha, size = meta.split()
    return TreeEntry(mode, kind, sha, None if size == "-" else int(size), path)


def signature(value: str) -> Signature:
    """Return a signature from the value of an ``author`` or ``committer`` header.

    Raises:
        GitError: it is malformed.
    """
    match = re.fullmatch(r"(.*?) ?<(.*)> (\d+) [+-]\d{4}", value)
    if match is None:
        raise GitError(f"malformed signature in a commit: {value!r}")
    name, email, seconds = match.groups()
    return Signature(name, email, datetime.fromtimestamp(int(seconds), UTC))
