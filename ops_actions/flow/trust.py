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
    from collections.abc import Iterable

    from ops_actions.change.model import ChangedObject, Repository


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
    tainted: dict[str, str] = {}
    for parent, each in zip(line[first - 1 :], line[first:], strict=False):
        if each in refused or tainted:
            changed = repository.changed_objects(parent, each)
            _follow(tainted, changed, refused=each in refused)
        if each not in refused and not tainted:
            trusted = each
    return trusted


def _follow(tainted: dict[str, str], changed: Iterable[ChangedObject], *, refused: bool) -> None:
    """Keep, for each file that a refused commit moved, what was approved of it last.

    It stays until the file is exactly that again. An approved edit on top does not heal it: who
    approved that saw the edit only.
    """
    for one in changed:
        if not _decides_over_others(one.path):
            continue
        if refused:
            tainted.setdefault(one.path, one.before)
        if tainted.get(one.path) == one.after:
            del tainted[one.path]


def judging_files(repository: Repository, one: str, other: str) -> tuple[str, ...]:
    """Return the paths differing between two commits that decide how changes are judged.

    All but flags, requests and documents: policies, people, code, workflows, and the platform that
    actions are held to.
    """
    return tuple(filter(_decides_over_others, repository.changed_paths(one, other)))


def _decides_over_others(path: str) -> bool:
    kind = classify(path)
    declared_flags = path.startswith(f"{FOLDER}/") and path.endswith("/flags.yaml")
    if kind is PathKind.DECLARED:
        return not declared_flags
    return kind is PathKind.GUARDRAIL
