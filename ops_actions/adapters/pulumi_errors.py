"""Failures of the Pulumi engine in this software's own words, without secrets."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from infra.clients.transport import redact
from infra.provider.migration import OUTSIDE
from ops_actions.adapters.pulumi_steps import PROJECT
from ops_actions.errors import OpsError, OutsideError, RefusedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pulumi.automation.errors import CommandError

_RULE = re.compile(
    r"(?P<code>infra\.[a-z_]+): (?P<fact>[^\n]+?)(; next: (?P<next>[^\n]+))?$", re.MULTILINE
)
_NOISE = ("update failed", "preview failed", "expected resource operations for ")
"""What the engine adds to every failure of an update, whatever the cause."""

_LOCK = re.compile(
    r"created by (?P<user>[^@\s]+)@(?P<host>\S+) \(pid (?P<pid>\d+)\) at (?P<since>\S+)"
)


def cancel_command(environment: str) -> str:
    """Return how a person takes a stack's lock away; outside a project only the full name works."""
    return (
        "with PULUMI_BACKEND_URL set to what COH_PULUMI_BACKEND holds, "
        f"pulumi cancel --stack organization/{PROJECT}/{environment}"
    )


@dataclass(frozen=True, slots=True)
class LockOwner:
    """Who locked a stack, as the lock says.

    Attributes:
        user: name of the account.
        host: name of the machine.
        pid: process on that machine.
        since: RFC 3339 moment.
    """

    user: str
    host: str
    pid: int
    since: str


def lock_owners(error: CommandError) -> tuple[LockOwner, ...]:
    """Return who holds the locks that an engine's refusal speaks of; nobody when it names none."""
    return tuple(
        LockOwner(match["user"], match["host"], int(match["pid"]), match["since"])
        for match in _LOCK.finditer(str(error))
    )


class LockedError(RefusedError):
    """Somebody else is changing the stack, or died doing so.

    Attributes:
        owners: whom the locks name.
    """

    owners: tuple[LockOwner, ...]

    def __init__(self, environment: str, owners: tuple[LockOwner, ...]) -> None:
        by = ", ".join(f"process {one.pid} on {one.host} since {one.since}" for one in owners)
        super().__init__(
            "infra.locked",
            f"the state of {environment} is locked by {by or 'another run'}",
            f"make sure that this run is over; then, {cancel_command(environment)}; "
            f"then coh reconcile --env {environment}",
        )
        self.owners = owners


def failed(
    environment: str, error: CommandError, messages: Sequence[str], secrets: Sequence[str]
) -> OpsError:
    """Return the error for a run that did not end well.

    Args:
        environment: name of the stack.
        error: what the SDK raised.
        messages: error diagnostics of the run.
        secrets: texts that must not be shown.
    """
    said = [one for one in messages if not one.startswith(_NOISE)]
    text = "\n".join(said) or _last_words(str(error))
    match = _RULE.search(text)
    if match is not None:
        step = match["next"] or f"correct the settings, then coh infra preview --env {environment}"
        kind = OutsideError if match["code"] in OUTSIDE else RefusedError
        return kind(match["code"], redact(match["fact"], secrets), redact(step, secrets))
    return OutsideError(
        "infra.engine",
        f"the engine stopped in {environment}: {redact(' | '.join(text.split(chr(10))), secrets)}",
        f"coh infra preview --env {environment} shows what is left to do",
    )


def _last_words(text: str) -> str:
    """Return the last line of a command's error output that says something."""
    lines = [line.strip() for line in text.splitlines() if "error" in line.lower()]
    return lines[-1] if lines else "it gave no reason"
