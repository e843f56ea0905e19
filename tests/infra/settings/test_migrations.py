from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from infra.settings.errors import SettingsError
from infra.settings.migrations import read_migrations

if TYPE_CHECKING:
    from pathlib import Path


def _write(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).write_text(f"select '{name}';")


def test_the_hub_s_own_migrations_are_contiguous() -> None:
    migrations = read_migrations()
    assert [m.version for m in migrations] == list(range(1, len(migrations) + 1))
    assert [m.name for m in migrations][:3] == ["roles_and_auth", "ops_audit", "ops_audit_append"]


def test_files_come_in_order_with_their_digest(tmp_path: Path) -> None:
    _write(tmp_path, "0002_two.sql", "0001_one.sql")
    one, two = read_migrations(tmp_path)
    assert (one.version, one.name, two.version, two.name) == (1, "one", 2, "two")
    assert one.sha256 == hashlib.sha256(one.sql.encode()).hexdigest()


@pytest.mark.parametrize(
    ("names", "what"),
    [
        ((), "no migration"),
        (("0002_two.sql",), "migration 2 comes where 1 belongs"),
        (("0001_one.sql", "0003_three.sql"), "migration 3 comes where 2 belongs"),
        (("0001_one.sql", "0001_uno.sql"), "migration 1 comes where 2 belongs"),
        (("0001_one.sql", "readme.md"), "not a migration file"),
        (("1_one.sql",), "not a migration file"),
        (("0001_One.sql",), "not a migration file"),
    ],
)
def test_a_folder_with_holes_or_strangers_is_refused(
    tmp_path: Path, names: tuple[str, ...], what: str
) -> None:
    _write(tmp_path, *names)
    with pytest.raises(SettingsError, match=what):
        read_migrations(tmp_path)


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no migration"):
        read_migrations(tmp_path / "nowhere")


def test_the_line_that_is_not_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "0001_one.sql").write_bytes(b"select 1;\nselect '\xff';")
    with pytest.raises(SettingsError, match=r"0001_one\.sql:2"):
        read_migrations(tmp_path)


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "0001_one.sql").write_text(" \n")
    with pytest.raises(SettingsError, match="empty"):
        read_migrations(tmp_path)
