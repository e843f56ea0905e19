"""Runs a workflow file as it is, with act on this machine, and says what each job and step did.

act runs the steps of one workflow for one event, without containers and without network. It
ignores `on:` filters, `permissions`, `concurrency` and `environment`; test_workflows.py reads those
instead. `actions/checkout` is replaced by tests/support/actions/checkout, which fetches from a git
URL of the test.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ACTIONS = Path(__file__).parent / "actions"
_USES = re.compile(r"uses:\s*(?P<action>[\w.-]+/(?P<name>[\w.-]+)@[0-9a-f]{40})\b")
_RUNNER = "ubuntu-24.04"
# act stops reading a failed step's terminal when its shell ends, so that a loaded machine loses the
# last lines (pkg/container/host_environment.go returns before the copy is done): the shell lingers.
_LINGERING_SHELL = """#!/bin/sh
{bash} "$@"
status=$?
[ $status -eq 0 ] || sleep 1
exit $status
"""
_SHORTEST_SECRET = 8  # characters; act masks substrings, so that "t" would hide every t of the log


@dataclass(frozen=True, slots=True)
class StepRun:
    """What one step did. A step that was skipped has no StepRun."""

    job: str
    name: str
    result: str
    output: str
    exit_status: int | None


@dataclass(frozen=True, slots=True)
class WorkflowRun:
    """What one workflow did: results by job id, steps in order, and act's own log for messages."""

    exit_status: int
    jobs: Mapping[str, str]
    steps: tuple[StepRun, ...]
    summaries: tuple[str, ...]
    log: str

    def step(self, name: str) -> StepRun:
        """The one step of that name."""
        (found,) = (step for step in self.steps if step.name == name)
        return found


@dataclass(frozen=True, slots=True)
class Act:
    """A machine on which workflows run.

    Args:
        home: empty folder that becomes HOME; everything that act leaves behind lands there.
        remote: git URL that the stand-in for actions/checkout fetches from.
        repository: "owner/name" that the workflow believes to run in.
        environment: variables of the runner, such as GITHUB_API_URL and COH_VENV.
        secrets: what `secrets.NAME` gives; GITHUB_TOKEN among them.
        program: act itself; the one that scripts/setup found when not given.
    """

    home: Path
    remote: str
    repository: str
    environment: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    program: Path | None = None

    def run(  # noqa: PLR0913 - one call names the whole situation
        self,
        checkout: Path,
        workflow: str,
        event_name: str,
        event: Mapping[str, Any],
        *,
        actor: str = "alice",
        timeout: float = 240,
    ) -> WorkflowRun:
        """Runs `.github/workflows/<workflow>` of a checkout for one event.

        Args:
            checkout: clone whose HEAD is the commit that GitHub would take the workflow file from.
            workflow: file name, such as "validate.yml".
            event_name: such as "pull_request".
            event: the webhook's JSON document.
            actor: login that caused the event.
            timeout: seconds after which act and everything it started are killed.

        Raises:
            subprocess.TimeoutExpired: the run took longer than that.
        """
        self._add_shell()
        event_file = self.home / "event.json"
        event_file.write_text(json.dumps(event), encoding="utf-8")
        path = checkout / ".github" / "workflows" / workflow
        self._name_repository(checkout)
        command = [
            *(str(self.program or act_program()), event_name, "--json", "--actor", actor),
            *("--directory", str(checkout), "--workflows", str(path)),
            *("--eventpath", str(event_file), "--platform", f"{_RUNNER}=-self-hosted"),
            *("--no-cache-server", "--no-skip-checkout"),
            *_stand_ins(path.read_text(encoding="utf-8")),
            *self._variables(),
        ]
        return _parse(*_run(command, self._process_environment(), timeout))

    def _add_shell(self) -> None:
        """Puts the shell that lingers before the machine's own on the steps' PATH."""
        shell = self.home / "bin" / "bash"
        shell.parent.mkdir(parents=True, exist_ok=True)
        shell.write_text(_LINGERING_SHELL.format(bash=shutil.which("bash")), encoding="utf-8")
        shell.chmod(0o755)

    def _name_repository(self, checkout: Path) -> None:
        """Gives act the repository's name, which it reads from the remote `origin`."""
        url = f"https://github.com/{self.repository}.git"
        for verb in ("remove", "add"):
            subprocess.run(
                ["git", "-C", str(checkout), "remote", verb, "origin", *([url] * (verb == "add"))],
                check=verb == "add",
                capture_output=True,
            )

    def _variables(self) -> Iterator[str]:
        yield from ("--env", f"COH_TEST_REMOTE={self.remote}")
        for name, value in self.environment.items():
            yield from ("--env", f"{name}={value}")
        yield from ("--secret-file", str(self._secret_file()))

    def _secret_file(self) -> Path:
        """The secrets in a file: in act's own environment they would leak into every step."""
        for name, value in self.secrets.items():
            if len(value) < _SHORTEST_SECRET:
                raise ValueError(f"the test's secret {name} is so short that masking garbles logs")
        path = self.home / "secrets"
        path.write_text(
            "".join(f"{name}='{value}'\n" for name, value in self.secrets.items()), "utf-8"
        )
        return path

    def _process_environment(self) -> dict[str, str]:
        """All that act sees: what it sees leaks into the steps."""
        return {
            "PATH": f"{self.home / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            "GIT_CONFIG_NOSYSTEM": "1",
        }


