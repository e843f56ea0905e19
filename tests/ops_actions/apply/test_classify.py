from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ops_actions.apply.classify import Standing, classify
from tests.ops_actions.apply.simulator import OFF, ON, flag_change

if TYPE_CHECKING:
    from ops_actions.canonical import Json


@pytest.mark.parametrize(
    ("live", "standing"),
    [
        (ON, Standing.DONE),
        ({"value": None, "enabled": True}, Standing.DONE),
        (OFF, Standing.NOT_DONE),
        (None, Standing.UNDECIDABLE),
        ({"enabled": True}, Standing.UNDECIDABLE),
        ({"enabled": 1, "value": None}, Standing.UNDECIDABLE),
        ({"enabled": True, "value": None, "more": 1}, Standing.UNDECIDABLE),
    ],
)
def test_only_the_two_known_states_are_decided(live: Json, standing: Standing) -> None:
    assert classify(flag_change("a"), live) is standing


def test_a_change_that_changes_nothing_outside_is_done() -> None:
    assert classify(flag_change("a", None, None), None) is Standing.DONE
    assert classify(flag_change("a", ON, ON), ON) is Standing.DONE
