"""Supabase: the schema of the hub's database, one migration after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi

from infra.provider.resources import Migration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.settings.migrations import Migration as MigrationFile

TOKEN = "opshub:components:Supabase"  # noqa: S105 - a type token
NAME = "supabase"


class SupabaseSchema(pulumi.ComponentResource):
    """The schema of one database.

    Args:
        files: migrations in the order they must run.
        opts: of any component.

    Attributes:
        migrations: resources in the same order; each waits for the one before it.
    """

    migrations: tuple[Migration, ...]

    def __init__(
        self, files: Sequence[MigrationFile], opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(TOKEN, NAME, None, opts)
        made: list[Migration] = []
        for file in files:
            after = pulumi.ResourceOptions(parent=self, depends_on=made[-1:])
            made.append(
                Migration(
                    f"{file.version:04d}_{file.name}",
                    version=file.version,
                    name=file.name,
                    sha256=file.sha256,
                    sql=file.sql,
                    opts=after,
                )
            )
        self.migrations = tuple(made)
        self.register_outputs({})
