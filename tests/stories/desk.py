"""The seat of somebody who tries to get past the gate: raises, reviews, pushes, merges, applies.

Judging and applying run in this process, on the real engines of a running sandbox, so that the
moment of a decision is a value and a refusal costs no process of its own.
"""

from __future__ import annotations

import base64
import gc
import itertools
import json
import os
import warnings
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx

from infra.clients.flagsmith_models import FlagState
from infra.settings.edit import set_flag
from infra.settings.environment import file_of
from ops_actions.adapters.target import read_target
from ops_actions.flow.apply import apply_upto
from ops_actions.flow.check import CONTEXT, CheckReport, check_pull_request
from ops_actions.pull_request.card import REVIEW_CARD_MARKER
from ops_actions.wiring import gate
from ops_actions.wiring.apply import apply_tools
from ops_actions.wiring.infrastructure import flagsmith
from ops_actions.wiring.place import ROOT
from sandbox.home import BOT, Home
from tests.support.hub import ADMIN, ENGINEER, PRODUCTION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ops_actions.adapters.target import Target
    from ops_actions.flow.judge import Judge
    from ops_actions.flow.tools import ApplyReport, ApplyTools
    from tests.support.hub import Hub

FLAGS = file_of(PRODUCTION, "flags")
ACCESS = file_of(PRODUCTION, "access")
NOTED = "ops_module_api_proxy"
"""A flag without an expiry date, on from the start; notes only change its reason."""

_numbers = itertools.count(1)


