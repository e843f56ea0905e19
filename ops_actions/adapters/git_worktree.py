"""Whether a checkout is what its commit says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ops_actions.adapters.git_process import GitProcess

if TYPE_CHECKING:
    from pathlib import Path


def uncommitted(folder: Path, *, timeout: float = 60.0) -> tuple[str, ...]:
    """Return the sorted paths of a checkout that differ from its commit, or are not in it.

    What `.gitignore` names does not count.

    Args:
        folder: top of the checkout.
        timeout: seconds that git may take.

    Raises:
        OutsideError: git failed, or the folder is no checkout.
    """
    _, raw = GitProcess(folder, timeout).run(
        "status",
        "--porcelain=v1",
        "-z",
        "--untracked-files=all",
        "--ignored=no",
        "--no-renames",
        "--ignore-submodules=none",
    )
    # Each entry: two letters, a space, the path. Without renames there is one path for each.
    return tuple(
        sorted(entry[3:].decode("utf-8", "replace") for entry in raw.split(b"\0") if entry)
    )
