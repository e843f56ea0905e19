"""The Pulumi program: which components, in which order, and what the stack tells the outside.

There are two front doors to it, `infra/__main__.py` for ``pulumi up`` and the Automation API for
this project's own commands. Both call `declare`, so both make the same stack.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi

from infra.components.flagsmith import FlagsmithFlags
from infra.components.supabase import SupabaseSchema

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from infra.settings.environment import EnvironmentSettings
    from infra.settings.migrations import Migration


def program(settings: EnvironmentSettings, migrations: Sequence[Migration]) -> Callable[[], None]:
    """Return the program of one environment, for the Automation API.

    Args:
        settings: what is declared.
        migrations: of the database, in order.
    """
    return lambda: declare(settings, migrations)


def declare(settings: EnvironmentSettings, migrations: Sequence[Migration]) -> None:
    """Declare everything that must exist in one environment.

    The two components don't depend on each other: a flag can be switched, alone, whatever state
    the schema is in.
    """
    schema = SupabaseSchema(migrations)
    flags = FlagsmithFlags(settings.platform.flagsmith, settings.flags.flags)
    pulumi.export("environment", settings.name)
    pulumi.export("schema_version", len(schema.migrations))
    pulumi.export("flags", {name: flag.enabled for name, flag in flags.flags.items()})
