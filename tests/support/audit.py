"""Audit entries for tests."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ops_actions.audit.entry import AuditEntry, Phase

_BASE = AuditEntry(
    environment="production",
    actor_sub="auth0|65f0c1a2b3d4e5f601020304",
    actor_login="mara-lind",
    action="flag.enable",
    target="ops_module_webhooks",
    risk="guarded",
    phase=Phase.INTENT,
    result="started",
    key="key-0",
    change_id="change-1",
    plan_digest="sha256:" + "a" * 64,
    policy_digest="sha256:" + "b" * 64,
    commit="c" * 40,
    detail={"before": {"enabled": False}, "after": {"enabled": True}},
)


def entry(number: int, **fields: Any) -> AuditEntry:  # noqa: ANN401 - any field of an entry
    """Make an entry with a key of its own and, if given, other fields."""
    return replace(_BASE, **{"key": f"key-{number}", **fields})
