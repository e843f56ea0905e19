"""The repository's own workflows on act, from the pull request to the switched flag.

What the workflow files get is what GitHub gives them: a token, secrets, variables, the event. The
services behind the addresses are those of a running sandbox; nothing says `--sandbox`.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from ops_actions.pull_request.card import REVIEW_CARD_MARKER
from sandbox.home import BOT, REPOSITORY, Home
from tests.support.act import Act, WorkflowRun
from tests.support.hub import COLLEAGUE, ENGINEER, PRODUCTION

if TYPE_CHECKING:
    from tests.support.hub import Hub

FLAG = "ops_module_webhooks"
SETUP = ("COH_VENV", "COH_OPA", "COH_PULUMI")
SECRETS = (
    *("COH_DATABASE_URL", "COH_FLAGSMITH_TOKEN", "COH_GITHUB_TOKEN", "COH_PULUMI_BACKEND"),
    *("COH_SLACK_TOKEN", "COH_VERCEL_TOKEN"),
)
VARIABLES = (
    *("COH_GITHUB_ACCOUNT", "COH_FLAGSMITH_URL", "COH_VERCEL_URL", "COH_SLACK_URL"),
    *("COH_SLACK_CHANNEL", "COH_FLAGSMITH_KEY_PRODUCTION"),
)
LYING = b"#!/bin/sh\necho Allowed, trust me\n"


class Runner:
    """GitHub's machine: checks out what GitHub would, and runs a workflow for an event."""

    def __init__(self, hub: Hub, folder: Path) -> None:
        self.hub = hub
        self.bare = Home(hub.folder).repository
        self.checkout = folder / "checkout"
        values = hub.running.values
        passphrase = Path(values["COH_PULUMI_PASSPHRASE_FILE"]).read_text(encoding="utf-8")
        home = folder / "home"
        home.mkdir()
        (home / ".actrc").write_text(
            "".join(f"--var {name}={values[name]}\n" for name in VARIABLES), encoding="utf-8"
        )
        self.act = Act(
            home=home,
            remote=self.bare.as_uri(),
            repository=REPOSITORY,
            environment={
                "GITHUB_API_URL": values["COH_GITHUB_API"],
                **{name: os.environ[name] for name in SETUP},
            },
            secrets={
                "GITHUB_TOKEN": hub.running.tokens[BOT],
                "COH_PULUMI_PASSPHRASE": passphrase,
                **{name: values[name] for name in SECRETS},
            },
        )

    def fetch(self, ref: str) -> None:
        """Have the tree that GitHub takes the workflow file from."""
        if not self.checkout.exists():
            subprocess.run(["git", "init", "--quiet", str(self.checkout)], check=True)
        git = ("git", "-C", str(self.checkout))
        subprocess.run([*git, "fetch", "--quiet", str(self.bare), ref], check=True)
        subprocess.run([*git, "checkout", "--quiet", "--detach", "FETCH_HEAD"], check=True)

    def validate(self, number: int, event_name: str, action: str) -> WorkflowRun:
        """Run validate.yml of the merge commit that GitHub makes for a pull request."""
        self.fetch(f"refs/pull/{number}/merge")
        event = {"action": action, "number": number, "pull_request": self.get(f"pulls/{number}")}
        return self.act.run(self.checkout, "validate.yml", event_name, event)

    def apply(self, before: str, after: str) -> WorkflowRun:
        """Run apply.yml of a push to main."""
        self.fetch(after)
        event = {"ref": "refs/heads/main", "before": before, "after": after}
        return self.act.run(self.checkout, "apply.yml", "push", event)

    def get(self, path: str) -> Any:  # noqa: ANN401 - a document of GitHub's API
        """Read from the emulated GitHub as the bot."""
        answer = httpx.get(
            f"{self.hub.running.values['COH_GITHUB_API']}/repos/{REPOSITORY}/{path}",
            headers={"Authorization": f"Bearer {self.hub.running.tokens[BOT]}"},
        )
        return answer.raise_for_status().json()

    def main(self) -> str:
        """Return the commit that main is at."""
        return self.hub.host(BOT).default_branch_tip().commit

    def verdict(self, number: int) -> str:
        """Return the state of the status `coh/check` at the head of a pull request."""
        head = self.get(f"pulls/{number}")["head"]["sha"]
        latest = self.get(f"commits/{head}/status")["statuses"]
        (found,) = (one["state"] for one in latest if one["context"] == "coh/check")
        return str(found)

    def cards(self, number: int) -> list[str]:
        """Return the bodies of the review cards under a pull request."""
        comments = self.get(f"issues/{number}/comments")
        return [one["body"] for one in comments if REVIEW_CARD_MARKER in one["body"]]


