"""A flag that carries a value is archived to the end, and comes back."""

from __future__ import annotations

import pytest

from infra.clients.flagsmith_models import FlagState
from infra.settings.edit import remove_flag
from ops_actions.wiring.infrastructure import flagsmith
from tests.stories.desk import FLAGS, Desk
from tests.support.hub import ADMIN, PRODUCTION

FLAG = "ops_module_metrics"
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")  # see desk.seated


def live(desk: Desk) -> FlagState:
    client = flagsmith(desk.target, PRODUCTION)
    state = client.flag(FLAG)
    client.close()
    assert state is not None
    return state


def test_it_ends_as_if_it_had_never_been_declared_and_its_revert_brings_it_back(
    desk: Desk,
) -> None:
    declared = desk.read(FLAGS)
    before = live(desk)
    assert before == FlagState(enabled=True, value="30")

    desk.applied(desk.raise_files({FLAGS: remove_flag(declared, FLAG)}), ADMIN)
    assert live(desk) == FlagState(enabled=False)

    desk.applied(desk.raise_files({FLAGS: declared}), ADMIN)
    assert live(desk) == before
