"""What tests of the engine stand on: the real engine, a Flagsmith emulator, small settings."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from infra.clients.flagsmith import FlagsmithClient, flagsmith_client
from infra.program import program
from infra.provider.server import OpshubBackends, serving
from infra.settings.environment import EnvironmentSettings, load_environment, read_from_folder
from infra.settings.flags import Flag, FlagType
from ops_actions.adapters.pulumi_engine import PulumiEngine
from ops_actions.adapters.pulumi_session import EngineOptions
from sandbox.emulator import Fault, FaultSwitch, Store, running
from sandbox.flagsmith.app import create_app
from sandbox.flagsmith.seed import EnvironmentSeed, seed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

ROOT = Path(__file__).resolve().parents[3]
TOKEN = "canary-flagsmith-organisation-key"
PASSPHRASE = "canary-passphrase-of-the-state"
KEYS = {"Production": "envkeyproduction", "Staging": "envkeystaging"}


def engine_root() -> Path:
    """Return the folder that holds the real engine; without one, tests fail and say so."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    places = [
        *([Path(os.environ["COH_PULUMI"])] if os.environ.get("COH_PULUMI") else []),
        *sorted((cache / "clarivum-ops" / "engines").glob("pulumi-*"), reverse=True),
    ]
    for place in places:
        if (place / "bin" / "pulumi").is_file():
            return place
    raise AssertionError("there is no Pulumi engine; run scripts/setup --tests")


@dataclass(frozen=True)
class World:
    """A running Flagsmith and a folder for everything else."""

    folder: Path
    url: str
    faults: FaultSwitch
    store: Store
    client: FlagsmithClient

    def options(self) -> EngineOptions:
        (self.folder / "state").mkdir(exist_ok=True)
        (self.folder / "passphrase").write_text(PASSPHRASE, encoding="utf-8")
        return EngineOptions(
            root=engine_root(),
            backend_url=(self.folder / "state").as_uri(),
            passphrase_file=self.folder / "passphrase",
            home=self.folder / "home",
            work_dir=self.folder / "work",
            stack_files={},
            secrets=(TOKEN,),
        )

    def engine(self, database_url: str | None = None) -> PulumiEngine:
        return engine_on(self.options(), self.client, database_url)

    def seen(self, at_least: int) -> int:
        """Count the requests; an emulator writes one down a moment after its answer is out."""
        return requests_seen(self.faults, at_least)

    def writes(self) -> list[tuple[str, str]]:
        """Give method and path of the writes since the last call of `faults.forget`."""
        return [
            (one["method"], one["path"])
            for one in self.faults.recorded()
            if one["method"] not in {"GET", "HEAD"}
        ]

    def arm(self, **fault: object) -> None:
        self.faults.arm(Fault.model_validate(fault))


def engine_on(
    options: EngineOptions, client: FlagsmithClient | None, database_url: str | None
) -> PulumiEngine:
    return PulumiEngine(options, program, lambda: serving(OpshubBackends(client, database_url)))


def requests_seen(faults: FaultSwitch, at_least: int) -> int:
    deadline = time.monotonic() + 10
    while len(faults.recorded()) < at_least and time.monotonic() < deadline:
        time.sleep(0.005)
    return len(faults.recorded())


@contextmanager
def flagsmith_world(folder: Path, *, v2: bool = False) -> Iterator[World]:
    """Run a Flagsmith emulator with the hub's project and two empty environments."""
    store = Store(folder / "flagsmith.sqlite")
    seed(
        store,
        organisation="Clarivum",
        project="Clarivum Operations Hub",
        environments={name: EnvironmentSeed(key, v2=v2) for name, key in KEYS.items()},
        token=TOKEN,
    )
    app = create_app(store, clock=lambda: datetime.now(UTC), sandbox_key="k")
    with running({"flagsmith": app}) as urls:
        client = flagsmith_client(urls["flagsmith"], TOKEN, KEYS["Production"])
        try:
            yield World(folder, urls["flagsmith"], app.state.faults, store, client)
        finally:
            client.close()
            app.state.faults.clear()
    store.close()
    assert app.state.contract_log.of("answer", "unknown") == []


def settings_of(flags: Mapping[str, bool | Flag]) -> EnvironmentSettings:
    """Return the real production settings with other flags."""
    real = load_environment("production", read_from_folder(ROOT))
    made = {
        name: one
        if isinstance(one, Flag)
        else Flag(enabled=one, type=FlagType.RELEASE, reason="A test")
        for name, one in flags.items()
    }
    return replace(real, flags=real.flags.model_copy(update={"flags": made}))


def apply_all(
    engine: PulumiEngine, settings: EnvironmentSettings, migrations: Sequence[object] = ()
) -> None:
    """Bring a stack to what is declared."""
    steps = engine.preview(settings, migrations)  # type: ignore[arg-type] # empty in most tests
    engine.up(settings, migrations, None, steps)  # type: ignore[arg-type]
