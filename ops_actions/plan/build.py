"""Turn a change set into a plan. Pure: the same commits give the same plan, byte for byte.

1. Sort every path by what it means (`change.classify`).
2. Parse the declared state on both sides, or the request; anything unclear stops here.
3. Hold a request to its environment, and the environments' platforms apart (`plan.place`).
4. Compare the two sides thing by thing; each difference becomes one typed change.
5. Sort, destroyed things first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.settings.environment import file_of
from ops_actions.change.classify import classify, environment_of
from ops_actions.change.model import ChangeSet, FileChange, PathKind
from ops_actions.errors import BadRequestError
from ops_actions.plan.access import access_changes
from ops_actions.plan.action import action_change
from ops_actions.plan.files import document_change, guardrail_change
from ops_actions.plan.flags import flag_changes
from ops_actions.plan.model import Change, Plan
from ops_actions.plan.place import ReadBase, refuse_foreign_target, refuse_shared_places
from ops_actions.plan.platform import platform_changes
from ops_actions.plan.sides import UnreadableBaseError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def build_plan(change_set: ChangeSet, policy_digest: str, read: ReadBase) -> Plan:
    """Return what a change set will do.

    Args:
        change_set: the paths that differ and their contents.
        policy_digest: digest of the policies at the commit that judges.
        read: gives a file of that same commit by its path.

    Raises:
        BadRequestError: a declared file or a request can't be read, a request is for what another
            environment has, or two environments would have one place; names file and line.
    """
    changes = [change for file in change_set.files for change in _changes_of(file, read)]
    refuse_shared_places(change_set, read)
    return Plan(
        base=change_set.base,
        head=change_set.head,
        policy_digest=policy_digest,
        changes=tuple(sorted(changes, key=lambda change: change.sort_key)),
    )


def _changes_of(file: FileChange, read: ReadBase) -> Iterator[Change]:
    """Yield the changes that one path asks for."""
    kind = classify(file.path)
    environment = environment_of(file.path) or ""
    if kind is PathKind.REQUEST:
        _refuse_irregular(file)
        change = action_change(file, environment)
        refuse_foreign_target(file, environment, read)
        yield change
    elif environment and (compare := _compare(file, kind, environment)) is not None:
        _refuse_irregular(file)
        try:
            yield from list(compare(file, environment))
        except UnreadableBaseError:
            # Somebody forced a broken file onto main. Restoring it must stay possible, and then it
            # is a change of a file, for an admin; nothing outside is touched by guessing.
            yield guardrail_change(file)
    elif kind is PathKind.DOCUMENT:
        yield document_change(file)
    else:
        yield guardrail_change(file)


def _compare(
    file: FileChange, kind: PathKind, environment: str
) -> Callable[[FileChange, str], Iterator[Change]] | None:
    """Return what compares the two sides of a declared file; None for any other file."""
    name = file.path.rpartition("/")[2]
    if kind is PathKind.DECLARED:
        return {"flags.yaml": flag_changes, "platform.yaml": platform_changes}.get(name)
    # The people list is a guardrail that is understood line by line.
    return access_changes if file.path == file_of(environment, "access") else None


def _refuse_irregular(file: FileChange) -> None:
    if not file.regular:
        raise BadRequestError(
            "change.not_a_file",
            f"{file.path} is a link, a submodule or has its mode changed",
            f"make {file.path} a plain file with mode 644",
        )
