"""The record book in Postgres: table `ops_audit`, written through `ops_audit_append`."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, Any, LiteralString

import psycopg
from psycopg import Copy, errors

from ops_actions.adapters.postgres import Database, plain_errors
from ops_actions.audit.chain import Head, Record
from ops_actions.audit.protocol import Snapshot, Transaction
from ops_actions.errors import OutsideError, RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from ops_actions.audit.entry import AuditEntry

# One text with a line for each body: JSON has no raw line feed, and the driver would have to look
# at each character of an array.
_APPEND: LiteralString = "select public.ops_audit_append(string_to_array(%s, e'\\n'))"

_FIELDS: LiteralString = """
    seq, to_char(recorded_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), prev_hash, hash,
    body,
    public.ops_audit_opening(action, actor_login, actor_sub, audience, change_id, commit_sha),
    public.ops_audit_closing(environment, idempotency_key, on_behalf_of, phase, plan_digest,
      policy_digest, result, risk, target)"""

_STREAM: LiteralString = (
    f"copy (select {_FIELDS} from public.ops_audit where seq > %s order by seq) to stdout"  # noqa: S608 - constants
)
_TAIL: LiteralString = f"""
    select {_FIELDS} from public.ops_audit
    where environment = coalesce(%s, environment) order by seq desc limit %s"""  # noqa: S608 - constants

_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}

# One snapshot for head and entries; the order comes from the primary key, not from a sort on disk.
_SNAPSHOT: LiteralString = """
    begin isolation level repeatable read read only;
    set local statement_timeout = 0;
    set local idle_in_transaction_session_timeout = 0;
    set local enable_sort = off;
    set local jit = off"""

# An intent counts from the moment it is written; its outcome is the same action.
_COUNT: LiteralString = """
    select count(distinct (coalesce(change_id, idempotency_key), action, target))
    from public.ops_audit
    where risk = 'destructive' and phase in ('intent', 'outcome')
      and environment = %s and recorded_at >= %s and actor_sub = coalesce(%s, actor_sub)"""


class PostgresAudit:
    """An `AuditLog` in Postgres.

    Args:
        database: where the table is.
        read_only: refuse every append before anything is sent; for checks and dry runs.
    """

    def __init__(self, database: Database, *, read_only: bool = False) -> None:
        self._database = database
        self._read_only = read_only

    def append(
        self,
        entries: Sequence[AuditEntry],
        *,
        also: Callable[[Transaction], None] | None = None,
    ) -> tuple[int, ...]:
        """Record entries in one transaction; see `AuditLog.append`."""
        if self._read_only:
            raise RefusedError(
                "audit.read_only",
                "this command only looks, so it must not write an audit entry",
                "coh apply writes entries; a check or a dry run never does",
            )
        bodies = [entry.body() for entry in entries]
        with self._database.connection() as connection:
            if also is None:  # one statement is its own transaction, and saves two round trips
                return _append(connection, bodies)
            with connection.transaction():
                numbers = _append(connection, bodies)
                also(connection)
            return numbers

    def tail(self, count: int, environment: str | None = None) -> tuple[Record, ...]:
        """Return the newest entries, oldest first; see `AuditLog.tail`."""
        with self._database.connection() as connection:
            rows = connection.execute(_TAIL, (environment, count)).fetchall()
        return tuple(map(Record._make, reversed(rows)))

    @contextlib.contextmanager
    def stream(self, after: int = 0) -> Iterator[Snapshot]:
        """Open a snapshot whose records are read as they are asked for; see `AuditLog.stream`.

        Raises:
            OutsideError: ``audit.head_missing``, the row that says where the log ends is gone.
        """
        connection = self._database.connect()  # its own: a reader may stop half-way
        try:
            with plain_errors():
                connection.execute(_SNAPSHOT)
                row = connection.execute("select seq, hash from public.ops_audit_head").fetchone()
                if row is None:
                    raise OutsideError(
                        "audit.head_missing",
                        "ops_audit_head has no row, so nobody can say where the log ends",
                        "coh audit verify against the last backup",
                    )
                with connection.cursor().copy(_STREAM, (after,)) as copy:
                    yield Snapshot(Head(*row), _records(copy))
        finally:
            connection.close()

    def count_destructive(self, environment: str, since: datetime, actor: str | None = None) -> int:
        """Count destructive actions that were begun or done, each once.

        Args:
            environment: where.
            since: from this moment on, aware.
            actor: Auth0 subject of the person, None for everybody.
        """
        with self._database.connection() as connection:
            row = connection.execute(_COUNT, (environment, since, actor)).fetchone()
        if row is None:
            raise _no_answer("a count")
        return int(row[0])


def _append(connection: psycopg.Connection, bodies: list[str]) -> tuple[int, ...]:
    """Call the append function; the database hashes, numbers and stores."""
    try:
        row = connection.execute(_APPEND, ("\n".join(bodies),)).fetchone()
    except errors.UniqueViolation:
        raise RefusedError(
            "audit.key_reused",
            "an audit entry with this idempotency key is recorded and says something else",
            "coh audit tail shows it; a new fact needs a key of its own",
        ) from None
    if row is None:
        raise _no_answer("an append")
    return tuple(row[0])


def _records(copy: Copy) -> Iterator[Record]:
    """Read the lines of COPY's text format, one message a line, as Postgres sends them."""
    make = Record._make
    for line in copy:
        text = str(line, "utf-8")
        fields: list[Any] = text[:-1].split("\t")
        if "\\" in text:
            fields = [_ESCAPED.sub(_unescape, field) for field in fields]
        fields[0] = int(fields[0])
        yield make(fields)


def _unescape(match: re.Match[str]) -> str:
    """Give the character that COPY's text format wrote as a backslash and a letter."""
    return _ESCAPES.get(match[1], match[1])


def _no_answer(what: str) -> OutsideError:
    """Say that Postgres gave no row where there always is one."""
    return OutsideError("audit.no_answer", f"Postgres gave no answer to {what}", "coh doctor")
