"""Plans, facts and the real engine for every test that asks the policies."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ops_actions.decision.bundle import policy_digest, read_bundle
from ops_actions.decision.model import (
    AccountKind,
    Facts,
    GateState,
    Person,
    Phase,
    PullRequestFacts,
    RecentActions,
    Review,
)
from ops_actions.plan.model import Change, Kind, Plan, Risk, Verb

if TYPE_CHECKING:
    from ops_actions.canonical import Json

ROOT = Path(__file__).parents[2]
POLICIES = ROOT / "policies"
HEAD = "1" * 40
BASE = "0" * 40
NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
GATE = "ops_gate_deployment_rollback"


def opa() -> Path:
    """The engine that scripts/test names, or the one on PATH; a test without it fails."""
    found = os.environ.get("COH_OPA") or shutil.which("opa")
    assert found, "opa is missing: run scripts/test, which finds or builds it"
    return Path(found)


def person(name: str, *roles: str, kind: AccountKind = AccountKind.USER) -> Person:
    return Person(name, kind, f"auth0|{name}", tuple(sorted(roles)))


TARIQ = person("tariq-noor", "ops_editor")
SOFIA = person("sofia-berg", "ops_editor")
MARA = person("mara-lind", "ops_admin")
LI = person("li-wen", "ops_viewer")


def approval(who: Person) -> Review:
    return Review(who, "APPROVED", HEAD)


def flag_value(*, enabled: bool, reason: str) -> dict[str, Json]:
    return {
        "enabled": enabled,
        "type": "release",
        "owner": "platform",
        "expires": "2027-02-01",
        "reason": reason,
        "ticket": "KAIZEN-412",
        "value": None,
    }


def flag(name: str = "ops_module_webhooks", environment: str = "production") -> Change:
    return Change(
        verb=Verb.UPDATE,
        kind=Kind.FLAG,
        risk=Risk.GUARDED,
        environment=environment,
        target=name,
        path=f"infra/environments/{environment}/flags.yaml",
        before=flag_value(enabled=False, reason="Off until reviewed"),
        after=flag_value(enabled=True, reason="Roll out webhook retries"),
        expected_live={"enabled": False},
        desired_live={"enabled": True},
        summary=f"Switch {name} on",
        inverse=f"Switch {name} off",
        reversible=True,
    )


def rollback() -> Change:
    return Change(
        verb=Verb.ACT,
        kind=Kind.ACTION,
        risk=Risk.DESTRUCTIVE,
        environment="production",
        target="clarivum-web",
        path="ops_actions/requests/production/20261124-rollback-web.yaml",
        before=None,
        after={
            "action": "deployment.rollback",
            "target": "clarivum-web",
            "params": {"to": "dpl_9f2", "expect_current": "dpl_a17"},
            "reason": "Error rate 7 % since 08:40",
            "incident": "INC-88",
            "ticket": None,
            "not_after": "2026-11-24T18:00:00Z",
            "confirm": "clarivum-web",
        },
        expected_live={"deployment": "dpl_a17"},
        desired_live={"deployment": "dpl_9f2"},
        summary="Roll clarivum-web back to dpl_9f2",
        inverse="Roll it back to dpl_a17",
        reversible=True,
        action="deployment.rollback",
        gate=GATE,
    )


def path_change(path: str, kind: Kind) -> Change:
    return Change(
        verb=Verb.UPDATE,
        kind=kind,
        risk=Risk.GUARDED if kind is Kind.GUARDRAIL else Risk.SAFE,
        environment="",
        target=path,
        path=path,
        before=None,
        after=None,
        expected_live=None,
        desired_live=None,
        summary=f"Change {path}",
        inverse="Revert the merge",
        reversible=True,
    )


def plan(*changes: Change) -> Plan:
    ordered = tuple(sorted(changes, key=lambda change: change.sort_key))
    return Plan(BASE, HEAD, policy_digest(read_bundle(POLICIES)), ordered)


def facts(*reviews: Review, author: Person = TARIQ, phase: Phase = Phase.CHECK) -> Facts:
    applying = phase is Phase.APPLY
    environments = ("production", "sandbox", "staging")
    return Facts(
        phase=phase,
        now=NOW,
        pull_request=PullRequestFacts(
            number=7,
            author=author,
            last_pusher=author,
            head=HEAD,
            base_branch="main",
            from_fork=False,
            draft=False,
            merged=applying,
            mergeable=True,
            reviews=reviews,
        ),
        gates={GATE: GateState(declared=True, live=True if applying else None)},
        recent={name: RecentActions(0, 0) for name in environments} if applying else None,
    )


def without_gates(given: Facts) -> Facts:
    """Facts of a plan that names no gate."""
    return replace(given, gates={})


def run_opa(*arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([str(opa()), *arguments], input=given, capture_output=True, check=False)
