"""The demo's chapters, in order. A chapter that does not hold makes the demo exit with 1."""

from __future__ import annotations

import re
import signal
from typing import TYPE_CHECKING

import psycopg

from ops_actions.errors import OpsError
from sandbox.seed import BAD, GOOD

if TYPE_CHECKING:
    from sandbox.story.stage import Ran, Stage

ENVIRONMENT = "production"
FLAG = "ops_module_webhooks"
GATE = "ops_gate_deployment_rollback"
PROJECT = "clarivum-web"
ENGINEER, COLLEAGUE, ADMIN, SECOND_ADMIN = "tariq-noor", "sofia-berg", "mara-lind", "ines-falk"


def tell(stage: Stage) -> None:
    """Tell the whole story."""
    _toggle(stage)
    rollback = _refused_rollback(stage)
    _open_the_gate(stage)
    commit = _approved_rollback(stage, rollback)
    _crash_and_reconcile(stage, commit)
    _audit(stage)


def _toggle(stage: Stage) -> None:
    stage.title("An engineer switches a module off, by pull request")
    number = _raise(
        stage, "flag", "disable", FLAG, "--env", ENVIRONMENT, "--reason", "Retries loop since 14:02"
    )
    waiting = stage.coh("check", "--pr", str(number))
    stage.card(number)
    stage.check(
        "The check says who must approve",
        f"exit {waiting.code}, the card is on the pull request",
        ok=waiting.code == 1 and "Waiting" in waiting.out,
    )
    stage.check(
        "A self-approval is refused",
        _self_approval(stage, number),
        ok=_still_waiting(stage, number),
    )
    _approve(stage, number, COLLEAGUE)
    commit = _check_and_merge(stage, number)
    before = stage.flag(ENVIRONMENT, FLAG)
    applied = stage.coh("apply", "--commit", commit)
    after = stage.flag(ENVIRONMENT, FLAG)
    stage.check(
        "Merged, applied by Pulumi, read back through the SDK endpoint",
        f"{FLAG}: {before} → {after}",
        ok=applied.code == 0 and before is True and after is False,
    )
    again = stage.coh("apply", "--commit", commit)
    stage.check("Applying again does nothing", again.out.strip(), ok=again.code == 0)


def _refused_rollback(stage: Stage) -> int:
    stage.title("Production must go back, but the destructive gate is off")
    number = _raise(
        stage,
        *("action", "run", "deployment.rollback", "--env", ENVIRONMENT, "--target", PROJECT),
        *("-p", f"to={GOOD}", "-p", f"expect_current={BAD}", "--confirm", PROJECT),
        *("--incident", "INC-88", "--reason", "Error rate 7 % since 14:02"),
    )
    refused = stage.coh("check", "--pr", str(number))
    stage.check(
        "The rollback is refused while its gate is off",
        "actions.gate_on",
        ok=refused.code == 1 and "actions.gate_on" in refused.out,
    )
    return number


def _open_the_gate(stage: Stage) -> None:
    stage.title("An admin approves opening the gate")
    number = _raise(
        stage, "flag", "enable", GATE, "--env", ENVIRONMENT, "--reason", "INC-88 needs a rollback"
    )
    _approve(stage, number, COLLEAGUE)
    stage.check(
        "A gate needs an admin; an editor's approval is not enough",
        "still waiting",
        ok=_still_waiting(stage, number),
    )
    _approve(stage, number, ADMIN)
    commit = _check_and_merge(stage, number)
    applied = stage.coh("apply", "--commit", commit)
    stage.check(
        "The gate is open",
        f"{GATE}: {stage.flag(ENVIRONMENT, GATE)}",
        ok=applied.code == 0 and stage.flag(ENVIRONMENT, GATE) is True,
    )


