"""The record book in Postgres: table `ops_audit`, written through `ops_audit_append`."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, Any, LiteralString

import psycopg
from psycopg import Copy, errors

from ops_actions.adapters.postgres import Database, plain_errors
from ops_actions.audit.chain import INCOMPARABLE, Head, Record
from ops_actions.audit.protocol import Snapshot, Transaction
from ops_actions.errors import OutsideError, RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from ops_actions.audit.entry import AuditEntry

# One text with a line for each body: JSON has no raw line feed, and the driver would have to look
# at each character of an array.
_APPEND: LiteralString = "select public.ops_audit_append(string_to_array(%s, e'\\n'))"

# What the columns say, written here once more and not asked of ops_audit_opening and
# ops_audit_closing: whoever edits columns could also replace those functions.
_OPENING: LiteralString = """
    '{"action":"' || action
      || '","actor_login":' || coalesce('"' || actor_login || '"', 'null')
      || ',"actor_sub":"' || actor_sub
      || '","audience":"' || audience
      || '","change_id":' || coalesce('"' || change_id || '"', 'null')
      || ',"commit_sha":' || coalesce('"' || commit_sha || '"', 'null')
      || ',"detail":'"""
_CLOSING: LiteralString = """
    ',"environment":"' || environment
      || '","idempotency_key":' || to_json(idempotency_key)::text
      || ',"on_behalf_of":' || coalesce('"' || on_behalf_of || '"', 'null')
      || ',"phase":"' || phase
      || '","plan_digest":' || coalesce('"' || plan_digest || '"', 'null')
      || ',"policy_digest":' || coalesce('"' || policy_digest || '"', 'null')
      || ',"result":' || to_json(result)::text
      || ',"risk":"' || risk
      || '","schema":"coh.audit/1","target":' || to_json(target)::text || '}'"""

# The form of a time does not show BC, so what is older than any log has none.
_FIELDS: LiteralString = f"""
    seq,
    case when recorded_at > 'epoch' then
      to_char(recorded_at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') end,
    prev_hash, hash, body, {_OPENING}, {_CLOSING}"""

# No condition: an entry whose number is below 1 or none at all is read as well.
_STREAM: LiteralString = f"copy (select {_FIELDS} from public.ops_audit order by seq) to stdout"  # noqa: S608 - constants
_TAIL: LiteralString = f"""
    select {_FIELDS} from public.ops_audit
    where %s::text is null or environment = %s order by seq desc limit %s"""  # noqa: S608 - constants

_NULL = r"\N"
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}

# Times in UTC; functions and operators are Postgres' own, whatever search path the database has.
_READING: LiteralString = "set local timezone = 'UTC'; set local search_path = pg_catalog"

# One snapshot for head and entries; the order comes from the primary key, not from a sort on disk.
_SNAPSHOT: LiteralString = f"""
    begin isolation level repeatable read read only;
    {_READING};
    set local statement_timeout = 0;
    set local idle_in_transaction_session_timeout = 0;
    set local enable_sort = off;
    set local jit = off"""

# An intent counts from the moment it is written; its outcome is the same action.
_COUNT: LiteralString = """
    select count(distinct (coalesce(change_id, idempotency_key), action, target))
    from public.ops_audit
    where risk = 'destructive' and phase in ('intent', 'outcome')
      and environment = %(environment)s and recorded_at >= %(since)s
      and actor_sub = coalesce(%(actor)s, actor_sub)
      and (%(besides)s::text = '' or change_id is distinct from %(besides)s::text)"""


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
        with self._database.connection() as connection, connection.transaction():
            connection.execute(_READING)
            rows = connection.execute(_TAIL, (environment, environment, count)).fetchall()
        return tuple(map(_record, reversed(rows)))

    def head(self) -> Head | None:
        """Return where the log says that it ends; see `AuditLog.head`."""
        with self._database.connection() as connection:
            return _head(connection)

    @contextlib.contextmanager
    def stream(self) -> Iterator[Snapshot]:
        """Open a snapshot whose records are read as they are asked for; see `AuditLog.stream`."""
        connection = self._database.connect()  # its own: a reader may stop half-way
        try:
            with plain_errors():
                connection.execute(_SNAPSHOT)
                head = _head(connection)
                with connection.cursor().copy(_STREAM) as copy:
                    yield Snapshot(head, _records(copy))
        finally:
            connection.close()

    def count_destructive(
        self, environment: str, since: datetime, actor: str | None = None, *, besides: str = ""
    ) -> int:
        """Count destructive actions that were begun or done, each once.

        Args:
            environment: where.
            since: from this moment on, aware.
            actor: Auth0 subject of the person, None for everybody.
            besides: id of a change that does not count, such as the one that asks; empty for none.
        """
        wanted = {"environment": environment, "since": since, "actor": actor, "besides": besides}
        with self._database.connection() as connection:
            row = connection.execute(_COUNT, wanted).fetchone()
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


def _head(connection: psycopg.Connection) -> Head | None:
    """Read the recorded end; none, two or half of one say nothing."""
    rows = connection.execute("select seq, hash from public.ops_audit_head").fetchall()
    return Head(*rows[0]) if len(rows) == 1 and None not in rows[0] else None


def _records(copy: Copy) -> Iterator[Record]:
    """Read the lines of COPY's text format, one message a line, as Postgres sends them."""
    make = Record._make
    for line in copy:
        text = str(line, "utf-8")
        fields: list[Any] = text[:-1].split("\t")
        if "\\" in text:
            fields = [None if field == _NULL else _unescaped(field) for field in fields]
            if None in fields:
                yield _record(fields)
                continue
        fields[0] = int(fields[0])
        yield make(fields)


def _record(fields: Sequence[Any]) -> Record:
    """Make a record of a row; with a NULL in it, its columns count as not comparable."""
    seq, *texts = (INCOMPARABLE if field is None else field for field in fields)
    record = Record(0 if seq == INCOMPARABLE else int(seq), *texts)
    return record._replace(opening=INCOMPARABLE) if INCOMPARABLE in texts else record


def _unescaped(field: str) -> str:
    """Give a field as it is stored."""
    return _ESCAPED.sub(lambda match: _ESCAPES.get(match[1], match[1]), field)


def _no_answer(what: str) -> OutsideError:
    """Say that Postgres gave no row where there always is one."""
    return OutsideError("audit.no_answer", f"Postgres gave no answer to {what}", "coh doctor")
