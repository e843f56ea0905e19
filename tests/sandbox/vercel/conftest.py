from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.emulator import Store
from sandbox.vercel import DeploymentSeed, ProjectSeed, create_app, seed
from tests.sandbox.emulator.served import CONTROL, KEY, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx
    from starlette.applications import Starlette

TOKEN = "vercel-token"
WEB = ProjectSeed(
    name="clarivum-web",
    id="prj_web",
    current="dpl_3",
    aliases=("clarivum.example",),
    deployments=[
        DeploymentSeed("dpl_1", "sha1", datetime(2026, 11, 1, tzinfo=UTC)),
        DeploymentSeed("dpl_2", "sha2", datetime(2026, 11, 2, tzinfo=UTC)),
        DeploymentSeed("dpl_3", "sha3", datetime(2026, 11, 3, tzinfo=UTC)),
        DeploymentSeed("dpl_4", "sha4", datetime(2026, 11, 4, tzinfo=UTC)),
        DeploymentSeed("dpl_err", "sha5", datetime(2026, 11, 5, tzinfo=UTC), ready_state="ERROR"),
        DeploymentSeed(
            "dpl_run", "sha6", datetime(2026, 11, 6, tzinfo=UTC), ready_state="BUILDING"
        ),
        DeploymentSeed(
            "dpl_pre", "sha7", datetime(2026, 11, 7, tzinfo=UTC), target=None, branch="feature"
        ),
    ],
)


@dataclass(frozen=True)
class Vercel:
    client: httpx.Client
    app: Starlette
    store: Store

    def project(self) -> dict[str, Any]:
        answer = self.client.get("/v9/projects/clarivum-web")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def production(self) -> str:
        current: str = self.project()["targets"]["production"]["id"]
        return current

    def until_done(self) -> list[str]:
        """Poll as a client would; give the statuses seen."""
        seen: list[str] = []
        while not seen or seen[-1] in {"pending", "in-progress"}:
            seen.append(self.project()["lastAliasRequest"]["jobStatus"])
        return seen

    def plan_failure(self) -> None:
        self.client.post("/_sandbox/jobs", json={"fail": True}, headers=CONTROL)


@pytest.fixture
def plan() -> Any:  # noqa: ANN401 - `hobby` or `pro`
    return "pro"


@pytest.fixture
def vercel(tmp_path: Path, plan: Any) -> Iterator[Vercel]:  # noqa: ANN401
    store = Store(tmp_path / "vercel.sqlite")
    seed(store, team="team_1", token=TOKEN, projects=[WEB], plan=plan)
    app = create_app(store, clock=lambda: datetime.now(UTC), sandbox_key=KEY)
    with serving(app, {"Authorization": f"Bearer {TOKEN}"}) as client:
        yield Vercel(client, app, store)
    store.close()
