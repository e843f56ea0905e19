"""What a story is told with: people who run commands, and checks of what really happened."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
from rich.console import Console
from rich.markdown import Markdown
from rich.markup import escape
from rich.panel import Panel

from infra.clients.flagsmith import sdk_flags
from ops_actions.adapters.github import GitHubHost
from ops_actions.pull_request.card import REVIEW_CARD_MARKER
from ops_actions.wiring.place import ROOT
from sandbox.home import BOT

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.control import Running


@dataclass(frozen=True, slots=True)
class Ran:
    """A command that was run.

    Attributes:
        code: exit code; negative for a signal.
        out: what it printed on standard output.
        err: what it printed on standard error.
    """

    code: int
    out: str
    err: str

    def items(self, key: str) -> list[dict[str, Any]]:
        """Return the list of a ``--json`` answer."""
        found: list[dict[str, Any]] = json.loads(self.out)[key]
        return found


@dataclass(frozen=True, slots=True)
class Held:
    """One line of the table at the end."""

    what: str
    proof: str
    ok: bool
    seconds: float


@dataclass(slots=True)
class Stage:
    """The sandbox, the people in it, and what held so far.

    Attributes:
        folder: state folder of the sandbox.
        running: its services.
        out: where the story is shown.
    """

    folder: Path
    running: Running
    out: Console = field(default_factory=Console)
    held: list[Held] = field(default_factory=list)
    _since: float = field(default_factory=time.monotonic)

    def title(self, text: str) -> None:
        """Open a chapter."""
        self.out.print()
        self.out.rule(f"[bold]{text}[/]", align="left")

    def coh(self, *arguments: str, by: str = BOT, quiet: bool = False) -> Ran:
        """Run a command of `coh` as a person, show it and what it said."""
        if not quiet:
            who, command = escape(by), escape(_shown(arguments))
            self.out.print(f"[dim]{who}[/] [bold cyan]$ coh {command}[/]")
        ran = self.python("-m", "ops_actions.cli", *arguments, by=by)
        if not quiet:
            for text in (ran.out, ran.err):
                if text.strip():
                    self.out.print(_indented(text), markup=False)
        return ran

    def python(self, *arguments: str, by: str = BOT) -> Ran:
        """Run Python in the sandbox's environment."""
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "COH_STATE_DIR": str(self.folder),
            "COH_SANDBOX": "1",
            "COH_GITHUB_TOKEN": self.running.tokens[by],
        }
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    def host(self, login: str) -> GitHubHost:
        """Return GitHub as a person sees it, through the unchanged client library."""
        values = self.running.values
        return GitHubHost(
            values["COH_GITHUB_API"],
            values["COH_GITHUB_REPOSITORY"],
            self.running.tokens[login],
        )

    def flag(self, environment: str, name: str) -> bool | None:
        """Read a flag as an application does, through Flagsmith's SDK endpoint."""
        values = self.running.values
        key = values[f"COH_FLAGSMITH_KEY_{environment.upper()}"]
        state = sdk_flags(values["COH_FLAGSMITH_URL"], key).get(name)
        return None if state is None else state.enabled

    def calls(self, service: str, method: str, part: str) -> int:
        """Count how often a service was really asked to do something."""
        answer = httpx.get(
            f"{self.running.urls[service]}/_sandbox/requests",
            headers={"X-Sandbox-Key": self.running.key},
        )
        found = answer.raise_for_status().json()["requests"]
        return sum(
            one["handled"] for one in found if one["method"] == method and part in one["path"]
        )

    def card(self, number: int) -> None:
        """Show the review card of a pull request as people see it."""
        values = self.running.values
        bot = GitHubHost(
            values["COH_GITHUB_API"],
            values["COH_GITHUB_REPOSITORY"],
            self.running.tokens[BOT],
            account=BOT,
        )
        found = bot.comment_by_marker(number, REVIEW_CARD_MARKER)
        if found is None:
            self.check("The review card is on the pull request", "there is none", ok=False)
            return
        shown = found.body.removeprefix(REVIEW_CARD_MARKER).partition("<details>")[0]
        self.out.print(Panel(Markdown(shown), title=f"review card of #{number}", width=100))

    def check(self, what: str, proof: str, *, ok: bool) -> None:
        """Note whether something held."""
        now = time.monotonic()
        self.held.append(Held(what, proof, ok, now - self._since))
        self._since = now
        mark = "[green]✓[/]" if ok else "[bold red]✗[/]"
        self.out.print(f"{mark} {escape(what)}: {escape(proof)}")


def _shown(arguments: tuple[str, ...]) -> str:
    return " ".join(f'"{word}"' if " " in word else word for word in arguments)


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.rstrip().splitlines())
