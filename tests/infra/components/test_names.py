"""The names that the rest of the project knows resources by are the names they get."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.settings.migrations import read_migrations
from ops_actions.adapters.pulumi_steps import flag_urn, migration_urn, parents_of
from tests.support.pulumi_shim.world import engine_on, flagsmith_world, settings_of

if TYPE_CHECKING:
    from pathlib import Path


def test_flags_and_migrations_have_the_urns_that_are_asked_for(tmp_path: Path) -> None:
    first = read_migrations()[0]
    with flagsmith_world(tmp_path) as world:
        engine = engine_on(world.options(), None, None)
        steps = engine.preview(settings_of({"ops_module_one": True}), read_migrations()[:1])
    resources = {step.urn for step in steps if step.type.startswith("opshub:")}
    wanted = [
        flag_urn("production", "ops_module_one"),
        migration_urn("production", first.version, first.name),
    ]
    assert resources == {*wanted, *parents_of("production", wanted)}
