"""Answers of commands against a running sandbox: shapes of ``--json``, exit codes, no secrets."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx
import pytest

from sandbox.home import BOT, Home
from tests.support.hub import ADMIN, COLLEAGUE, ENGINEER

if TYPE_CHECKING:
    from pathlib import Path

    from ops_actions.canonical import Json
    from sandbox.story.stage import Ran
    from tests.support.hub import Hub

FLAG = "ops_module_webhooks"
PRODUCTION = ("--env", "production")


@dataclass
class Seen:
    """A hub, a clone of its repository, and everything that commands said so far."""

    hub: Hub
    clone: Path
    said: list[str]

    def coh(self, *arguments: str, by: str = BOT) -> Ran:
        ran = self.hub.coh(*arguments, by=by, quiet=True)
        self.said += [ran.out, ran.err]
        return ran


@pytest.fixture(scope="module")
def seen(shared_hub: Hub, tmp_path_factory: pytest.TempPathFactory) -> Seen:
    clone = tmp_path_factory.mktemp("clone") / "hub"
    source = shared_hub.running.values["COH_CHECKOUT"]
    subprocess.run(["git", "clone", "--quiet", source, str(clone)], check=True)
    return Seen(shared_hub, clone, [])


def _shape(ran: Ran, schema: str, key: str) -> list[dict[str, Json]]:
    """Check that an answer has a schema and one plural key, and return what is in it."""
    assert ran.out, ran.err
    document = json.loads(ran.out)
    assert list(document) == ["schema", key]
    assert document["schema"] == schema
    found: list[dict[str, Json]] = document[key]
    return found


def test_lists(seen: Seen) -> None:
    flags = _shape(seen.coh("flag", "list", *PRODUCTION, "--json"), "coh.flags/1", "flags")
    one = _shape(seen.coh("flag", "show", FLAG, *PRODUCTION, "--json"), "coh.flags/1", "flags")
    people = _shape(seen.coh("access", "list", *PRODUCTION, "--json"), "coh.people/1", "people")
    actions = _shape(seen.coh("action", "list", "--json"), "coh.actions/1", "actions")
    action = _shape(
        seen.coh("action", "show", "deployment.rollback", "--json"), "coh.actions/1", "actions"
    )

    assert [flag["name"] for flag in flags] == sorted(str(flag["name"]) for flag in flags)
    assert one == [flag for flag in flags if flag["name"] == FLAG]
    assert one[0]["enabled"] is True
    assert {"sub", "github", "roles"} == people[0].keys()
    assert action[0] in actions
    assert action[0]["gate"] == "ops_gate_deployment_rollback"


def test_a_checkout_without_any_pull_request_is_judged(seen: Seen) -> None:
    """The first commit of a repository, and a branch with one change, posting nothing."""
    nothing = seen.coh("check", "--checkout", str(seen.clone), "--json")
    _commit(seen.clone)
    plan = seen.coh("plan", "--checkout", str(seen.clone), "--json")
    anonymous = seen.coh("check", "--checkout", str(seen.clone), "--json")
    named = seen.coh("check", "--as", ENGINEER, "--checkout", str(seen.clone), "--json")
    waiting = seen.coh(
        *("check", "--as", ENGINEER, "--waiting-ok", "--checkout", str(seen.clone), "--json")
    )

    assert nothing.code == 0
    assert _shape(nothing, "coh.checks/1", "checks")[0]["outcome"] == "allow"
    planned = _shape(plan, "coh.plans/1", "plans")[0]
    assert sorted(planned) == ["base", "changes", "digest", "head", "policy_digest", "risk"]
    assert anonymous.code == 1
    assert _shape(anonymous, "coh.checks/1", "checks")[0]["outcome"] == "deny"
    check = _shape(named, "coh.checks/1", "checks")[0]
    assert (named.code, check["outcome"], check["card"]) == (1, "needs_approval", None)
    assert (waiting.code, waiting.out) == (0, named.out)
    assert check["plan"] == planned


def _commit(clone: Path) -> None:
    flags = clone / "infra/environments/production/flags.yaml"
    flags.write_bytes(flags.read_bytes().replace(b"KAIZEN-412", b"KAIZEN-413"))
    git = ["git", "-C", str(clone), "-c", "user.name=x", "-c", "user.email=x@clarivum.example"]
    subprocess.run([*git, "commit", "--quiet", "-a", "-m", "Try"], check=True)


def test_a_request_from_raising_to_the_book(seen: Seen) -> None:
    raised = seen.coh(
        *("flag", "disable", FLAG, *PRODUCTION, "--reason", "Retries loop", "--json"), by=ENGINEER
    )
    (request,) = _shape(raised, "coh.pull_requests/1", "pull_requests")
    assert sorted(request) == ["branch", "head", "number", "url"]
    number = int(str(request["number"]))
    again = seen.coh(
        *("flag", "disable", FLAG, *PRODUCTION, "--reason", "Retries loop", "--json"), by=ENGINEER
    )
    assert _shape(again, "coh.pull_requests/1", "pull_requests") == [request]

    waiting = seen.coh("check", "--pr", str(number), "--json")
    seen.hub.approve(number, COLLEAGUE)
    allowed = seen.coh("check", "--pr", str(number), "--json")
    commit = seen.hub.merge(number, ADMIN)
    applied = seen.coh("apply", "--commit", commit, "--json")
    again = seen.coh("apply", "--commit", commit, "--json")
    entries = seen.coh("audit", "tail", "-n", "5", "--json")
    verdict = seen.coh("audit", "verify", "--json")

    assert (waiting.code, allowed.code, applied.code, again.code) == (1, 0, 0, 0)
    need = _shape(waiting, "coh.checks/1", "checks")[0]["approvals"]
    assert need == [
        {
            "code": "change.approvals",
            "count": 1,
            "role": "ops_editor",
            "have": 0,
            "why": "a wrong change would be felt by operators",
        }
    ]
    assert _shape(applied, "coh.applies/1", "applies") == [
        {"commit": commit, "status": "done", "code": "", "fact": "", "next": ""}
    ]
    assert _shape(again, "coh.applies/1", "applies") == []
    listed = _shape(entries, "coh.audit_entries/1", "entries")
    assert [one["phase"] for one in listed] == ["intent", "outcome"]
    assert listed[1]["prev_hash"] == listed[0]["hash"]
    judged = _shape(verdict, "coh.audit_verdicts/1", "verdicts")[0]
    assert (judged["intact"], judged["checked"], judged["bad"]) == (True, 2, None)


def test_a_refused_commit_exits_with_1(seen: Seen) -> None:
    number = seen.hub.raise_toggle(FLAG, enabled=True, reason="Nobody approves this")
    commit = seen.hub.merge(number)

    ran = seen.coh("apply", "--commit", commit, "--json")
    words = seen.coh("apply", "--commit", commit)

    (report,) = _shape(ran, "coh.applies/1", "applies")
    assert (ran.code, words.code) == (1, 1)
    assert (report["status"], report["code"]) == ("refused", "change.approvals")
    assert "change.approvals: " in words.out
    assert "next: " in words.out


def test_what_nobody_can_decide_exits_with_5(seen: Seen) -> None:
    """A lock that waits for a human stops every apply of its environment."""
    seen.hub.rows(
        "insert into ops_apply_lock (environment, change_id, holder, pid, host, state, note) values"
        " ('production', 'earlier', 'gone', 1, 'elsewhere', 'undecidable', 'neither') returning 1"
    )
    number = seen.hub.raise_toggle(FLAG, enabled=True, reason="Behind an open question")
    seen.hub.approve(number)
    commit = seen.hub.merge(number)
    try:
        ran = seen.coh("apply", "--commit", commit, "--json")
    finally:
        seen.hub.rows("delete from ops_apply_lock returning 1")

    assert (ran.code, ran.out) == (5, "")
    error = json.loads(ran.err.splitlines()[-1])["errors"][0]
    assert error["code"] == "lock.undecidable"
    assert "coh reconcile" in error["next"]


def test_status_and_rules(seen: Seen) -> None:
    (sandbox,) = _shape(seen.coh("sandbox", "status", "--json"), "coh.sandboxes/1", "sandboxes")
    (rule,) = _shape(seen.coh("explain", "change.approvals", "--json"), "coh.rules/1", "rules")

    assert sorted(sandbox) == ["folder", "pid", "urls"]
    assert rule["code"] == "change.approvals"
    assert seen.coh("sandbox", "status").code == 0


def test_no_secret_of_the_sandbox_is_said_or_kept(seen: Seen) -> None:
    hub = seen.hub
    for command in (("doctor", "--sandbox"), ("sandbox", "status"), ("audit", "tail")):
        seen.coh(*command)
    hub.fault("flagsmith", kind="status", status=401)
    seen.coh("infra", "preview", *PRODUCTION)
    hub.clear_faults("flagsmith")
    secrets = _secrets(hub)
    assert len(secrets) > 10

    places = {
        "what commands said": "\n".join(seen.said).encode(),
        "the book": str(hub.rows("select body from ops_audit")).encode(),
        "the outbox": str(hub.rows("select payload::text from ops_outbox")).encode(),
        "durable steps": str(hub.rows("select output::text from dbos.operation_outputs")).encode(),
        "pull requests": _github(hub, "pulls?state=all&per_page=100"),
        "comments": b"".join(
            _github(hub, f"issues/{number}/comments") for number in range(1, _pulls(hub) + 1)
        ),
        "the daemon's log": Home(hub.folder).log.read_bytes(),
        **{
            str(path.relative_to(hub.folder)): path.read_bytes()
            for path in Home(hub.folder).pulumi.rglob("*")
            if path.is_file() and path.name != "passphrase"
        },
    }
    assert len(places) > 8
    found = [
        (where, name)
        for where, text in places.items()
        for name, value in secrets.items()
        if value.encode() in text
    ]
    assert found == []


def _secrets(hub: Hub) -> dict[str, str]:
    values = hub.running.values
    named = {
        name: value
        for name, value in values.items()
        if "TOKEN" in name or name.startswith("COH_FLAGSMITH_KEY_")
    }
    people = {f"token of {login}": token for login, token in hub.running.tokens.items()}
    passphrase = (Home(hub.folder).pulumi / "passphrase").read_text()
    return {**named, **people, "key": hub.running.key, "passphrase": passphrase}


def _github(hub: Hub, path: str) -> bytes:
    values = hub.running.values
    answer = httpx.get(
        f"{values['COH_GITHUB_API']}/repos/{values['COH_GITHUB_REPOSITORY']}/{path}",
        headers={"Authorization": f"token {hub.running.tokens[BOT]}"},
    )
    return answer.raise_for_status().content


def _pulls(hub: Hub) -> int:
    newest = json.loads(_github(hub, "pulls?state=all&per_page=1"))
    return int(newest[0]["number"])
