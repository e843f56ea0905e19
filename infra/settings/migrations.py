"""Database migrations as files: numbered, in order, none missing, each with its digest."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from infra.settings.errors import SettingsError

MIGRATIONS_FOLDER = Path(__file__).resolve().parents[1] / "database" / "migrations"
"""Where the migrations of the Operations Hub's own database are."""

_FILE_NAME = re.compile(r"(?P<version>[0-9]{4})_(?P<name>[a-z][a-z0-9_]*)\.sql", re.ASCII)


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the database's schema.

    Attributes:
        version: number in the file's name, counted from 1 without gaps.
        name: words in the file's name, such as ``ops_audit``.
        sha256: 64 hex digits over the file's bytes; a migration that ran must never change.
        sql: the statements, UTF-8 text.
    """

    version: int
    name: str
    sha256: str
    sql: str


def read_migrations(folder: Path = MIGRATIONS_FOLDER) -> tuple[Migration, ...]:
    """Read all migrations of a folder, in the order they must run.

    Args:
        folder: holds ``NNNN_<name>.sql`` files and nothing else.

    Raises:
        SettingsError: a file name has another form, a number is missing or there twice, a file is
            empty or not UTF-8 text, or there is no migration at all.
    """
    paths = sorted(folder.iterdir()) if folder.is_dir() else []
    if not paths:
        raise SettingsError(folder.name, 1, "there is no migration here", "0001_<name>.sql")
    migrations = sorted((_read(path) for path in paths), key=lambda each: each.version)
    for expected, migration in enumerate(migrations, start=1):
        if migration.version != expected:
            source = f"{migration.version:04d}_{migration.name}.sql"
            what = f"migration {migration.version} comes where {expected} belongs"
            raise SettingsError(source, 1, what, "numbers from 0001 on, each once, none left out")
    return tuple(migrations)


def _read(path: Path) -> Migration:
    """Read one file; a folder, a link to nowhere or another name is refused."""
    match = _FILE_NAME.fullmatch(path.name)
    if match is None or not path.is_file():
        raise SettingsError(
            path.name, 1, "this is not a migration file", "NNNN_lower_case_name.sql"
        )
    data = path.read_bytes()
    try:
        sql = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise SettingsError(path.name, line, "this line is not UTF-8 text", "UTF-8") from error
    if not sql.strip():
        raise SettingsError(path.name, 1, "the migration is empty", "at least one SQL statement")
    return Migration(
        version=int(match["version"]),
        name=match["name"],
        sha256=hashlib.sha256(data).hexdigest(),
        sql=sql,
    )
