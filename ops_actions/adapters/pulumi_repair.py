"""Making a stack usable again after a run was killed.

The engine's lock has no end, and an operation that was cut off stays in the state as pending. The
order here is what makes it safe: prove the owner of the lock dead, take the lock away, take the
pending operations out, look at what is there. An object that was made and not written down is
then found by the provider's Create, which takes over what it finds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ops_actions.adapters.pulumi_errors import LockedError, LockOwner, cancel_command
from ops_actions.adapters.pulumi_run import Pending, pending_of, translated
from ops_actions.errors import UndecidableError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pulumi.automation import Stack

_OURS = "opshub:"


@dataclass(frozen=True, slots=True)
class Repair:
    """What a repair found and did.

    Attributes:
        dead: owners of the locks that were taken away.
        cleared: URNs whose unfinished operation was taken out of the state, sorted.
    """

    dead: tuple[LockOwner, ...]
    cleared: tuple[str, ...]


def repair_stack(
    stack: Stack, owner_alive: Callable[[LockOwner], bool], secrets: Sequence[str]
) -> Repair:
    """Take dead locks and unfinished operations away, and look at what is there.

    Args:
        stack: opened, with its provider being served.
        owner_alive: whether the owner of a lock may still run; in doubt True.
        secrets: texts that must not be shown.

    Raises:
        RefusedError: ``infra.locked``, an owner is alive.
        UndecidableError: a lock names no owner, or an object may have been made that can't be
            found again by itself.
        OutsideError: the engine failed.
    """
    with translated(stack.name, secrets):
        pending = pending_of(stack)
    _refuse_foreign(stack.name, pending)
    try:
        dead: tuple[LockOwner, ...] = ()
        _clear(stack, secrets)
    except LockedError as error:
        dead = _bury(stack, error, owner_alive, secrets)
        _clear(stack, secrets)
    return Repair(dead, tuple(sorted({one.urn for one in pending})))


def _refuse_foreign(environment: str, pending: Sequence[Pending]) -> None:
    """Stop before an unfinished creation of a type whose Create does not look first."""
    foreign = [
        one.urn for one in pending if one.kind == "creating" and not one.type.startswith(_OURS)
    ]
    if foreign:
        raise UndecidableError(
            "infra.pending_foreign",
            f"it is not known whether these were made: {', '.join(foreign)}",
            f"look for each, import it or not, then coh reconcile --env {environment}",
        )


def _clear(stack: Stack, secrets: Sequence[str]) -> None:
    """Take pending creations out of the state, and refresh it, which ends all other kinds.

    The engine takes the lock before it writes, so a live owner is never disturbed.
    """
    with translated(stack.name, secrets) as events:
        stack.refresh(
            on_event=events.append,
            clear_pending_creates=True,
            run_program=False,
            color="never",
            show_secrets=False,
            suppress_outputs=True,
        )


def _bury(
    stack: Stack,
    error: LockedError,
    owner_alive: Callable[[LockOwner], bool],
    secrets: Sequence[str],
) -> tuple[LockOwner, ...]:
    """Take the locks of dead owners away; return the owners."""
    if not error.owners:
        raise UndecidableError(
            "infra.lock_unknown",
            f"the state of {stack.name} is locked and the lock names no owner",
            f"make sure that no run is alive; then, {cancel_command(stack.name)}",
        )
    if any(owner_alive(owner) for owner in error.owners):
        raise error
    with translated(stack.name, secrets):
        stack.cancel()
    return error.owners
