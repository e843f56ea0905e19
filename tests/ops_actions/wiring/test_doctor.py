"""What `coh doctor` says of declared state, which needs no service."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from infra.settings.environment import FOLDER, file_of
from ops_actions.adapters.target import read_target
from ops_actions.wiring.doctor import State, examine
from tests.support.files import ROOT

if TYPE_CHECKING:
    from pathlib import Path


def test_environments_that_share_a_vercel_project_are_found(tmp_path: Path) -> None:
    shutil.copytree(ROOT / FOLDER, tmp_path / FOLDER)
    place = read_target(sandbox=False, root=tmp_path, environment={})
    well = examine(place, "production")[0]
    assert (well.name, well.state) == ("platforms", State.OK)

    file = tmp_path / file_of("staging", "platform")
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("clarivum-web-staging", "clarivum-web"), encoding="utf-8")

    ill = examine(place, "production")[0]
    assert (ill.name, ill.state) == ("platforms", State.FAILED)
    assert ill.fact.startswith(f"{file_of('staging', 'platform')}:5: vercel.project names")
    assert ill.next_step == "write a Vercel project and domains that only staging has"
