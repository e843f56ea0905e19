"""Parsing what git's plumbing prints about trees: paths, modes and object names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ops_actions.change.model import ChangedObject, FileStatus
from ops_actions.errors import BadRequestError, OutsideError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ops_actions.adapters.git_process import ObjectReader

_ABSENT = "000000"
_SUBMODULE = "160000"
_STATUS = {
    "A": FileStatus.ADDED,
    "M": FileStatus.MODIFIED,
    "T": FileStatus.MODIFIED,  # the type changed, for instance from file to link
    "D": FileStatus.REMOVED,
}


@dataclass(frozen=True, slots=True, order=True)
class Side:
    """One path at one commit.

    Attributes:
        mode: git's file mode, six octal digits.
        name: name of its object, 40 hex digits.
    """

    mode: str
    name: str

    @property
    def is_file(self) -> bool:
        """Whether it is a regular file, neither link nor submodule."""
        return self.mode.startswith("100")

    @property
    def executable(self) -> bool:
        """Whether the executable bit is set."""
        return bool(int(self.mode, 8) & 0o111)


def parse_diff(raw: bytes) -> Iterator[tuple[str, FileStatus, Side | None, Side | None]]:
    """Yield path, status and both sides from the output of ``git diff-tree -r -z --raw``.

    Raises:
        OutsideError: the output has another form.
        BadRequestError: a path is not printable UTF-8.
    """
    for path, letter, before, after in _differences(raw):
        yield _text(path), _STATUS[letter], before, after


def parse_objects(raw: bytes) -> Iterator[ChangedObject]:
    """Yield what differs from the same output, whatever the names of the files are.

    Raises:
        OutsideError: the output has another form.
    """
    for path, _, before, after in _differences(raw):
        yield ChangedObject(path.decode("utf-8", "surrogateescape"), _named(before), _named(after))


def _named(side: Side | None) -> str:
    return "" if side is None else f"{side.mode} {side.name}"


def _differences(raw: bytes) -> Iterator[tuple[bytes, str, Side | None, Side | None]]:
    fields = raw.split(b"\0")[:-1]
    if len(fields) % 2:
        raise _strange("diff-tree")
    for header, path in zip(fields[::2], fields[1::2], strict=True):
        parts = header.decode("ascii", "replace").removeprefix(":").split(" ")
        if len(parts) != 5 or parts[4] not in _STATUS:  # noqa: PLR2004 - modes, names, status
            raise _strange("diff-tree")
        old_mode, new_mode, old_name, new_name, letter = parts
        before = None if old_mode == _ABSENT else Side(old_mode, old_name)
        after = None if new_mode == _ABSENT else Side(new_mode, new_name)
        yield path, letter, before, after


def parse_tree(raw: bytes) -> Iterator[tuple[str, Side]]:
    """Yield path and side from the output of ``git ls-tree -z``.

    Raises:
        OutsideError: the output has another form.
        BadRequestError: a path is not printable UTF-8.
    """
    for entry in raw.split(b"\0")[:-1]:
        header, tab, path = entry.partition(b"\t")
        parts = header.decode("ascii", "replace").split(" ")
        if not tab or len(parts) != 3:  # noqa: PLR2004 - mode, type, name
            raise _strange("ls-tree")
        yield _text(path), Side(parts[0], parts[2])


def content_of(objects: ObjectReader, path: str, side: Side) -> bytes:
    """Return the bytes behind a side: content, target of a link, or a submodule's commit in words.

    Raises:
        BadRequestError: the file is too big.
        OutsideError: the object is missing from the clone.
    """
    if side.mode == _SUBMODULE:
        return f"Subproject commit {side.name}\n".encode("ascii")
    found = objects.read(side.name, path)
    if found is None or found[0] != "blob":
        raise OutsideError(
            "git.object_missing",
            f"the content of {path} is not in this clone",
            "complete the clone with: git fetch --refetch origin",
        )
    return found[1]


def check_path(path: str) -> None:
    """Refuse anything but a plain path from the repository's root.

    Raises:
        BadRequestError: it is empty, absolute, has an empty, ``.``, ``..`` or ``.git`` part, or
            holds a character that can't be printed.
    """
    parts = path.split("/")
    if {"", ".", "..", ".git"} & {part.lower() for part in parts} or not path.isprintable():
        raise BadRequestError(
            "change.bad_path",
            f"{path!r} is not a plain path from the root of the repository",
            "write it with / and without ., .. or a leading /",
        )


def _text(raw: bytes) -> str:
    try:
        path = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise BadRequestError(
            "change.bad_path",
            f"the name of a file is not UTF-8: {raw[:100]!r}",
            "rename the file",
        ) from None
    check_path(path)
    return path


def _strange(command: str) -> OutsideError:
    return OutsideError(
        "git.unexpected_answer",
        f"git {command} printed something this version does not understand",
        "check that git is 2.30 or newer: git --version",
    )
