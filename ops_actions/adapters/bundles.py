"""The policies of a commit, written out of git for the engine; never those of a working tree."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from pathlib import Path
from typing import TYPE_CHECKING

from ops_actions.decision.bundle import FOLDER, policy_digest, read_bundle, write_bundle
from ops_actions.decision.model import Bundle
from ops_actions.errors import RefusedError

if TYPE_CHECKING:
    from ops_actions.adapters.git import GitRepository


class GitBundles:
    """Implements `decision.model.Bundles`; each commit is written out once for each process.

    Args:
        repository: where the commits are.
    """

    def __init__(self, repository: GitRepository) -> None:
        self._repository = repository
        self._scratch = Path(tempfile.mkdtemp(prefix="coh-policies-"))
        weakref.finalize(self, shutil.rmtree, self._scratch, ignore_errors=True)
        self._known: dict[str, Bundle] = {}

    def at(self, commit: str) -> Bundle:
        """Return the policies of a commit.

        Raises:
            RefusedError: ``gate.no_policies``, the commit has none; ``change.link_in_tree``, one
                of them is a link; ``engine.bundle``, there are tests only.
        """
        if commit not in self._known:
            self._known[commit] = self._write(commit)
        return self._known[commit]

    def _write(self, commit: str) -> Bundle:
        paths = self._repository.list_files(commit, FOLDER)
        if not any(path.endswith(".rego") for path in paths):
            raise RefusedError(
                "gate.no_policies",
                f"{commit} has no policies, so nothing can be judged",
                "restore the folder policies on main",
            )
        # Folders of this try alone: policies that can't be written out leave half of them behind.
        tree, folder = (Path(tempfile.mkdtemp(dir=self._scratch)) for _ in range(2))
        self._repository.export_tree(commit, FOLDER, tree)
        files = read_bundle(tree)
        return Bundle(write_bundle(files, folder), policy_digest(files))