def act_program() -> Path:
    """The act that scripts/setup found.

    Raises:
        RuntimeError: the tests were not started by scripts/test.
    """
    named = os.environ.get("COH_ACT")
    if not named:
        raise RuntimeError("COH_ACT is not set: run the tests with scripts/test")
    return Path(named)


def _stand_ins(workflow: str) -> Iterator[str]:
    """One `--local-repository` per action that the workflow pins; act asks for the exact pin."""
    for match in _USES.finditer(workflow):
        folder = ACTIONS / match["name"]
        if not folder.is_dir():
            raise FileNotFoundError(f"{match['action']} has no stand-in in {ACTIONS}")
        yield from ("--local-repository", f"{match['action']}={folder}")


def _run(command: list[str], environment: dict[str, str], timeout: float) -> tuple[int, str]:
    process = subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        log, _ = process.communicate(timeout=timeout)
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)  # the steps are children of act in its own group
        process.communicate()
        raise
    return process.returncode, log


def _records(log: str) -> Iterator[Mapping[str, Any]]:
    for line in log.splitlines():
        if line.startswith("{"):
            yield json.loads(line)


def _parse(exit_status: int, log: str) -> WorkflowRun:
    jobs: dict[str, str] = {}
    steps: list[StepRun] = []
    summaries: list[str] = []
    output: dict[tuple[str, str], list[str]] = {}
    status: dict[tuple[str, str], int] = {}
    for record in _records(log):
        key = (record.get("jobID", ""), record.get("step", ""))
        if "jobResult" in record:
            jobs[key[0]] = record["jobResult"]
        elif record.get("raw_output"):
            output.setdefault(key, []).append(record["msg"])
        elif record.get("command") == "summary":
            summaries.append(record["content"])
        elif record.get("stage") == "Main" and len(record.get("stepID", ())) == 1:
            if "stepResult" in record:
                steps.append(StepRun(*key, record["stepResult"], "", None))
            elif found := re.fullmatch(r"exit status (\d+)", record["msg"]):
                status[key] = int(found[1])
    return WorkflowRun(
        exit_status,
        jobs,
        tuple(
            StepRun(
                step.job,
                step.name,
                step.result,
                "".join(output.get((step.job, step.name), ())),
                status.get((step.job, step.name), 0 if step.result == "success" else None),
            )
            for step in steps
        ),
        tuple(summaries),
        log,
    )
