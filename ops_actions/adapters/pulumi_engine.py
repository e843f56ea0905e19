"""The Pulumi engine as this project uses it: look, compare with what was approved, then do.

Rules that the real engine taught: `up` with a saved plan is not atomic, so the plan is made again
and compared before; a preview takes no lock; a lock never ends by itself; after a kill a pending
creation stays, and an `up` over it would make a second object if the provider's Create did not
take over the first.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from ops_actions.adapters.pulumi_loop import tidied
from ops_actions.adapters.pulumi_repair import Repair, repair_stack
from ops_actions.adapters.pulumi_run import pending_of, translated
from ops_actions.adapters.pulumi_session import (
    EngineOptions,
    empty_stack,
    find_stack,
    open_stack,
)
from ops_actions.adapters.pulumi_steps import Step, differing, messages_of, parents_of, steps_of
from ops_actions.errors import RefusedError

if TYPE_CHECKING:
    from pulumi.automation import Stack

    from infra.settings.environment import EnvironmentSettings
    from infra.settings.migrations import Migration
    from ops_actions.adapters.pulumi_errors import LockOwner

Program = Callable[["EnvironmentSettings", Sequence["Migration"]], Callable[[], None]]
"""Gives the Pulumi program of an environment."""

Serve = Callable[[], AbstractContextManager[int]]
"""Serves the provider while a block runs; gives its port on the loopback address."""


class PulumiEngine:
    """Previews and updates the stack of an environment.

    Args:
        options: where the engine and its state are.
        program: gives the program to run.
        serve: serves the provider of the program's resources.
    """

    def __init__(self, options: EngineOptions, program: Program, serve: Serve) -> None:
        self._options = options
        self._program = program
        self._serve = serve

    def preview(
        self,
        settings: EnvironmentSettings,
        migrations: Sequence[Migration],
        targets: Sequence[str] | None = None,
        *,
        refresh: bool = False,
    ) -> tuple[Step, ...]:
        """Return what an update would do; unchanged resources are left out. Changes nothing.

        Args:
            settings: declared state of the environment.
            migrations: of its database.
            targets: URNs the update is limited to, None for all.
            refresh: look at the outside world first, so that drift becomes a step.

        Raises:
            RefusedError: the program or the provider refuses what is declared.
            OutsideError: the engine failed.
        """
        declared = self._program(settings, migrations)
        with self._serve() as port, tidied(declared) as program:
            stack = find_stack(self._options, settings.name, program, port)
            if stack is not None:
                return self._preview(stack, targets, refresh=refresh)
            with empty_stack(self._options, settings.name, program, port) as stack:
                return self._preview(stack, targets, refresh=False)

    def up(
        self,
        settings: EnvironmentSettings,
        migrations: Sequence[Migration],
        targets: Sequence[str] | None,
        expected: Sequence[Step],
        *,
        refresh: bool = False,
    ) -> tuple[str, ...]:
        """Do what was expected, and nothing when anything else would happen.

        Returns what the provider wants a person to know, such as that a flag was switched off
        where its feature could not be deleted.

        Args:
            settings: declared state of the environment.
            migrations: of its database.
            targets: URNs the update is limited to, None for all.
            expected: steps of the preview that was approved.
            refresh: as for the preview that was approved.

        Raises:
            RefusedError: ``infra.preview_differs``, ``infra.pending`` or ``infra.locked``, and
                what the provider refuses; nothing was changed.
            OutsideError: the engine failed; a part may be done.
        """
        declared = self._program(settings, migrations)
        with (
            self._serve() as port,
            tidied(declared) as program,
            tempfile.TemporaryDirectory(prefix="coh-plan-") as folder,
        ):
            stack = open_stack(self._options, settings.name, program, port)
            self._refuse_pending(stack)
            plan = Path(folder) / "plan.json"
            found = self._preview(stack, targets, refresh=refresh, plan=plan)
            urns = differing(expected, found)
            if urns:
                raise RefusedError(
                    "infra.preview_differs",
                    f"{settings.name} would not change as approved: {', '.join(urns)}",
                    f"coh infra preview --env {settings.name}, and have that approved",
                )
            if not found:
                return ()
            return self._up(stack, targets, refresh=refresh, plan=plan)

    def repair(self, environment: str, owner_alive: Callable[[LockOwner], bool]) -> Repair:
        """Make a stack usable again after a run was killed.

        Locks of owners that are proven dead are taken away. Unfinished operations are taken out
        of the state, since the provider's Create takes over what is already there. What was done
        outside and not written down is found by the next preview and update.

        Args:
            environment: name of the stack.
            owner_alive: whether the owner of a lock may still run; in doubt True.

        Raises:
            RefusedError: ``infra.locked``, an owner is alive.
            UndecidableError: a lock names no owner, or an object that can't be taken over by
                itself may have been made.
            OutsideError: the engine failed.
        """
        with self._serve() as port:
            stack = find_stack(self._options, environment, _nothing, port)
            if stack is None:
                return Repair((), ())
            return repair_stack(stack, owner_alive, self._options.secrets)

    def _preview(
        self,
        stack: Stack,
        targets: Sequence[str] | None,
        *,
        refresh: bool,
        plan: Path | None = None,
    ) -> tuple[Step, ...]:
        with translated(stack.name, self._options.secrets) as events:
            stack.preview(
                on_event=events.append,
                target=_with_parents(stack.name, targets),
                refresh=refresh or None,
                plan=None if plan is None else str(plan),
                color="never",
            )
            return steps_of(events)

    def _up(
        self, stack: Stack, targets: Sequence[str] | None, *, refresh: bool, plan: Path
    ) -> tuple[str, ...]:
        with translated(stack.name, self._options.secrets) as events:
            stack.up(
                on_event=events.append,
                target=_with_parents(stack.name, targets),
                refresh=refresh or None,
                plan=str(plan),
                color="never",
                show_secrets=False,
                suppress_outputs=True,
            )
            return messages_of(events, "warning")

    def _refuse_pending(self, stack: Stack) -> None:
        with translated(stack.name, self._options.secrets):
            pending = pending_of(stack)
        if pending:
            what = ", ".join(f"{one.kind} {one.urn}" for one in pending)
            raise RefusedError(
                "infra.pending",
                f"a run in {stack.name} has begun and not ended: {what}",
                f"wait for it if it is alive, else coh reconcile --env {stack.name}",
            )


def _with_parents(environment: str, targets: Sequence[str] | None) -> list[str] | None:
    return None if targets is None else [*targets, *parents_of(environment, targets)]


def _nothing() -> None:
    """Be the program where none is run."""
