"""One atomic commit on a new branch, by GitHub's git objects: blobs, tree, commit, reference."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from github3 import exceptions as github3_errors

from ops_actions.adapters.github_errors import github_errors
from ops_actions.errors import BadRequestError, RefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from github3.repos.repo import Repository

    from ops_actions.adapters.github_raw import RawApi

_REGULAR = "100644"
_TAKEN = 422


class BranchWriter:
    """Creates branches with one commit each.

    Nothing is visible before the reference is created, the last call; a run that stops earlier
    leaves loose objects, which GitHub collects. Files are written as regular ones, never
    executable.

    Args:
        repository: github3.py's repository.
        api: raw calls of the same repository.
    """

    def __init__(self, repository: Repository, api: RawApi) -> None:
        self._repository = repository
        self._api = api

    def tip(self, branch: str) -> str | None:
        """Return the commit that a branch points to, None when there is no such branch."""
        with github_errors(f"read branch {branch}"):
            try:
                return str(self._repository.ref(f"heads/{quote(branch)}").object.sha)
            except github3_errors.NotFoundError:
                return None

    def commit(
        self, base_branch: str, branch: str, files: Mapping[str, bytes | None], message: str
    ) -> str:
        """Create the branch on top of the base branch's tip, or find it already as wanted.

        Raises:
            BadRequestError: there is no such base branch.
            RefusedError: nothing would change, or the branch exists with another content.
        """
        base = self.tip(base_branch)
        if base is None:
            raise BadRequestError(
                "github.branch_missing",
                f"there is no branch {base_branch!r} to start from",
                "list the branches with: git ls-remote --heads origin",
            )
        present = self.tip(branch)
        if present is not None:
            return self._reuse(branch, present, base, files)
        tree = self._tree(base, files)
        if tree == self._commit(base)[0]:
            raise RefusedError(
                "request.no_change",
                f"{base_branch} already says what this change asks for",
                "look at the current state before asking again",
            )
        with github_errors(f"create a commit for {branch}"):
            made = str(self._repository.create_commit(message, tree, [base]).sha)
        with github_errors(f"create branch {branch}"):
            try:
                self._repository.create_ref(f"refs/heads/{branch}", made)
            except github3_errors.UnprocessableEntity as error:
                present = self.tip(branch)
                if present is None:  # not taken by somebody faster, so refused for another reason
                    raise error from None
                return self._reuse(branch, present, base, files)
        return made

    def _reuse(
        self, branch: str, present: str, base: str, files: Mapping[str, bytes | None]
    ) -> str:
        """Return the tip of an existing branch when it is exactly these files on the base branch.

        Its parent may be an older commit of the base branch, so that repeating a request after
        an unrelated merge finds the first one. Any other parent could bring changes along.
        """
        tree, parents = self._commit(present)
        known = len(parents) == 1 and self._on_base(parents[0], base)
        if known and tree == self._tree(parents[0], files):
            return present
        raise RefusedError(
            "request.branch_taken",
            f"branch {branch} exists and says something else",
            f"look at it, then delete it with: git push origin --delete {branch}",
        )

    def _on_base(self, commit: str, base: str) -> bool:
        if commit == base:
            return True
        found = self._api.get(f"compare/{commit}...{base}", "compare two commits")
        return isinstance(found, dict) and found.get("status") == "ahead"

    def _commit(self, commit: str) -> tuple[str, tuple[str, ...]]:
        """Return the tree and the parents of a commit."""
        with github_errors(f"read commit {commit}"):
            found = self._repository.git_commit(commit)
            return str(found.tree.sha), tuple(str(parent["sha"]) for parent in found.parents)

    def _tree(self, base: str, files: Mapping[str, bytes | None]) -> str:
        """Write the tree of a commit with these files changed and return its name."""
        entries: list[dict[str, Any]] = []
        for path, content in sorted(files.items()):
            name = None if content is None else self._blob(path, content)
            entries.append({"path": path, "mode": _REGULAR, "type": "blob", "sha": name})
        with github_errors("write a tree"):
            return str(self._repository.create_tree(entries, self._commit(base)[0]).sha)

    def _blob(self, path: str, content: bytes) -> str:
        with github_errors(f"write {path}"):
            text = base64.b64encode(content).decode("ascii")
            return str(self._repository.create_blob(text, "base64"))
