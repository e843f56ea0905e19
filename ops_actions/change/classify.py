"""What a path means to this project. Whatever is not known is a guardrail."""

from __future__ import annotations

import re

from infra.settings.environment import ENVIRONMENTS
from infra.settings.environment import FOLDER as DECLARED_FOLDER
from ops_actions.change.model import PathKind

REQUEST_FOLDER = "ops_actions/requests"
"""Folder of action requests, from the repository's root."""

_ENVIRONMENT = f"(?P<environment>{'|'.join(ENVIRONMENTS)})"
_DECLARED = re.compile(rf"{DECLARED_FOLDER}/{_ENVIRONMENT}/(?:flags|platform)\.yaml")
_REQUEST = re.compile(rf"{REQUEST_FOLDER}/{_ENVIRONMENT}/[A-Za-z0-9._-]+\.yaml")
_BELOW_ENVIRONMENT = re.compile(rf"(?:{DECLARED_FOLDER}|{REQUEST_FOLDER})/{_ENVIRONMENT}/[^/].*")
_DOCUMENT = re.compile(r"docs/[^/].*|[^/]+\.md|LICENSE")


def classify(path: str) -> PathKind:
    """Tell what a path means; it decides who must approve a change of it.

    People (`access.yaml`) are a guardrail although they are declared: who may approve is not
    something that the usual approvals may change. A path that is not in git's normal form is a
    guardrail too.

    Args:
        path: path from the repository's root, with ``/``.
    """
    if not _is_normal(path):
        return PathKind.GUARDRAIL
    if _DECLARED.fullmatch(path):
        return PathKind.DECLARED
    if _REQUEST.fullmatch(path):
        return PathKind.REQUEST
    if _DOCUMENT.fullmatch(path):
        return PathKind.DOCUMENT
    return PathKind.GUARDRAIL


def environment_of(path: str) -> str:
    """Return the environment whose folder a path is in, the empty text when it is in none.

    Args:
        path: path from the repository's root, with ``/``.
    """
    found = _BELOW_ENVIRONMENT.fullmatch(path) if _is_normal(path) else None
    return found["environment"] if found else ""


def _is_normal(path: str) -> bool:
    """Tell whether a path is printable and has no empty, ``.`` or ``..`` part."""
    parts = path.split("/")
    return path.isprintable() and "\\" not in path and not {"", ".", ".."}.intersection(parts)
