"""What kill stories share: processes that die, and what must be true once all is finished."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import httpx

from ops_actions.adapters.postgres import Database
from ops_actions.adapters.postgres_audit import PostgresAudit
from ops_actions.audit.protocol import verify_log
from ops_actions.change.request import ActionRequest, render_request, request_path
from ops_actions.wiring.place import ROOT
from sandbox.emulator import Store
from sandbox.home import BOT, Home
from sandbox.seed import BAD, GOOD
from tests.support.hub import ADMIN, PRODUCTION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.story.stage import Ran
    from tests.support.hub import Hub

STEPS = ("0.intent", "0.perform", "0.outcome", "close")
POINTS = tuple(f"{step}:{when}" for step in STEPS for when in ("begun", "worked", "recorded"))
"""Every durable point of a run with one group of changes, in order."""

GATE = "ops_gate_deployment_rollback"
PROJECT = "clarivum-web"
THIRD = "dpl_c0d"
"""A deployment that nobody asked for."""

LIMITS = "policies/config/limits/data.yaml"


@dataclass(frozen=True, slots=True)
class Effect:
    """How the calls that change something outside are counted."""

    service: str
    method: str
    path: str

    def count(self, hub: Hub) -> int:
        """Return how often the service carried such a call out."""
        return hub.calls(self.service, self.method, self.path)


SWITCHED = Effect("flagsmith", "PUT", "/featurestates/")
ROLLED_BACK = Effect("vercel", "POST", "/rollback/")
TOLD = Effect("slack", "POST", "/chat.postMessage")


def start(hub: Hub, *arguments: str) -> subprocess.Popen[str]:
    """Start Python in the sandbox's environment, as the head of a process group of its own."""
    return subprocess.Popen(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "COH_STATE_DIR": str(hub.folder),
            "COH_SANDBOX": "1",
            "COH_GITHUB_TOKEN": hub.running.tokens[BOT],
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def kill_after(hub: Hub, seconds: float, *arguments: str, whole_machine: bool) -> bool:
    """Kill a command after some time; tell whether it was still running.

    Args:
        hub: where it runs.
        seconds: when, from its start.
        arguments: of Python.
        whole_machine: kill the engines that it started too; else they are left behind.
    """
    process = start(hub, *arguments)
    try:
        process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        if whole_machine:
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
        process.communicate()
    return process.returncode == -signal.SIGKILL


def crash(hub: Hub, commit: str, point: str) -> Ran:
    """Apply, or with ``-`` reconcile, and die at a point, which must be reached."""
    died = hub.python("-m", "sandbox.crash", commit, point)
    assert died.code == -signal.SIGKILL, died.err
    return died


def statuses(ran: Ran, code: int = 0) -> list[str]:
    """Return how each commit of a ``--json`` answer ended."""
    assert ran.code == code, ran.err or ran.out
    return [one["status"] for one in ran.items("applies")]


def entries(hub: Hub, commit: str) -> list[tuple[str, str]]:
    """Return phase and result of each audit entry of a commit, in order."""
    rows = hub.rows("select body from ops_audit where change_id = %s order by seq", commit)
    bodies = [json.loads(str(row[0])) for row in rows]
    return [(body["phase"], body["result"]) for body in bodies]


@contextmanager
def exactly_once(hub: Hub, effect: Effect, commit: str, calls: int = 1) -> Iterator[None]:
    """See that the block carries a commit out once, whatever died in it, and leaves no trace.

    Args:
        hub: where it runs.
        effect: the call that carries it out.
        commit: the merged commit.
        calls: how often the service may have carried out that same call.
    """
    effects, told = effect.count(hub), TOLD.count(hub)
    yield
    assert effect.count(hub) == effects + calls
    assert TOLD.count(hub) == told + 1
    assert entries(hub, commit) == [("intent", "intended"), ("outcome", "done")]
    settled(hub, commit)


def settled(hub: Hub, commit: str) -> None:
    """See that nothing is open, nobody has a lock, all was told and the log is whole."""
    assert hub.rows("select last_applied from ops_apply_cursor") == [(commit,)]
    assert hub.rows("select environment, change_id, state from ops_apply_lock") == []
    assert hub.rows("select key from ops_outbox where posted_at is null") == []
    assert (
        hub.rows(
            "select workflow_uuid from dbos.workflow_status where status in ('PENDING', 'ENQUEUED')"
        )
        == []
    )
    database = Database(hub.running.values["COH_DATABASE_URL"])
    verdict = verify_log(PostgresAudit(database, read_only=True))
    database.close()
    assert verdict.ok, verdict


def vercel(hub: Hub, method: str, path: str) -> httpx.Response:
    """Call Vercel as somebody who goes past every rule."""
    values = hub.running.values
    return httpx.request(
        method,
        f"{values['COH_VERCEL_URL']}{path}",
        headers={"Authorization": f"Bearer {values['COH_VERCEL_TOKEN']}"},
    ).raise_for_status()


def production(hub: Hub) -> str:
    """Return the deployment that serves production; reading moves a running job one step on."""
    project = vercel(hub, "GET", f"/v9/projects/{PROJECT}").json()
    return str(project["targets"]["production"]["id"])


def promote_a_third(hub: Hub) -> str:
    """Build another deployment and promote it, as a developer does; returns its id."""
    store = Store(Home(hub.folder).store("vercel"))
    found = store.get("deployments", GOOD)
    assert found is not None
    store.put("deployments", THIRD, {**found, "id": THIRD, "url": "clarivum-web-c0d.vercel.app"})
    store.close()
    vercel(hub, "POST", f"/v10/projects/{found['projectId']}/promote/{THIRD}")
    while production(hub) != THIRD:
        pass  # each look moves the job one step on
    return THIRD


def open_the_gate(hub: Hub) -> None:
    """Let many rollbacks through within an hour: the gate on, and the budget raised by admins."""
    data = hub.host(ADMIN).read_file(LIMITS, "main")
    assert data is not None
    assert b"destructive_per_hour: 10 " in data
    wider = data.replace(b"destructive_per_hour: 10 ", b"destructive_per_hour: 99 ")
    number = hub.raise_files({LIMITS: wider}, "ops/wider-budget")
    hub.approve(number, ADMIN)
    hub.merge(number)
    commit = hub.merged_toggle(GATE, enabled=True, reason="Rehearsal", approver=ADMIN)
    assert statuses(hub.quietly("apply", "--commit", commit, "--json")) == ["done", "done"]


def merged_rollback(hub: Hub, slug: str) -> tuple[str, str]:
    """Merge an approved request to serve the other deployment; returns commit and deployment."""
    now = datetime.now(UTC)
    current = production(hub)
    to = GOOD if current == BAD else BAD
    request = ActionRequest.model_validate(
        {
            "action": "deployment.rollback",
            "target": PROJECT,
            "params": {"to": to, "expect_current": current},
            "reason": "Rehearsal",
            "incident": "INC-88",
            "not_after": (now + timedelta(hours=4)).replace(microsecond=0),
            "confirm": PROJECT,
        }
    )
    path = request_path(PRODUCTION, now.date(), slug)
    number = hub.raise_files({path: render_request(request)}, f"ops/{slug}")
    hub.approve(number, ADMIN)
    return hub.merge(number), to
