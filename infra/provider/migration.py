"""The resource ``opshub:supabase:Migration``: one numbered migration of the database.

What has run is written down in `public.ops_schema_migration`, in the transaction that ran it. A
migration that ran never changes and is never taken back; what is wrong is put right by a new one.
"""

from __future__ import annotations

import hashlib
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import psycopg
from pydantic import Field

from infra.provider.handler import HandlerError, Inputs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TOKEN = "opshub:supabase:Migration"  # noqa: S105 - a type token

LOCK_HELD = "infra.database_locked"
TOO_SLOW = "infra.database_slow"
OUTSIDE = frozenset({LOCK_HELD, TOO_SLOW})
"""Codes that blame the database; what is declared is right, and a later try may succeed."""

# PostgREST shows every table of `public` that a role may read: this one it must not.
_LEDGER = """
create table if not exists public.ops_schema_migration (
  version integer primary key check (version > 0),
  name text not null,
  sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
  applied_at timestamptz not null default clock_timestamp()
);
alter table public.ops_schema_migration enable row level security;
revoke all on public.ops_schema_migration from public;
"""
_LOCK = 0x636F685F6D69  # the letters coh_mi; one migration at a time in a database
LOCK_SECONDS = 30
"""How long a statement may wait for what somebody else holds."""

STATEMENT_SECONDS = 600
"""How long a statement may run; building an index over a large table takes minutes."""

_OWN_TRANSACTION = re.compile(
    r"^\s*(commit|rollback|start\s+transaction|begin(\s+(work|transaction))?)\s*;",
    re.IGNORECASE | re.MULTILINE,
)


_WRONG_DIGEST = HandlerError(
    "infra.migration_digest",
    "sha256 is not the digest of sql",
    "give the digest of the file's bytes",
)


class MigrationInputs(Inputs):
    """What is said of a migration.

    Attributes:
        version: number, counted from 1 without gaps.
        name: words of the file's name.
        sha256: 64 hex digits over the file's bytes.
        sql: the statements; they run in one transaction.
    """

    version: Annotated[int, Field(ge=1)]
    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    sql: Annotated[str, Field(min_length=1)]

    @property
    def title(self) -> str:
        """The file's name without its ending."""
        return f"{self.version:04d}_{self.name}"


