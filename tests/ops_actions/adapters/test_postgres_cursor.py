from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from ops_actions.adapters.postgres import Database
from ops_actions.adapters.postgres_audit import PostgresAudit
from ops_actions.adapters.postgres_cursor import ApplyCursor, advance
from ops_actions.errors import RefusedError
from tests.support.audit import entry

if TYPE_CHECKING:
    from collections.abc import Iterator

A, B, C = "a" * 40, "b" * 40, "c" * 40


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    yield database
    database.close()


@pytest.fixture
def cursor(database: Database) -> ApplyCursor:
    return ApplyCursor(database)


def test_a_cursor_starts_once_and_moves_on(cursor: ApplyCursor) -> None:
    assert cursor.get("production", "main") is None
    cursor.advance("production", "main", None, A)
    cursor.advance("production", "main", A, B)
    assert cursor.get("production", "main") == B
    assert cursor.get("staging", "main") is None
    assert cursor.get("production", "next") is None


@pytest.mark.parametrize("before", [None, A, C])
def test_an_older_run_can_not_move_it(cursor: ApplyCursor, before: str | None) -> None:
    cursor.advance("production", "main", None, A)
    cursor.advance("production", "main", A, B)
    with pytest.raises(RefusedError) as caught:
        cursor.advance("production", "main", before, C)
    assert caught.value.code == "cursor.moved"
    assert "coh apply --commit" in caught.value.next_step
    assert cursor.get("production", "main") == B


def test_of_two_runs_from_the_same_commit_one_moves_it(cursor: ApplyCursor) -> None:
    cursor.advance("production", "main", None, A)
    results: list[str] = []

    def run(after: str) -> None:
        try:
            cursor.advance("production", "main", A, after)
            results.append("moved")
        except RefusedError as error:
            results.append(error.code)

    threads = [threading.Thread(target=run, args=(after,)) for after in (B, C)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["cursor.moved", "moved"]


def test_it_moves_with_the_last_outcome_or_not_at_all(
    cursor: ApplyCursor, database: Database
) -> None:
    log = PostgresAudit(database)
    log.append([entry(1)], also=lambda t: advance(t, "production", "main", None, A))
    with pytest.raises(RefusedError):
        log.append([entry(2)], also=lambda t: advance(t, "production", "main", B, C))
    assert cursor.get("production", "main") == A
    assert len(log.tail(9)) == 1
