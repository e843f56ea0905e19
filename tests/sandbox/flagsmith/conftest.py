from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from sandbox.emulator import Store
from sandbox.flagsmith import EnvironmentSeed, Seeded, create_app, seed
from tests.sandbox.emulator.served import KEY, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx
    from starlette.applications import Starlette

TOKEN = "org-key"
FLAGS = {"ops_module_webhooks": True, "ops_module_billing": False}


@dataclass(frozen=True)
class Flagsmith:
    """A served emulator; environment `production` has v2 versioning, `staging` has not."""

    client: httpx.Client
    app: Starlette
    store: Store
    seeded: Seeded

    @property
    def project(self) -> str:
        return f"/api/v1/projects/{self.seeded.project}"

    def feature(self, name: str) -> int:
        return self.seeded.features[name]

    def versions(self, name: str) -> str:
        environment = self.seeded.environments["production"]
        return f"/api/v1/environments/{environment}/features/{self.feature(name)}/versions/"

    def sdk(self, key: str) -> dict[str, tuple[bool, object]]:
        answer = self.client.get("/api/v1/flags/", headers={"X-Environment-Key": key})
        assert answer.status_code == 200
        return {
            one["feature"]["name"]: (one["enabled"], one["feature_state_value"])
            for one in answer.json()
        }


@pytest.fixture
def flagsmith(tmp_path: Path) -> Iterator[Flagsmith]:
    store = Store(tmp_path / "flagsmith.sqlite")
    seeded = seed(
        store,
        organisation="Clarivum",
        project="ops",
        environments={
            "production": EnvironmentSeed("prod-key", FLAGS, v2=True),
            "staging": EnvironmentSeed("stag-key", {"ops_module_billing": True}),
        },
        token=TOKEN,
    )
    app = create_app(store, clock=lambda: datetime.now(UTC), sandbox_key=KEY)
    with serving(app, {"Authorization": f"Api-Key {TOKEN}"}) as client:
        yield Flagsmith(client, app, store, seeded)
    store.close()