class MigrationHandler:
    """Migrations of one database.

    Args:
        database_url: libpq address; None when the provider was started without access.
        lock_seconds: longest wait for a lock.
        statement_seconds: longest run of one statement.
    """

    token = TOKEN
    model = MigrationInputs
    replacing: frozenset[str] = frozenset()

    def __init__(
        self,
        database_url: str | None,
        *,
        lock_seconds: int = LOCK_SECONDS,
        statement_seconds: int = STATEMENT_SECONDS,
    ) -> None:
        self._url = database_url
        self._lock_seconds = lock_seconds
        self._statement_seconds = statement_seconds

    def identify(self, inputs: MigrationInputs) -> str:
        """Return the number, which a database has once."""
        return str(inputs.version)

    def objections(
        self, old: MigrationInputs | None, new: MigrationInputs
    ) -> tuple[tuple[str, HandlerError], ...]:
        """Object to an edit of what ran, to a wrong digest, and to transactions of its own."""
        if hashlib.sha256(new.sql.encode("utf-8")).hexdigest() != new.sha256:
            return (("sha256", _WRONG_DIGEST),)
        if _OWN_TRANSACTION.search(new.sql):
            return (("sql", _own_transaction(new.title)),)
        if old is not None and old.model_dump() != new.model_dump():
            return (("sha256", _edited(old.title)),)
        return ()

    def create(self, inputs: MigrationInputs) -> None:
        """Run the migration and write it down, or find it written down."""
        with self._connect() as connection:
            connection.execute("select pg_advisory_xact_lock(%s)", (_LOCK,))
            connection.execute(_LEDGER)
            row = _row(connection, inputs.version)
            if row is not None:
                if row != (inputs.name, inputs.sha256):
                    raise _edited(f"{inputs.version:04d}_{row[0]}")
                return
            last = connection.execute(
                "select coalesce(max(version), 0) from public.ops_schema_migration"
            ).fetchone()
            if last is None or last[0] != inputs.version - 1:
                raise HandlerError(
                    "infra.migration_gap",
                    f"{inputs.title} can't run on a database that stands at {last and last[0]}",
                    f"run what is missing up to {inputs.version - 1}, or renumber the file",
                )
            connection.execute(inputs.sql.encode("utf-8"))
            connection.execute(
                "insert into public.ops_schema_migration (version, name, sha256)"
                " values (%s, %s, %s)",
                (inputs.version, inputs.name, inputs.sha256),
            )

    def read(self, resource_id: str, managed: MigrationInputs | None) -> MigrationInputs | None:
        """Return the migration as the database has it written down."""
        with self._connect() as connection:
            known = connection.execute(
                "select to_regclass('public.ops_schema_migration') is not null"
            ).fetchone()
            if known != (True,):
                return None
            row = _row(connection, int(resource_id))
        if row is None:
            return None
        # The database keeps the digest, not the statements.
        same = managed is not None and managed.sha256 == row[1]
        sql = managed.sql if managed is not None and same else "-- not kept"
        return MigrationInputs(version=int(resource_id), name=row[0], sha256=row[1], sql=sql)

    def update(self, old: MigrationInputs, new: MigrationInputs) -> None:
        """Refuse: what ran stays as it ran."""
        del new
        raise _edited(old.title)

    def delete(self, inputs: MigrationInputs, note: Callable[[str], None]) -> None:
        """Refuse: there is no way back that would not lose data."""
        del note
        raise HandlerError(
            "infra.migration_removed",
            f"{inputs.title} has run and can't be taken back",
            "put its file back and write a new migration that undoes it",
        )

    @contextmanager
    def _connect(self) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
        """Open a connection whose block is one transaction, with an end to every wait."""
        if self._url is None:
            raise HandlerError(
                "infra.database_missing",
                "there is no access to the database",
                "set COH_DATABASE_URL",
            )
        try:
            with psycopg.connect(
                self._url, application_name="clarivum-ops migrations", connect_timeout=10
            ) as connection:
                # Not as start-up options: poolers refuse those.
                connection.execute(
                    f"set local lock_timeout = '{self._lock_seconds}s';"
                    f" set local statement_timeout = '{self._statement_seconds}s'"
                )
                yield connection
        except psycopg.errors.LockNotAvailable:
            raise HandlerError(
                LOCK_HELD,
                f"the database kept a migration waiting for a lock for {self._lock_seconds} s, "
                "so it was rolled back",
                "see in pg_stat_activity who holds it, let that end, then coh infra up",
            ) from None
        except psycopg.errors.QueryCanceled:
            raise HandlerError(
                TOO_SLOW,
                "the database ended a statement of a migration, which may run for "
                f"{self._statement_seconds} s, so the migration was rolled back",
                "see in pg_stat_activity what makes it slow, then coh infra up",
            ) from None


def _row(
    connection: psycopg.Connection[tuple[object, ...]], version: int
) -> tuple[str, str] | None:
    found = connection.execute(
        "select name, sha256 from public.ops_schema_migration where version = %s", (version,)
    ).fetchone()
    return None if found is None else (str(found[0]), str(found[1]))


def _edited(title: str) -> HandlerError:
    return HandlerError(
        "infra.migration_edited",
        f"{title} has run and was edited afterwards",
        "put it back as it was and write a new migration with the next number",
    )


def _own_transaction(title: str) -> HandlerError:
    return HandlerError(
        "infra.migration_transaction",
        f"{title} begins or ends a transaction of its own",
        "leave that out, the whole file runs in one transaction",
    )
