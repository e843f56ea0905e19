"""The policies of one commit as files: their digest, their rules, and a folder an engine can read.

Paths are those of the repository, as git lists them: ``policies/ops/main/main.rego``. Tests of the
policies (``*_test.rego``) judge nothing. They are left out of the digest, and so must be left out
of everything an engine reads: else a test file could change a decision without changing the digest.
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from ops_actions.canonical import digest
from ops_actions.errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FOLDER: Final = "policies"
TEST_SUFFIX = "_test.rego"
CAPABILITIES = "capabilities.json"
RULE_LIST = f"{FOLDER}/config/rules/data.json"

_RULE = re.compile(rf"{FOLDER}/ops/rules/([a-z0-9_]+)/([a-z0-9_]+)/\2\.rego")
_CODE = re.compile(r"[a-z0-9_]+\.[a-z0-9_]+")
_NEXT = "run `scripts/policy-check` at the base commit and restore what it names"


def judging_files(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the files that take part in decisions: all below ``policies/`` but the tests.

    Args:
        files: content by path from the repository's root.

    Raises:
        RefusedError: a path is not below ``policies/`` or points out of it, or nothing is left.
    """
    for path in files:
        parts = PurePosixPath(path).parts
        if parts[:1] != (FOLDER,) or ".." in parts or not parts[1:] or "/".join(parts) != path:
            raise RefusedError("engine.bundle", f"{path!r} is no file below {FOLDER}/", _NEXT)
    judging = {p: files[p] for p in sorted(files) if not p.endswith(TEST_SUFFIX)}
    if not judging:
        raise RefusedError("engine.bundle", "there are no policies", _NEXT)
    return judging


def policy_digest(files: Mapping[str, bytes]) -> str:
    """Return the digest over path and content of all policy files but the tests.

    Args:
        files: content by path from the repository's root.

    Raises:
        RefusedError: a path is not below ``policies/``, or there are no policies.
    """
    rows = [
        {"path": path, "sha256": hashlib.sha256(content).hexdigest()}
        for path, content in judging_files(files).items()
    ]
    return digest({"schema": "coh.policies/1", "files": rows})


def rules_of(files: Mapping[str, bytes]) -> frozenset[str]:
    """Return the codes of all rules, when the rules that exist are the rules that are listed.

    The list (``policies/config/rules/data.json``) is what makes a lost rule noticed: rules take
    part by being there, and a rule that is gone denies nothing.

    Args:
        files: content by path from the repository's root.

    Raises:
        RefusedError: the list is missing or wrong, or differs from the rule files.
    """
    found = {f"{m[1]}.{m[2]}" for m in map(_RULE.fullmatch, files) if m}
    try:
        listed = json.loads(files[RULE_LIST])
    except (KeyError, ValueError) as error:
        raise RefusedError("engine.bundle", f"{RULE_LIST} can't be read", _NEXT) from error
    if not isinstance(listed, list) or not all(
        isinstance(code, str) and _CODE.fullmatch(code) for code in listed
    ):
        raise RefusedError("engine.bundle", f"{RULE_LIST} is no list of rule codes", _NEXT)
    if not listed or found != set(listed):
        differing = ", ".join(sorted(found ^ set(listed))) or "no rules at all"
        raise RefusedError("engine.bundle", f"rules and their list differ: {differing}", _NEXT)
    return frozenset(listed)


def read_bundle(folder: Path) -> dict[str, bytes]:
    """Return the files of a policy folder by their path in the repository.

    Args:
        folder: the folder that stands for ``policies/``, whatever its own name is.

    Raises:
        RefusedError: it can't be read, or holds a symbolic link.
    """
    files: dict[str, bytes] = {}
    try:
        for path in folder.rglob("*"):
            if path.is_symlink():
                raise RefusedError("engine.bundle", f"{path.name} is a symbolic link", _NEXT)
            if path.is_file():
                files[f"{FOLDER}/{path.relative_to(folder).as_posix()}"] = path.read_bytes()
    except OSError as error:
        fact = f"the policy folder can't be read: {error.strerror}"
        raise RefusedError("engine.bundle", fact, _NEXT) from error
    return files


def rule_codes(bundle: Path) -> frozenset[str]:
    """Return the codes of all rules of a policy folder, see `rules_of`."""
    return rules_of(read_bundle(bundle))


def write_bundle(files: Mapping[str, bytes], folder: Path) -> Path:
    """Write the policies of a commit into an empty folder, without the tests.

    Args:
        files: content by path from the repository's root.
        folder: existing folder that stands for ``policies/`` from then on.

    Returns:
        The folder.

    Raises:
        RefusedError: a path is not below ``policies/``, or there are no policies.
    """
    for path, content in judging_files(files).items():
        target = folder.joinpath(*PurePosixPath(path).parts[1:])
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    return folder
