"""A flag toggle from pull request to audit log."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.support.hub import PRODUCTION

if TYPE_CHECKING:
    from tests.support.hub import Hub

FLAG = "ops_module_webhooks"


def test_approved_toggle_is_applied_once_and_recorded(hub: Hub) -> None:
    assert hub.flag(PRODUCTION, FLAG) is True
    commit = hub.merged_toggle(FLAG, enabled=False, reason="Retries loop")

    first = hub.quietly("apply", "--commit", commit, "--json")
    again = hub.quietly("apply", "--commit", commit, "--json")

    assert first.code == 0, first.err
    assert [one["status"] for one in first.items("applies")] == ["done"]
    assert again.items("applies") == []
    assert hub.flag(PRODUCTION, FLAG) is False
    assert hub.calls("flagsmith", "PUT", "/featurestates/") == 1
    bodies = [
        json.loads(str(row[0])) for row in hub.rows("select body from ops_audit order by seq")
    ]
    assert [(one["phase"], one["result"]) for one in bodies] == [
        ("intent", "intended"),
        ("outcome", "done"),
    ]
    assert bodies[0]["detail"]["approvers"] == ["sofia-berg"]
    assert hub.quietly("audit", "verify").code == 0
