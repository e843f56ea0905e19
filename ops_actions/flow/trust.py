"""Which commit may judge: the nearest one back that holds nothing a refusal turned down.

A refused commit stays on main. Its policies, people, code and platform were never approved, and
they are still there in every commit on top of it. So trust stays where it was before the refusal
until the files are as they were again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.settings.environment import FOLDER
from ops_actions.change.classify import classify
from ops_actions.change.model import PathKind
from ops_actions.errors import RefusedError

if TYPE_CHECKING:
    from ops_actions.change.model import Repository


def trusted_before(repository: Repository, refused: frozenset[str], commit: str) -> str:
    """Return the commit whose policies, people and code judge what comes on top of another one.

    Args:
        repository: git repository.
        refused: commits that were refused and never applied.
        commit: first parent of what is to be judged.

    Raises:
        RefusedError: ``gate.no_trust``, the very first commit was refused.
    """
    line = repository.first_parents(commit)
    first = next((number for number, each in enumerate(line) if each in refused), None)
    if first is None:
        return commit
    if first == 0:
        raise RefusedError(
            "gate.no_trust",
            f"{line[0]} has no commit before it and was refused, so nothing is left that may judge",
            "coh apply --start-after COMMIT begins with a commit that people have looked at",
        )
    trusted = line[first - 1]
    for parent, each in zip(line[first - 1 :], line[first:], strict=False):
        if each not in refused and _carries_nothing(repository, trusted, parent, each):
            trusted = each
    return trusted


def _carries_nothing(repository: Repository, trusted: str, parent: str, commit: str) -> bool:
    """Tell whether a commit brings only what was approved for it, or takes the refused part out."""
    return (
        trusted == parent
        or not judging_files(repository, trusted, parent)
        or not judging_files(repository, trusted, commit)
    )


def judging_files(repository: Repository, one: str, other: str) -> tuple[str, ...]:
    """Return the paths differing between two commits that decide how changes are judged.

    All but flags, requests and documents: policies, people, code, workflows, and the platform that
    actions are held to.
    """
    return tuple(
        file.path for file in repository.diff(one, other).files if _decides_over_others(file.path)
    )


def _decides_over_others(path: str) -> bool:
    kind = classify(path)
    declared_flags = path.startswith(f"{FOLDER}/") and path.endswith("/flags.yaml")
    if kind is PathKind.DECLARED:
        return not declared_flags
    return kind is PathKind.GUARDRAIL
