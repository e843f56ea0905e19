"""Connections to Postgres: a few seconds of patience, errors that say what to do, no password.

The address must lead to Postgres itself or to a pooler in session mode (Supabase: port 5432): the
apply lock rests on session-level advisory locks, which a pooler in transaction mode loses.
"""

from __future__ import annotations

import contextlib
from collections import deque
from typing import TYPE_CHECKING

import psycopg
from psycopg import conninfo, errors

from ops_actions.errors import BadRequestError, OutsideError, RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator

CONNECT_SECONDS = 10
"""How long a connection may take to come up."""

STATEMENT_SECONDS = 60
"""How long a statement may run; streams over the whole log lift it for themselves."""

LOCK_SECONDS = 20
"""How long a statement may wait for a lock, such as the one on the audit head."""

_REASONS = {
    "connection refused": "nothing listens there",
    "no such file or directory": "nothing listens there",
    "timeout expired": f"it did not answer within {CONNECT_SECONDS} s",
    "could not translate host name": "the host name is unknown",
    "name or service not known": "the host name is unknown",
    "authentication failed": "it refused the user or the password",
    "does not exist": "it has no such database or user",
    "too many connections": "it has no connection left",
    "starting up": "it is starting up",
    "ssl": "the TLS handshake failed",
}


def connect(url: str) -> psycopg.Connection:
    """Open a connection in autocommit mode, so that transactions are explicit.

    Args:
        url: ``postgresql://…`` address or ``key=value`` text.

    Raises:
        BadRequestError: ``database.address``, the address can't be read.
        OutsideError: ``database.unreachable``.
    """
    place = _place(url)
    try:
        connection = psycopg.connect(
            url,
            autocommit=True,
            connect_timeout=CONNECT_SECONDS,
            application_name="clarivum-ops",
            # A dead peer is noticed after about a minute instead of two hours.
            keepalives_idle=30,
            keepalives_interval=10,
            keepalives_count=3,
        )
        # Not as start-up options: poolers refuse those.
        connection.execute(
            f"set statement_timeout = '{STATEMENT_SECONDS}s'; set lock_timeout = '{LOCK_SECONDS}s';"
            " set idle_in_transaction_session_timeout = '60s'"
        )
    except psycopg.OperationalError as error:
        raise OutsideError(
            "database.unreachable",
            f"Postgres at {place} can't be used: {_reason(error)}",
            "coh doctor",
        ) from None  # the driver's text may quote the address with its password
    return connection


class Database:
    """One Postgres database, and the connections to it that are open and idle.

    Threads may share it: a connection belongs to one caller at a time. A process makes one
    connection for each thread that works at the same time, and keeps it until `close`.

    Args:
        url: address, see `connect`.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._idle: deque[psycopg.Connection] = deque()

    def connect(self) -> psycopg.Connection:
        """Open a connection that belongs to the caller alone; see `connect` for errors."""
        return connect(self._url)

    @contextlib.contextmanager
    def connection(self) -> Iterator[psycopg.Connection]:
        """Lend a connection for the length of a block.

        Raises:
            OutsideError: ``database.unreachable``, or one that `plain_errors` makes.
            RefusedError: see `plain_errors`.
        """
        connection = self._take()
        try:
            with plain_errors():
                yield connection
        finally:
            idle = psycopg.pq.TransactionStatus.IDLE
            if not connection.closed and connection.info.transaction_status == idle:
                self._idle.append(connection)
            else:
                connection.close()

    def close(self) -> None:
        """Close the idle connections; those that are lent stay with their borrowers."""
        while self._idle:
            self._idle.pop().close()

    def _take(self) -> psycopg.Connection:
        """Take an idle connection, or open one; two threads never get the same."""
        with contextlib.suppress(IndexError):
            return self._idle.pop()
        return self.connect()


@contextlib.contextmanager
def plain_errors() -> Iterator[None]:
    """Turn the driver's errors of a block into ours, without the rows that they quote.

    Raises:
        RefusedError: ``database.forbidden``, this user may not do it.
        OutsideError: ``database.lost``, the connection broke or a time limit ended a statement;
            ``database.not_migrated``, a table or function is missing; ``database.error``, else.
    """
    try:
        yield
    except psycopg.OperationalError as error:
        raise OutsideError(
            "database.lost",
            f"a statement on Postgres got no answer: {_reason(error)}; "
            "whether it was done is not known",
            "run the same command again: it repeats nothing that was done",
        ) from None
    except errors.InsufficientPrivilege:
        raise RefusedError(
            "database.forbidden",
            "Postgres does not let this user do that",
            "coh doctor shows which role the database address must have",
        ) from None
    except (
        errors.UndefinedTable,
        errors.UndefinedFunction,
        errors.UndefinedColumn,
    ) as error:
        raise OutsideError(
            "database.not_migrated",
            f"the database lacks something that a migration brings (SQLSTATE {error.sqlstate})",
            "coh infra up",
        ) from None
    except psycopg.Error as error:
        raise OutsideError(
            "database.error", f"Postgres refused a statement: {_reason(error)}", "coh doctor"
        ) from None


def _place(url: str) -> str:
    """Say where an address leads, without user, password and options."""
    try:
        parts = conninfo.conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        raise BadRequestError(
            "database.address",
            "the database address is not one that Postgres understands",
            "write it as postgresql://USER:PASSWORD@HOST:5432/DATABASE",
        ) from None  # the driver's text quotes the address with its password
    return f"{parts.get('host', 'localhost')}:{parts.get('port', 5432)}/{parts.get('dbname', '')}"


def _reason(error: psycopg.Error) -> str:
    """Say in our words what the driver found; its own text may hold what must not be shown."""
    text = str(error).lower()
    for part, reason in _REASONS.items():
        if part in text:
            return reason
    return f"{type(error).__name__}, SQLSTATE {error.sqlstate or 'none'}"
