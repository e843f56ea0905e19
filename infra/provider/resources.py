"""The provider's resource types as programs write them."""

from __future__ import annotations

import pulumi

from infra.provider import flag, migration


class Flag(pulumi.CustomResource):
    """A feature flag in one environment; its inputs are those of `infra.provider.flag`.

    The inputs go to the provider as they are: it is the provider's Check that judges them, with
    an answer that names the resource and never repeats a value.

    Args:
        name: logical name, unique in the stack.
        project: name of the Flagsmith project.
        environment: name of the Flagsmith environment.
        feature: name of the flag.
        enabled: whether it is on.
        value: what it carries, None for nothing.
        description: what it is for, None to leave it as it is.
        opts: of any resource.
    """

    enabled: pulumi.Output[bool]

    def __init__(  # noqa: PLR0913 - the resource's inputs
        self,
        name: str,
        *,
        project: str,
        environment: str,
        feature: str,
        enabled: bool,
        value: str | None = None,
        description: str | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        inputs = {
            "project": project,
            "environment": environment,
            "feature": feature,
            "enabled": enabled,
            "value": value,
            "description": description,
        }
        super().__init__(flag.TOKEN, name, inputs, opts)


class Migration(pulumi.CustomResource):
    """A migration of the database; its inputs are those of `infra.provider.migration`.

    Args:
        resource_name: logical name, unique in the stack.
        version: number, counted from 1.
        name: words of the file's name.
        sha256: digest of the file's bytes.
        sql: the statements.
        opts: of any resource; the order of migrations is given by `depends_on`.
    """

    version: pulumi.Output[int]

    def __init__(  # noqa: PLR0913 - the resource's inputs
        self,
        resource_name: str,
        *,
        version: int,
        name: str,
        sha256: str,
        sql: str,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        inputs = {"version": version, "name": name, "sha256": sha256, "sql": sql}
        super().__init__(migration.TOKEN, resource_name, inputs, opts)
