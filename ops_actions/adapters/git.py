"""A git repository as the change step sees it: commits, trees and files, read from git's objects.

Nothing is taken from a working tree, and neither configuration, attributes, hooks, replace
references nor pathspec magic take part, so the same two commits give the same answer everywhere.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ops_actions.adapters import git_tree
from ops_actions.adapters.git_process import GitProcess
from ops_actions.change.model import ChangedObject, ChangeSet, FileChange, FileStatus, is_commit
from ops_actions.errors import BadRequestError, RefusedError

if TYPE_CHECKING:
    from pathlib import Path

    from ops_actions.adapters.git_process import ObjectReader
    from ops_actions.adapters.git_tree import Side


class GitRepository:
    """Reads one local repository, bare or not, by the git program.

    Args:
        folder: the bare repository or the top of a checkout.
        timeout: seconds that one git command may take.
    """

    def __init__(self, folder: Path, *, timeout: float = 60.0) -> None:
        self._git = GitProcess(folder, timeout)

    def diff(self, base: str, head: str) -> ChangeSet:
        """Return what differs from base to head, without rename guessing.

        Raises:
            BadRequestError: an id is malformed or unknown, a file is too big, a path is not
                printable UTF-8.
            OutsideError: git failed or an object is missing.
        """
        raw = self._diff(base, head)
        with self._git.objects() as objects:
            files = [_file_change(objects, *entry) for entry in git_tree.parse_diff(raw)]
        return ChangeSet(base, head, tuple(sorted(files, key=lambda file: file.path)))

    def changed_objects(self, base: str, head: str) -> tuple[ChangedObject, ...]:
        """Return what differs from base to head without reading any content, of any size or name.

        Raises:
            BadRequestError: an id is malformed or unknown.
            OutsideError: git failed.
        """
        return tuple(git_tree.parse_objects(self._diff(base, head)))

    def changed_paths(self, base: str, head: str) -> tuple[str, ...]:
        """Return the paths of `changed_objects`."""
        return tuple(one.path for one in self.changed_objects(base, head))

    def _diff(self, base: str, head: str) -> bytes:
        self._require_commits(base, head)
        _, raw = self._git.run(
            "diff-tree",
            "-r",
            "-z",
            "--raw",
            "--no-renames",
            "--full-index",
            "--no-ext-diff",
            "--no-textconv",
            "--ignore-submodules=none",
            base,
            head,
        )
        return raw

    def read(self, commit: str, path: str) -> bytes | None:
        """Return the content of a regular file at a commit, None when there is no such file.

        Raises:
            BadRequestError: the id or the path is malformed, the commit unknown, the file too big.
            OutsideError: git failed or an object is missing.
        """
        self._require_commits(commit)
        git_tree.check_path(path)
        _, raw = self._git.run("ls-tree", "-z", "--full-tree", commit, "--", path)
        for found, side in git_tree.parse_tree(raw):
            if found == path and side.is_file:
                with self._git.objects() as objects:
                    return git_tree.content_of(objects, found, side)
        return None

    def list_files(self, commit: str, folder: str) -> tuple[str, ...]:
        """Return the sorted paths of all regular files below a folder; the empty name means all."""
        return tuple(path for path, side in self._entries(commit, folder) if side.is_file)

    def first_parent(self, commit: str) -> str:
        """Return the first parent of a commit.

        Raises:
            BadRequestError: the commit is unknown or has no parent.
        """
        for line in self._commit_body(commit).split(b"\n"):
            if line.startswith(b"parent "):
                return line.removeprefix(b"parent ").decode("ascii")
            if not line:
                break
        raise BadRequestError(
            "change.no_parent",
            f"commit {commit} is the first of its history and has no parent to compare with",
            "name a later commit",
        )

    def merge_base(self, one: str, other: str) -> str:
        """Return the best common ancestor of two commits.

        Raises:
            BadRequestError: they share no history, or the clone is too shallow to know.
        """
        self._require_history(one, other)
        code, raw = self._git.run("merge-base", one, other, accept=frozenset({0, 1}))
        if code:
            raise BadRequestError(
                "change.no_common_ancestor",
                f"commits {one} and {other} share no history",
                "check both ids with: git log --oneline --graph --all",
            )
        return raw.decode("ascii").strip()

    def is_ancestor(self, ancestor: str, commit: str) -> bool:
        """Tell whether a commit is an ancestor of, or is, another one."""
        self._require_history(ancestor, commit)
        code, _ = self._git.run(
            "merge-base", "--is-ancestor", ancestor, commit, accept=frozenset({0, 1})
        )
        return code == 0

    def first_parent_range(self, after: str, upto: str) -> tuple[str, ...]:
        """Return the first-parent commits after one commit up to and with another, oldest first.

        Raises:
            RefusedError: the first commit is not on the first-parent line of the other, which
                means that history was rewritten or the two were swapped.
        """
        self._require_history(after, upto)
        _, raw = self._git.run("rev-list", "--first-parent", "--reverse", upto, f"^{after}")
        commits = tuple(raw.decode("ascii").split())
        start = self.first_parent(commits[0]) if commits else upto
        if start != after:
            raise RefusedError(
                "change.history_rewritten",
                f"commit {after} is not on the first-parent line of {upto}",
                f"find out how they relate with: git log --graph --oneline {after} {upto}",
            )
        return commits

    def first_parents(self, commit: str) -> tuple[str, ...]:
        """Return the whole first-parent line up to and with a commit, oldest first."""
        self._require_history(commit)
        _, raw = self._git.run("rev-list", "--first-parent", "--reverse", commit)
        return tuple(raw.decode("ascii").split())

    def head_commit(self) -> str:
        """Return the commit that is checked out, or the default branch's of a bare repository."""
        return self.resolve("HEAD")

    def resolve(self, name: str) -> str:
        """Return the commit that a branch, tag or abbreviated id stands for now.

        Raises:
            BadRequestError: nothing has that name.
        """
        code, raw = self._git.run(
            "rev-parse",
            "--verify",
            "--quiet",
            "--end-of-options",
            f"{name}^{{commit}}",
            accept=frozenset({0, 1, 128}),
        )
        commit = raw.decode("ascii", "replace").strip()
        if code or not is_commit(commit):
            raise BadRequestError(
                "change.unknown_commit",
                f"{name!r} names no commit in {self._git.folder.name}",
                "list what there is with: git branch --all",
            )
        return commit

    def export_tree(self, commit: str, folder: str, destination: Path) -> tuple[str, ...]:
        """Write the files below a folder at a commit into a new or empty folder.

        Returns:
            The sorted paths written, relative to the folder.

        Raises:
            RefusedError: the folder holds a link or a submodule; both could lead elsewhere.
            BadRequestError: nothing is below the folder, or the destination is not empty.
        """
        entries = self._entries(commit, folder)
        if not entries:
            raise BadRequestError(
                "change.folder_missing",
                f"commit {commit} has no files below {folder!r}",
                f"list them with: git ls-tree -r --name-only {commit}",
            )
        for path, side in entries:
            if not side.is_file:
                raise RefusedError(
                    "change.link_in_tree",
                    f"{path} is a link or a submodule",
                    "replace it by a regular file",
                )
        destination.mkdir(parents=True, exist_ok=True)
        if any(destination.iterdir()):
            raise BadRequestError(
                "git.destination_not_empty",
                f"the destination folder {destination.name} is not empty",
                "name a new folder",
            )
        cut = len(folder) + 1 if folder else 0
        with self._git.objects() as objects:
            for path, side in entries:
                _write_new(destination / path[cut:], git_tree.content_of(objects, path, side))
        return tuple(path[cut:] for path, _ in entries)

    def _entries(self, commit: str, folder: str) -> list[tuple[str, Side]]:
        self._require_commits(commit)
        scope = []
        if folder:
            git_tree.check_path(folder)
            scope = ["--", f"{folder}/"]
        _, raw = self._git.run("ls-tree", "-r", "-z", "--full-tree", commit, *scope)
        return sorted(git_tree.parse_tree(raw))

    def _require_history(self, *commits: str) -> None:
        self._require_commits(*commits)
        _, raw = self._git.run("rev-parse", "--is-shallow-repository")
        if raw.strip() != b"false":
            raise BadRequestError(
                "change.shallow_clone",
                "the clone is shallow, so how commits relate can't be known from it",
                "complete it with: git fetch --unshallow",
            )

    def _require_commits(self, *commits: str) -> None:
        for commit in commits:
            self._commit_body(commit)

    def _commit_body(self, commit: str) -> bytes:
        if not is_commit(commit):
            raise BadRequestError(
                "change.bad_commit",
                f"{commit!r} is not a commit id of 40 hex digits",
                "write the full id, as printed by: git rev-parse NAME",
            )
        with self._git.objects() as objects:
            found = objects.read(commit, f"commit {commit}")
        if found is None or found[0] != "commit":
            raise BadRequestError(
                "change.unknown_commit",
                f"commit {commit} is not in this clone",
                f"fetch it with: git fetch origin {commit}",
            )
        return found[1]


def _file_change(
    objects: ObjectReader, path: str, status: FileStatus, before: Side | None, after: Side | None
) -> FileChange:
    sides = [side for side in (before, after) if side is not None]
    return FileChange(
        path=path,
        status=status,
        before=None if before is None else git_tree.content_of(objects, path, before),
        after=None if after is None else git_tree.content_of(objects, path, after),
        regular=all(side.is_file for side in sides) and len({s.executable for s in sides}) == 1,
    )


def _write_new(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # O_EXCL: names that collide on a case-insensitive disk fail instead of overwriting each other.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