def _approved_rollback(stage: Stage, number: int) -> str:
    stage.title("Now the rollback can be approved")
    waiting = stage.coh("check", "--pr", str(number))
    stage.check(
        "The same pull request now waits for an admin",
        f"exit {waiting.code}",
        ok=waiting.code == 1 and "Waiting" in waiting.out,
    )
    _approve(stage, number, SECOND_ADMIN)
    return _check_and_merge(stage, number)


def _crash_and_reconcile(stage: Stage, commit: str) -> None:
    stage.title("The apply is killed between the call and its record")
    died = stage.python("-m", "sandbox.crash", commit, "0.perform:worked")
    calls = stage.calls("vercel", "POST", "/rollback/")
    stage.check(
        "SIGKILL after the call, before its record",
        f"signal {-died.code}, {calls} rollback call so far",
        ok=died.code == -signal.SIGKILL and calls == 1,
    )
    finished = stage.coh("reconcile")
    calls = stage.calls("vercel", "POST", "/rollback/")
    stage.check(
        "coh reconcile finishes it with exactly one effect",
        f"{calls} rollback call in all",
        ok=finished.code == 0 and "applied" in finished.out and calls == 1,
    )
    told = stage.calls("slack", "POST", "/chat.postMessage")
    stage.check("#clarivum-ops was told once for each change", f"{told} messages", ok=told == 3)  # noqa: PLR2004 - the three changes above


def _audit(stage: Stage) -> None:
    stage.title("The record book")
    stage.coh("audit", "tail", "-n", "8")
    intact = stage.coh("audit", "verify")
    stage.check("The chain is intact", intact.out.partition("\n")[0], ok=intact.code == 0)
    bad = _tamper(stage.running.values["COH_DATABASE_URL"])
    found = stage.coh("audit", "verify")
    stage.check(
        "A superuser edits one row; verify names it",
        f"entry {bad}",
        ok=found.code == 1 and f"entry {bad} is bad" in found.err,
    )


def _tamper(database_url: str) -> int:
    """Edit an entry as only a superuser can: by switching its triggers off."""
    with psycopg.connect(database_url) as connection:
        connection.execute("alter table public.ops_audit disable trigger all")
        row = connection.execute(
            "update public.ops_audit set body = replace(body, '\"pull_request\":1', "
            "'\"pull_request\":7') where seq = 2 returning seq"
        ).fetchone()
        connection.execute("alter table public.ops_audit enable trigger all")
    if row is None:
        raise RuntimeError("the row to tamper with is not there")
    return int(row[0])


def _raise(stage: Stage, *arguments: str) -> int:
    ran = stage.coh(*arguments, by=ENGINEER)
    found = re.search(r"#(\d+)", ran.out)
    if ran.code or found is None:
        raise StoryError(ran)
    return int(found[1])


def _approve(stage: Stage, number: int, login: str) -> None:
    host = stage.host(login)
    host.approve(number, host.pull_request(number).head)


def _self_approval(stage: Stage, number: int) -> str:
    try:
        _approve(stage, number, ENGINEER)
    except OpsError as error:
        return error.code
    return "GitHub took it"


def _still_waiting(stage: Stage, number: int) -> bool:
    found = stage.coh("check", "--pr", str(number), "--json", quiet=True)
    if not found.out:
        raise StoryError(found)
    return found.code == 1 and found.items("checks")[0]["outcome"] == "needs_approval"


def _check_and_merge(stage: Stage, number: int) -> str:
    allowed = stage.coh("check", "--pr", str(number))
    if allowed.code:
        raise StoryError(allowed)
    host = stage.host(ADMIN)
    commit = host.merge(number, host.pull_request(number).head)
    stage.check("Approved and merged", f"#{number} as {commit[:12]}", ok=bool(commit))
    return commit


class StoryError(Exception):
    """A command the story can't go on without failed."""

    def __init__(self, ran: Ran) -> None:
        last = (ran.err or ran.out).strip().splitlines()[-2:]
        super().__init__(f"exit {ran.code}: {' '.join(last)}")
