"""Real git repositories for tests."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Git = Callable[..., str]

UNKNOWN = "0123456789abcdef0123456789abcdef01234567"
"""A commit id that no repository has."""


def start(folder: Path, *, bare: bool = False) -> Git:
    """Make a repository and return a function that runs git in it."""
    folder.mkdir(parents=True)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "author",
        "GIT_AUTHOR_EMAIL": "author@invalid",
        "GIT_COMMITTER_NAME": "author",
        "GIT_COMMITTER_EMAIL": "author@invalid",
    }

    def git(*arguments: str, given: str | None = None) -> str:
        done = subprocess.run(
            ["git", "-C", str(folder), "-c", "protocol.file.allow=always", *arguments],
            env=environment,
            input=given,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    git("init", "--quiet", "--initial-branch=main", *(["--bare"] if bare else []))
    return git


def commit(git: Git, folder: Path, files: dict[str, bytes | None], message: str = "change") -> str:
    """Write files, None to remove one, commit everything and return the commit."""
    for name, content in files.items():
        path = folder / name
        if content is None:
            path.unlink()
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    git("add", "--all")
    git("commit", "--quiet", "--allow-empty", "-m", message)
    return git("rev-parse", "HEAD")
