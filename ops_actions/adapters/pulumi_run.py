"""What every use of an opened stack needs: events, errors in our own words, unfinished work."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pulumi.automation.errors import CommandError, ConcurrentUpdateError

from ops_actions.adapters.pulumi_errors import LockedError, failed, lock_owners
from ops_actions.adapters.pulumi_steps import messages_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pulumi.automation import Stack
    from pulumi.automation.events import EngineEvent


@dataclass(frozen=True, slots=True)
class Pending:
    """An operation that began and whose end was not written down.

    Attributes:
        kind: the engine's word: creating, updating, deleting, ...
        urn: the resource.
    """

    kind: str
    urn: str

    @property
    def type(self) -> str:
        """Type token of the resource."""
        return self.urn.split("::")[2].rpartition("$")[2]


@contextmanager
def translated(environment: str, secrets: Sequence[str]) -> Iterator[list[EngineEvent]]:
    """Give a list to collect a run's events in, and the run's failure our own words.

    Args:
        environment: name of the stack.
        secrets: texts that must not be shown.

    Raises:
        RefusedError: the stack is locked, or the program or the provider refuses.
        OutsideError: the engine failed.
    """
    events: list[EngineEvent] = []
    try:
        yield events
    except ConcurrentUpdateError as error:
        raise LockedError(environment, lock_owners(error)) from None
    except CommandError as error:
        raise failed(environment, error, messages_of(events, "error"), secrets) from None


def pending_of(stack: Stack) -> tuple[Pending, ...]:
    """Return what was cut off in the middle.

    It asks the engine's program: the SDK's own export holds secrets in plain text.

    Raises:
        CommandError: the engine can't read the state.
    """
    answer = stack.workspace.pulumi_command.run(
        ["stack", "export", "--stack", stack.name],
        stack.workspace.work_dir,
        stack.workspace.env_vars,
    )
    deployment = json.loads(answer.stdout)["deployment"]
    return tuple(
        Pending(str(one["type"]), str(one["resource"]["urn"]))
        for one in deployment.get("pending_operations") or ()
    )