@dataclass
class Desk:
    """People at work on a running, seeded hub."""

    hub: Hub
    target: Target
    tools: ApplyTools
    judge: Judge
    last: list[ApplyReport] = field(default_factory=list)

    def read(self, path: str, ref: str = "main") -> bytes:
        """Return a file of the repository."""
        data = self.hub.host(BOT).read_file(path, ref)
        assert data is not None
        return data

    def raise_files(self, files: dict[str, bytes | None], by: str = ENGINEER) -> int:
        """Raise a pull request on a fresh branch."""
        return self.hub.raise_files(files, f"try/{next(_numbers)}", by)

    def note(self, reason: str, by: str = ENGINEER, flag: str = NOTED) -> int:
        """Raise a change of production that moves nothing outside: another reason of a flag."""
        return self.raise_files({FLAGS: set_flag(self.read(FLAGS), flag, reason=reason)}, by)

    def toggle(self, flag: str, *, enabled: bool, reason: str, by: str = ENGINEER) -> int:
        """Raise a switch of a production flag."""
        edited = set_flag(self.read(FLAGS), flag, enabled=enabled, reason=reason)
        return self.raise_files({FLAGS: edited}, by)

    def api(
        self, by: str, method: str, path: str, body: object = None, repository: str | None = None
    ) -> httpx.Response:
        """Call GitHub as a person, past the client library."""
        values = self.hub.running.values
        name = repository or values["COH_GITHUB_REPOSITORY"]
        return httpx.request(
            method,
            f"{values['COH_GITHUB_API']}/repos/{name}/{path}",
            headers={"Authorization": f"token {self.hub.running.tokens[by]}"},
            json=body,
        )

    def push(self, number: int, path: str, data: bytes, by: str) -> None:
        """Push one more commit to a pull request's branch."""
        branch = self.hub.host(by).pull_request(number).head_branch
        there = self.api(by, "GET", f"contents/{path}?ref={branch}")
        body = {
            "message": "One more",
            "content": base64.b64encode(data).decode(),
            "branch": branch,
            **({"sha": there.json()["sha"]} if there.is_success else {}),
        }
        self.api(by, "PUT", f"contents/{path}", body).raise_for_status()

    def push_to_main(
        self, path: str, data: bytes, by: str = ADMIN, repository: str | None = None
    ) -> str:
        """Commit straight to main, of this repository or a fork, with no pull request behind it."""
        where = f"contents/{path}"
        sha = self.api(by, "GET", f"{where}?ref=main", repository=repository).json()["sha"]
        body = {"message": "Quick fix", "content": base64.b64encode(data).decode(), "sha": sha}
        answer = self.api(by, "PUT", where, body, repository).raise_for_status()
        return str(answer.json()["commit"]["sha"])

    def check(self, number: int, now: datetime | None = None) -> CheckReport:
        """Judge a pull request as the bot does."""
        return check_pull_request(self.judge, self.tools.host, number, now or datetime.now(UTC))

    def status(self, number: int) -> tuple[str, str]:
        """Return state and words of the newest status on a pull request's head."""
        head = self.hub.host(BOT).pull_request(number).head
        found = self.api(BOT, "GET", f"commits/{head}/statuses").json()
        newest = next(one for one in found if one["context"] == CONTEXT)
        return newest["state"], newest["description"]

    def card(self, number: int) -> str:
        """Return the review card."""
        comment = self.tools.host.comment_by_marker(number, REVIEW_CARD_MARKER)
        assert comment is not None
        return comment.body

    def apply(self, commit: str, now: datetime | None = None) -> ApplyReport:
        """Apply up to a commit and return its own report."""
        self.last = list(apply_upto(self.tools, commit, now or datetime.now(UTC)))
        return self.last[-1]

    def merged(self, number: int, *approvers: str) -> str:
        """Approve and merge; GitHub itself has no rule that would stop it here."""
        for login in approvers:
            self.hub.approve(number, login)
        return self.hub.merge(number)

    def applied(self, number: int, *approvers: str, now: datetime | None = None) -> str:
        """Approve, merge and apply, which must succeed."""
        commit = self.merged(number, *approvers)
        report = self.apply(commit, now)
        assert (report.status, report.fact) == ("done", "")
        return commit

    def refused(self, commit: str, code: str, now: datetime | None = None) -> ApplyReport:
        """Apply a commit that must be refused for good: recorded, passed, nothing done."""
        with self.nothing_done():
            report = self.apply(commit, now)
        assert (report.status, report.code) == ("refused", code), report.fact
        assert report.exit_code in {1, 2}
        assert report.fact
        assert report.next_step
        self.passed(commit)
        assert self.entries(commit) == [("refusal", code)]
        return report

    def passed(self, commit: str) -> None:
        """See that the cursor stands at a commit and that nobody holds a lock."""
        assert self.tools.book.cursor() == commit
        assert self.tools.book.locks() == ()

    def entries(self, commit: str) -> list[tuple[str, str]]:
        """Return phase and result of each audit entry of a commit, in order."""
        bodies = [
            json.loads(str(row[0]))
            for row in self.hub.rows(
                "select body from ops_audit where change_id = %s order by seq", commit
            )
        ]
        return [(body["phase"], body["result"]) for body in bodies]

    def writes(self) -> list[tuple[str, str, str]]:
        """Return every write that reached a service that has effects."""
        found: list[tuple[str, str, str]] = []
        for service in ("flagsmith", "vercel"):
            answer = httpx.get(
                f"{self.hub.running.urls[service]}/_sandbox/requests",
                headers={"X-Sandbox-Key": self.hub.running.key},
            )
            seen: list[dict[str, Any]] = answer.raise_for_status().json()["requests"]
            found += [
                (service, one["method"], one["path"])
                for one in seen
                if one["handled"] and one["method"] not in {"GET", "HEAD"}
            ]
        return found

    def live(self, flag: str, *, enabled: bool) -> None:
        """Switch a flag of production by hand, past every rule."""
        client = flagsmith(self.target, PRODUCTION)
        feature = client.find_feature(flag)
        assert feature is not None
        client.set_state(feature, FlagState(enabled, client.state(feature).value))
        client.close()

    @contextmanager
    def nothing_done(self) -> Iterator[None]:
        """See that the block writes to no service that has effects."""
        before = self.writes()
        yield
        assert self.writes() == before


@contextmanager
def seated(hub: Hub) -> Iterator[Desk]:
    """Open everything that judging and applying need, and close it."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("COH_GITHUB")}
    environment["COH_STATE_DIR"] = str(hub.folder)
    target = read_target(sandbox=True, root=ROOT, environment=environment)
    judge = gate.checking_judge(target, gate.repository(target, None))
    with apply_tools(target, None) as tools:
        try:
            yield Desk(hub, target, tools, judge)
        finally:
            with warnings.catch_warnings():
                # Commands end with their process; here what they left open goes now, not in the
                # middle of somebody else's test.
                warnings.simplefilter("ignore", ResourceWarning)
                gc.collect()


def home_of(hub: Hub) -> Home:
    """Return the paths of a hub's state folder."""
    return Home(hub.folder)
