"""One apply at a time for each environment.

A lock has two halves. A session-level advisory lock says that its holder is alive: Postgres drops
it when the process dies. The row in `ops_apply_lock` says what was going on, and stays. So a dead
holder's change is resumed, not repeated, and no clock or time-out decides that somebody is dead.
"""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, LiteralString

import psycopg
from psycopg import errors

from ops_actions.adapters.postgres import Database, plain_errors
from ops_actions.errors import RefusedError, UndecidableError

if TYPE_CHECKING:
    from datetime import datetime

    from ops_actions.audit.protocol import Transaction

PATIENCE_SECONDS = 3
"""How long to wait for a holder that is just leaving, before saying that it is there."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a lock.

    Attributes:
        executor: name of this very process, never used again: a run that another process left
            open is not taken up by name, only by whoever gets its lock.
        pid: its process.
        host: the machine the process runs on.
    """

    executor: str
    pid: int
    host: str


@dataclass(frozen=True, slots=True)
class LockState:
    """What the row of an environment says.

    Attributes:
        acquired_at: when the change got it, UTC without zone.
        undecidable: an effect's outcome is unknown, and a human must settle it.
        note: what the human needs to know.
    """

    environment: str
    change_id: str
    holder: Holder
    acquired_at: datetime
    undecidable: bool
    note: str


class ApplyLock:
    """The locks of a database, as one process holds them.

    Args:
        database: where `ops_apply_lock` is.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._guard = threading.Lock()
        self._alive: dict[str, psycopg.Connection] = {}

    def acquire(self, environment: str, change_id: str, holder: Holder) -> bool:
        """Take the lock of an environment for one change.

        Returns:
            True when it was free; False when the same change had it before: its holder died, or
            this process has it already, so what was done must be read back first.

        Raises:
            RefusedError: ``lock.held``, somebody alive has it, or another change is unfinished.
            UndecidableError: ``lock.undecidable``, a human must settle the change that has it.
            OutsideError: the database can't be used.
        """
        with self._guard:
            ours = self._alive.get(environment)
            connection = ours or self._prove_alive(environment)
            try:
                with plain_errors():
                    was_free = _take_row(connection, environment, change_id, holder)
            except BaseException:
                if ours is None:
                    connection.close()
                raise
            self._alive[environment] = connection
        return was_free

    def forget(self, environment: str) -> None:
        """Stop being the living holder after the row was changed by a transaction of the caller."""
        with self._guard:
            connection = self._alive.pop(environment, None)
            if connection is not None:
                connection.close()

    def close(self) -> None:
        """Leave without finishing: others may now resume what this process held."""
        with self._guard:
            while self._alive:
                self._alive.popitem()[1].close()

    def _prove_alive(self, environment: str) -> psycopg.Connection:
        """Take the advisory lock on a connection of its own, which must live as long as the lock.

        Raises:
            RefusedError: ``lock.held``, another process has it.
        """
        connection = self._database.connect()
        try:
            with plain_errors():
                try:
                    connection.execute(_WAIT)
                    connection.execute(_ADVISORY, (_number(environment),))
                except errors.LockNotAvailable:
                    raise _held(environment, _read(connection, environment)) from None
        except BaseException:
            connection.close()
            raise
        return connection


def fence(transaction: Transaction, environment: str, change_id: str, holder: Holder) -> None:
    """Refuse what a process wants to write after it lost the lock without noticing.

    Meant for `AuditLog.append(…, also=…)` of an intent: a worker whose connection broke, and whose
    change somebody else resumed, gets no further.

    Raises:
        RefusedError: ``lock.not_held``.
    """
    params = (environment, change_id, holder.executor, holder.pid, holder.host)
    if transaction.execute(_FENCE, params).rowcount != 1:
        raise _not_held(environment, change_id)


def _take_row(
    connection: psycopg.Connection, environment: str, change_id: str, holder: Holder
) -> bool:
    """Write the row, or check that the row there is the same change's; tell whether it was free."""
    who = (holder.executor, holder.pid, holder.host)
    if connection.execute(_TAKE, (environment, change_id, *who)).rowcount == 1:
        return True
    state = _read(connection, environment)
    if state is not None and state.undecidable:
        raise UndecidableError(
            "lock.undecidable",
            f"change {state.change_id} in {environment} may or may not have happened: {state.note}",
            f"look at the target, then coh reconcile --env {environment}",
        )
    if connection.execute(_RESUME, (*who, environment, change_id)).rowcount != 1:
        raise _held(environment, state)
    return False


def _read(connection: psycopg.Connection, environment: str) -> LockState | None:
    """Read the row of an environment."""
    row = connection.execute(_READ, (environment,)).fetchone()
    if row is None:
        return None
    change_id, executor, pid, host, acquired_at, state, note = row
    return LockState(
        environment=environment,
        change_id=change_id,
        holder=Holder(executor, pid, host),
        acquired_at=acquired_at,
        undecidable=state == "undecidable",
        note=note,
    )


def _number(environment: str) -> int:
    """Give the advisory lock's key: 64 bits that no other use of such locks is likely to have."""
    hashed = hashlib.sha256(f"coh.apply_lock:{environment}".encode()).digest()
    return int.from_bytes(hashed[:8], "big", signed=True)


def _held(environment: str, state: LockState | None) -> RefusedError:
    """Name the holder and its change."""
    who = "another process, which has not written its name yet"
    if state is not None:
        holder = state.holder
        who = (
            f"{holder.executor} (process {holder.pid} on {holder.host}) for change "
            f"{state.change_id} since {state.acquired_at:%Y-%m-%d %H:%M:%S} UTC"
        )
    return RefusedError(
        "lock.held",
        f"{environment} is locked by {who}",
        f"wait until it ends; if its process is gone: coh reconcile --env {environment}",
    )


def _not_held(environment: str, change_id: str) -> RefusedError:
    """Say that a change does not have the lock it should have."""
    return RefusedError(
        "lock.not_held",
        f"change {change_id} does not, or no longer, have the lock of {environment} in that way",
        f"coh reconcile --env {environment} shows who has it and finishes what is open",
    )


_WAIT: LiteralString = f"set lock_timeout = '{PATIENCE_SECONDS}s'"
_ADVISORY: LiteralString = "select pg_advisory_lock(%s)"
_READ: LiteralString = """
    select change_id, holder, pid, host, acquired_at at time zone 'UTC', state, note
    from public.ops_apply_lock where environment = %s"""
_TAKE: LiteralString = """
    insert into public.ops_apply_lock (environment, change_id, holder, pid, host)
    values (%s, %s, %s, %s, %s) on conflict (environment) do nothing"""
_RESUME: LiteralString = """
    update public.ops_apply_lock set holder = %s, pid = %s, host = %s
    where environment = %s and change_id = %s and state = 'held'"""
_FENCE: LiteralString = """
    select from public.ops_apply_lock
    where environment = %s and change_id = %s and holder = %s and pid = %s and host = %s
      and state = 'held' for share"""
