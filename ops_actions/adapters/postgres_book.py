"""The record book of an apply: audit log, locks, cursor and outbox in one Postgres database."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, LiteralString

from ops_actions.adapters.postgres_audit import PostgresAudit
from ops_actions.adapters.postgres_cursor import ApplyCursor, advance
from ops_actions.adapters.postgres_lock import ApplyLock, Holder, fence
from ops_actions.apply.entries import REPOSITORY
from ops_actions.apply.protocol import Closing, LockState, Message, RunContext
from ops_actions.decision.model import RecentActions

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from ops_actions.adapters.postgres import Database
    from ops_actions.audit.entry import AuditEntry
    from ops_actions.audit.protocol import Transaction

_SCOPE = "all"
_BRANCH = "main"
_ANNOUNCEMENT = "slack"


class PostgresBook:
    """Implements `apply.protocol.Book`.

    Args:
        database: where the tables are.
        holder: who this process is.
    """

    def __init__(self, database: Database, holder: Holder) -> None:
        self._database = database
        self._holder = holder
        self._audit = PostgresAudit(database)
        self._locks = ApplyLock(database)
        self._cursor = ApplyCursor(database)

    def leave(self) -> None:
        """Stop being the living holder of anything; open changes stay for `reconcile`."""
        self._locks.close()

    def record(self, entries: Sequence[AuditEntry], context: RunContext) -> None:
        """Append entries, fenced: a process that lost its lock without noticing gets no further."""
        place = context.environment or REPOSITORY
        self._audit.append(
            entries, also=lambda tx: fence(tx, place, context.change_id, self._holder)
        )

    def close(self, closing: Closing) -> None:
        """End a change in one transaction; doing it twice is doing it once."""
        environment = closing.environment or REPOSITORY

        def also(tx: Transaction) -> None:
            whose = (environment, closing.change_id, self._holder.executor)
            if closing.undecidable is not None:
                left = tx.execute(_MARK, (closing.undecidable, *whose)).rowcount
            else:
                left = tx.execute(_RELEASE, whose).rowcount
            if closing.advance is not None and (left or not closing.holding):
                advance(tx, _SCOPE, _BRANCH, *closing.advance)
            for message in closing.messages:
                payload = json.dumps({"text": message.text})
                tx.execute(_STORE, (_ANNOUNCEMENT, message.key, payload))

        if closing.entries:
            self._audit.append(closing.entries, also=also)
        else:
            with self._database.connection() as connection, connection.transaction():
                also(connection)
        self._locks.forget(environment)

    def attempted(self, change_id: str) -> bool:
        """Tell whether an intent of this change was ever written."""
        with self._database.connection() as connection:
            return connection.execute(_INTENT, (change_id,)).fetchone() is not None

    def refused(self) -> frozenset[str]:
        """Return the changes that were turned down after whatever was intended of them."""
        with self._database.connection() as connection:
            return frozenset(row[0] for row in connection.execute(_REFUSED).fetchall())

    def retriable(self, change_id: str) -> bool:
        """Tell whether a change was refused, and nothing was done or decided about it since."""
        with self._database.connection() as connection:
            return connection.execute(_LAST_WORD, (change_id,)).fetchone() == ("refusal",)

    def cursor(self) -> str | None:
        """Return the last commit of main that was applied or refused for good."""
        return self._cursor.get(_SCOPE, _BRANCH)

    def start_cursor(self, commit: str) -> None:
        """Set the cursor for the first time."""
        self._cursor.advance(_SCOPE, _BRANCH, None, commit)

    def recent(
        self, environment: str, author_sub: str, since: datetime, besides: str
    ) -> RecentActions:
        """Count the destructive actions that were intended since a moment."""
        count = self._audit.count_destructive
        return RecentActions(
            environment=count(environment, since, besides=besides),
            author=count(environment, since, author_sub, besides=besides),
        )

    def take_lock(self, environment: str, change_id: str) -> LockState:
        """Take the lock of an environment for a change."""
        place = environment or REPOSITORY
        self._locks.acquire(place, change_id, self._holder)
        return LockState(environment, change_id, self._holder.executor, "held", "")

    def locks(self) -> tuple[LockState, ...]:
        """Return all locks, by environment."""
        with self._database.connection() as connection:
            rows = connection.execute(_LOCKS).fetchall()
        return tuple(LockState("" if row[0] == REPOSITORY else row[0], *row[1:]) for row in rows)

    def reopen(self, lock: LockState) -> None:
        """Let the same change take its lock again."""
        environment = lock.environment or REPOSITORY
        with self._database.connection() as connection:
            connection.execute(_REOPEN, (environment, lock.change_id))

    def unsent(self) -> tuple[Message, ...]:
        """Return the messages that nobody has been told yet, oldest first."""
        with self._database.connection() as connection:
            rows = connection.execute(_UNSENT, (_ANNOUNCEMENT,)).fetchall()
        return tuple(Message(key, payload["text"]) for key, payload in rows)

    def sent(self, key: str, reference: str) -> None:
        """Note that a message was told, and where."""
        with self._database.connection() as connection:
            connection.execute(_SENT, (reference, key))


_MARK: LiteralString = """
    update public.ops_apply_lock set state = 'undecidable', note = %s
    where environment = %s and change_id = %s and holder = %s"""
_RELEASE: LiteralString = """
    delete from public.ops_apply_lock
    where environment = %s and change_id = %s and holder = %s"""
_REOPEN: LiteralString = """
    update public.ops_apply_lock set state = 'held'
    where environment = %s and change_id = %s and state = 'undecidable'"""
_LOCKS: LiteralString = """
    select environment, change_id, holder, state, note
    from public.ops_apply_lock order by environment"""
_STORE: LiteralString = """
    insert into public.ops_outbox (kind, key, payload) values (%s, %s, %s::jsonb)
    on conflict (key) do nothing"""
_UNSENT: LiteralString = """
    select key, payload from public.ops_outbox
    where kind = %s and posted_at is null order by id limit 100"""
_SENT: LiteralString = """
    update public.ops_outbox set posted_at = clock_timestamp(), message_ref = %s where key = %s"""
_INTENT: LiteralString = """
    select 1 from public.ops_audit where change_id = %s and phase = 'intent' limit 1"""
_REFUSED: LiteralString = """
    select distinct change_id from public.ops_audit as no
    where phase in ('refusal', 'settle') and change_id is not null and not exists (
      select from public.ops_audit as yes where yes.change_id = no.change_id
        and yes.phase = 'intent' and (no.phase = 'settle' or yes.seq > no.seq))"""
_LAST_WORD: LiteralString = """
    select phase from public.ops_audit
    where change_id = %s and phase in ('intent', 'refusal', 'settle') order by seq desc limit 1"""
