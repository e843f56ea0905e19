"""Flagsmith: every declared flag of one environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi

from infra.provider.resources import Flag

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infra.settings.flags import Flag as DeclaredFlag
    from infra.settings.platform import Flagsmith

TOKEN = "opshub:components:Flagsmith"  # noqa: S105 - a type token
NAME = "flagsmith"


class FlagsmithFlags(pulumi.ComponentResource):
    """The flags of one environment.

    Args:
        where: project and environment in Flagsmith.
        declared: flags by name.
        opts: of any component.

    Attributes:
        flags: resources by name of the flag.
    """

    flags: Mapping[str, Flag]

    def __init__(
        self,
        where: Flagsmith,
        declared: Mapping[str, DeclaredFlag],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(TOKEN, NAME, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        self.flags = {
            name: Flag(
                name,
                project=where.project,
                environment=where.environment,
                feature=name,
                enabled=one.enabled,
                value=one.value,
                description=one.description,
                opts=child,
            )
            for name, one in sorted(declared.items())
        }
        self.register_outputs({})