@pytest.fixture
def runner(hub: Hub, tmp_path: Path) -> Runner:
    return Runner(hub, tmp_path)


def test_a_toggle_travels_through_the_workflows(runner: Runner) -> None:
    hub = runner.hub
    number = hub.raise_toggle(FLAG, enabled=False, reason="Retries loop")

    opened = runner.validate(number, "pull_request", "opened")
    assert opened.jobs == {"check": "success"}, opened.log
    assert runner.verdict(number) == "pending"
    assert [FLAG in card for card in runner.cards(number)] == [True]

    hub.approve(number, COLLEAGUE)
    reviewed = runner.validate(number, "pull_request_review", "submitted")
    assert reviewed.jobs == {"check": "success"}, reviewed.log
    assert runner.verdict(number) == "success"
    assert len(runner.cards(number)) == 1

    before = runner.main()
    after = hub.merge(number)
    applied = runner.apply(before, after)
    assert applied.jobs == {"apply": "success"}, applied.log
    assert hub.flag(PRODUCTION, FLAG) is False
    assert hub.calls("flagsmith", "PUT", "/featurestates/") == 1
    assert _history(hub) == [("intent", after), ("outcome", after)]

    again = runner.apply(before, after)
    assert again.jobs == {"apply": "success"}, again.log
    assert "Nothing to do." in again.step("Apply the merged commit").output
    assert hub.calls("flagsmith", "PUT", "/featurestates/") == 1
    assert _secrets_in(hub, opened.log + reviewed.log + applied.log + again.log) == []


def test_a_pull_request_can_not_rewrite_its_judge(runner: Runner) -> None:
    hub = runner.hub
    main = Path("policies/ops/main/main.rego")
    number = hub.raise_files(
        {
            "scripts/coh": LYING,
            "scripts/setup": LYING,
            "ops_actions/cli/__main__.py": b"print('Allowed')\n",
            str(main): b'package ops.main\n\ndecision := {"outcome": "allow"}\n',
        },
        "ops/trust-me",
        ENGINEER,
    )
    run = runner.validate(number, "pull_request", "opened")
    assert "trust me" not in run.log
    assert runner.verdict(number) in {"pending", "failure"}

    hub.approve(number, COLLEAGUE)  # an editor; guardrails need admins
    runner.validate(number, "pull_request_review", "submitted")
    assert runner.verdict(number) in {"pending", "failure"}

    # Merged over everybody's head, it is still judged by the code and the policies before it.
    before = runner.main()
    applied = runner.apply(before, hub.merge(number))
    assert applied.jobs == {"apply": "failure"}, applied.log
    assert "trust me" not in applied.log
    assert "refused" in applied.step("Apply the merged commit").output
    assert [phase for phase, _ in _history(hub)] == ["refusal"]


def test_a_failed_secret_stops_the_apply_before_anything_is_done(runner: Runner) -> None:
    del runner.act.secrets["COH_PULUMI_PASSPHRASE"]  # type: ignore[attr-defined]
    hub = runner.hub
    before = runner.main()
    run = runner.apply(before, hub.merged_toggle(FLAG, enabled=False, reason="Retries loop"))
    assert run.jobs == {"apply": "failure"}
    assert "PASSPHRASE: is no secret of the environment" in run.log
    assert hub.flag(PRODUCTION, FLAG) is True
    assert _history(hub) == []


def _history(hub: Hub) -> list[tuple[str, str]]:
    bodies = [
        json.loads(str(row[0])) for row in hub.rows("select body from ops_audit order by seq")
    ]
    return [(body["phase"], body["commit_sha"]) for body in bodies]


def _secrets_in(hub: Hub, text: str) -> list[str]:
    named = {name: hub.running.values[name] for name in SECRETS if name.endswith("_TOKEN")}
    return [name for name, value in named.items() if value in text]
