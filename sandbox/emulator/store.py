"""Where an emulator keeps its state: JSON documents in a SQLite file that outlives a restart."""

from __future__ import annotations

import json
import sqlite3
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Document = dict[str, Any]
"""One JSON object as the service would show or keep it."""

SCHEMA = """
create table if not exists documents (
    seq integer primary key autoincrement,
    collection text not null,
    key text not null,
    body text not null,
    unique (collection, key)
);
create table if not exists counters (collection text primary key, last integer not null);
"""


class Store:
    """JSON documents by collection and key, atomic and durable.

    Every call is one transaction; `transaction` makes several calls one. A document given out is
    a copy, so changing it changes nothing until it is put back. Safe to share between threads.

    Args:
        path: the SQLite file; made with its folder when it does not exist.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._depth = 0
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        # A killed process loses nothing with WAL and NORMAL; only a power cut could.
        self._database.execute("pragma journal_mode = wal")
        self._database.execute("pragma synchronous = normal")
        self._database.executescript(SCHEMA)

    def close(self) -> None:
        """Close the file; the store must not be used afterwards."""
        with self._lock:
            self._database.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make all calls inside one atomic step; an exception undoes them. Nests."""
        with self._lock:
            if self._depth == 0:
                self._database.execute("begin immediate")
            self._depth += 1
            try:
                yield
            except BaseException:
                self._depth -= 1
                if self._depth == 0:
                    self._database.execute("rollback")
                raise
            self._depth -= 1
            if self._depth == 0:
                self._database.execute("commit")

    def get(self, collection: str, key: str | int) -> Document | None:
        """Return the document, or None when there is none."""
        with self._lock:
            row = self._database.execute(
                "select body from documents where collection = ? and key = ?",
                (collection, str(key)),
            ).fetchone()
        return None if row is None else _decode(row[0])

    def put(self, collection: str, key: str | int, document: Document) -> None:
        """Insert the document or replace it; a replaced one keeps its place in the order."""
        with self.transaction():
            self._database.execute(
                "insert into documents (collection, key, body) values (?, ?, ?)"
                " on conflict (collection, key) do update set body = excluded.body",
                (collection, str(key), json.dumps(document, ensure_ascii=False)),
            )

    def delete(self, collection: str, key: str | int) -> bool:
        """Remove the document; tell whether there was one."""
        with self.transaction():
            cursor = self._database.execute(
                "delete from documents where collection = ? and key = ?", (collection, str(key))
            )
            return cursor.rowcount == 1

    def all(self, collection: str) -> list[Document]:
        """Return the documents of a collection in the order they were first put."""
        with self._lock:
            rows = self._database.execute(
                "select body from documents where collection = ? order by seq", (collection,)
            ).fetchall()
        return [_decode(row[0]) for row in rows]

    def next_id(self, collection: str) -> int:
        """Return 1, 2, 3, ... per collection; a number is never given twice, even after restart."""
        with self.transaction():
            row = self._database.execute(
                "insert into counters (collection, last) values (?, 1)"
                " on conflict (collection) do update set last = last + 1 returning last",
                (collection,),
            ).fetchone()
        return int(row[0])


def _decode(body: str) -> Document:
    document: Document = json.loads(body)
    return document
