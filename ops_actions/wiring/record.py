"""The record book."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ops_actions.adapters.postgres import Database
from ops_actions.adapters.postgres_audit import PostgresAudit

if TYPE_CHECKING:
    from ops_actions.adapters.target import Target


def database(place: Target) -> Database:
    """Return the database of the record book."""
    return Database(place.need("COH_DATABASE_URL"))


def audit_log(place: Target) -> PostgresAudit:
    """Return the record book, to be read only."""
    return PostgresAudit(database(place), read_only=True)
