"""The services of an environment and the engine that brings it up."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from infra.clients.flagsmith import FlagsmithClient, flagsmith_client
from infra.program import program
from infra.provider.server import OpshubBackends, serving
from infra.settings.migrations import read_migrations
from ops_actions.adapters.pulumi_engine import PulumiEngine
from ops_actions.adapters.pulumi_session import EngineOptions
from ops_actions.wiring.place import MIGRATIONS

if TYPE_CHECKING:
    from infra.settings.environment import EnvironmentSettings
    from ops_actions.adapters.pulumi_steps import Step
    from ops_actions.adapters.target import Target


def flagsmith(place: Target, environment: str, *, read_only: bool = False) -> FlagsmithClient:
    """Return the Flagsmith client of an environment."""
    return flagsmith_client(
        place.need("COH_FLAGSMITH_URL"),
        place.need("COH_FLAGSMITH_TOKEN"),
        place.need(f"COH_FLAGSMITH_KEY_{environment.upper()}"),
        read_only=read_only,
    )


def pulumi(place: Target, environment: str, client: FlagsmithClient | None = None) -> PulumiEngine:
    """Return the Pulumi engine of an environment's stack.

    Args:
        place: where the outside is.
        environment: whose stack it is.
        client: Flagsmith client of the environment, which the caller closes; one that lives as
            long as the engine when left out.
    """
    url = place.need("COH_DATABASE_URL")
    options = EngineOptions(
        root=Path(place.need("COH_PULUMI")),
        backend_url=place.need("COH_PULUMI_BACKEND"),
        passphrase_file=Path(place.need("COH_PULUMI_PASSPHRASE_FILE")),
        home=Path(place.need("COH_PULUMI_HOME")),
        work_dir=Path(place.need("COH_PULUMI_WORK")),
        stack_files={}
        if place.sandbox
        else {environment: place.root / f"Pulumi.{environment}.yaml"},
        secrets=(url, place.need("COH_FLAGSMITH_TOKEN")),
    )
    backends = OpshubBackends(client or flagsmith(place, environment), url)
    return PulumiEngine(options, program, lambda: serving(backends))


def bring_up(place: Target, settings: EnvironmentSettings) -> tuple[Step, ...]:
    """Make everything that is declared exist, and return what was done."""
    migrations = read_migrations(MIGRATIONS)
    engine = pulumi(place, settings.name)
    steps = engine.preview(settings, migrations)
    engine.up(settings, migrations, None, steps)
    return steps
