"""How far a branch has been applied in an environment; moves by compare and swap only."""

from __future__ import annotations

from typing import TYPE_CHECKING, LiteralString

from ops_actions.errors import RefusedError

if TYPE_CHECKING:
    from ops_actions.adapters.postgres import Database
    from ops_actions.audit.protocol import Transaction


class ApplyCursor:
    """The cursors of a database.

    Args:
        database: where `ops_apply_cursor` is.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, environment: str, branch: str) -> str | None:
        """Return the last applied commit (40 hex digits), None when nothing was ever applied."""
        with self._database.connection() as connection:
            row = connection.execute(_READ, (environment, branch)).fetchone()
        return None if row is None else str(row[0])

    def advance(self, environment: str, branch: str, before: str | None, after: str) -> None:
        """Move one cursor in a transaction of its own; see `advance`."""
        with self._database.connection() as connection, connection.transaction():
            advance(connection, environment, branch, before, after)


def advance(
    transaction: Transaction, environment: str, branch: str, before: str | None, after: str
) -> None:
    """Move a cursor from the commit the caller started at to the commit it finished.

    Args:
        transaction: open transaction, such as the one that holds the last outcome's entry.
        environment: where the commit was applied.
        branch: branch it is on.
        before: commit the cursor must stand on, None when there must be no cursor yet.
        after: commit that is now applied, 40 hex digits.

    Raises:
        RefusedError: ``cursor.moved``, it stands somewhere else: another run was faster.
    """
    if before is None:
        moved = transaction.execute(_START, (environment, branch, after)).rowcount
    else:
        moved = transaction.execute(_MOVE, (after, environment, branch, before)).rowcount
    if moved != 1:
        raise RefusedError(
            "cursor.moved",
            f"{branch} in {environment} does not stand at {before or 'its beginning'} any more",
            "coh apply --commit COMMIT starts again from where it stands",
        )


_READ: LiteralString = """
    select last_applied from public.ops_apply_cursor where environment = %s and branch = %s"""
_START: LiteralString = """
    insert into public.ops_apply_cursor (environment, branch, last_applied)
    values (%s, %s, %s) on conflict (environment, branch) do nothing"""
_MOVE: LiteralString = """
    update public.ops_apply_cursor set last_applied = %s, updated_at = clock_timestamp()
    where environment = %s and branch = %s and last_applied = %s"""
