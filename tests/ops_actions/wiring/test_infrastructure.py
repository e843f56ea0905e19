"""What an environment's engine is given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.clients.transport import redact
from ops_actions.adapters.target import read_target
from ops_actions.wiring.infrastructure import pulumi

if TYPE_CHECKING:
    from pathlib import Path


def test_the_engine_knows_which_texts_are_secret(tmp_path: Path) -> None:
    place = read_target(
        sandbox=False,
        root=tmp_path,
        environment={
            "COH_DATABASE_URL": "postgresql://ops:database%2Dcanary@127.0.0.1:9/ops",
            "COH_FLAGSMITH_KEY_STAGING": "key",
            "COH_FLAGSMITH_TOKEN": "token-canary",
            "COH_FLAGSMITH_URL": "http://127.0.0.1:9",
            "COH_PULUMI": str(tmp_path),
            "COH_PULUMI_BACKEND": "https://states:backend%2Dcanary@127.0.0.1:9",
            "COH_PULUMI_HOME": str(tmp_path),
            "COH_PULUMI_PASSPHRASE_FILE": str(tmp_path / "passphrase"),
            "COH_PULUMI_WORK": str(tmp_path),
        },
    )
    secrets = pulumi(place, "staging")._options.secrets
    said = "backend%2Dcanary backend-canary database%2Dcanary database-canary token-canary"
    assert redact(said, secrets) == " ".join(["[secret]"] * 5)
