"""The files that belong to the project: what git has, or would take with `git add`."""

from __future__ import annotations

import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def project_files(*patterns: str) -> list[Path]:
    """Files that match git's patterns, without those that .gitignore names.

    Raises:
        subprocess.CalledProcessError: the tests do not run in a git checkout.
    """
    command = ["git", "-C", str(ROOT), "-c", "core.quotePath=false", "ls-files", "-z"]
    command += ["--cached", "--others", "--exclude-standard", "--", *patterns]
    listing = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    paths = {ROOT / name for name in listing.split("\0") if name}
    return sorted(path for path in paths if path.is_file())
