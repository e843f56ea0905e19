"""The front door as a program: no arguments, unknown commands, pipes, colours, usage errors."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from ops_actions.cli.main import PIPE_CLOSED
from ops_actions.wiring.place import ROOT

if TYPE_CHECKING:
    from pathlib import Path

COH = [sys.executable, "-m", "ops_actions.cli"]
ESCAPE = "\x1b"
LONG = "a" * 100_000


def _environment(**more: str) -> dict[str, str]:
    """Nothing of ours but the checkout: no sandbox, no token, no engine."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", **more}


def _coh(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COH, *arguments],
        cwd=ROOT,
        env=_environment(**environment),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_without_arguments_it_shows_the_commands_and_fails() -> None:
    ran = _coh()

    assert ran.returncode == 2
    assert "Usage: coh COMMAND" in ran.stdout
    assert ran.stderr == ""


@pytest.mark.parametrize("word", ["--help", "-h", "help"])
def test_help_succeeds(word: str) -> None:
    ran = _coh(word)

    assert ran.returncode == 0
    assert "Usage: coh COMMAND" in ran.stdout


def test_version() -> None:
    assert _coh("--version").stdout.startswith("coh ")


def test_an_unknown_command_names_the_nearest() -> None:
    ran = _coh("aply")

    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.splitlines() == [
        "cli.unknown_command: there is no command aply",
        "  next: did you mean coh apply?",
    ]


@pytest.mark.parametrize(
    ("arguments", "code", "fact", "next_step"),
    [
        (("aply", "--json"), "cli.unknown_command", "aply", "did you mean coh apply?"),
        (("flag", "list", "--json"), "cli.usage", "--env", "coh flag list --help"),
        (("flag", "lst", "--json"), "cli.usage", "lst", "coh flag --help"),
        (("check", "--pr", "x", "--json"), "cli.usage", "--pr", "coh check --help"),
        (
            ("flag", "list", "--env", "prod", "--json"),
            "declared.invalid",
            "prod",
            "one of: sandbox, staging, production",
        ),
        (
            ("flag", "show", "ops_module_webhook", "--env", "staging", "--json"),
            "flag.unknown",
            "ops_module_webhook",
            "did you mean ops_module_webhooks",
        ),
        (("apply", "--commit", "main", "--json"), "target.missing", "COH_", "set COH_"),
        (("audit", "tail", "--json"), "target.missing", "COH_DATABASE_URL", "set COH_DATABASE_URL"),
        (("plan", "--head", "nowhere", "--json"), "change.unknown_commit", "nowhere", "git branch"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, tuple) else "",
)
def test_errors_are_json_when_answers_are(
    arguments: tuple[str, ...], code: str, fact: str, next_step: str
) -> None:
    ran = _coh(*arguments, COH_OPA=sys.executable)

    assert (ran.returncode, ran.stdout) == (2, "")
    document = json.loads(ran.stderr.splitlines()[-1])
    assert document["schema"] == "coh.error/1"
    (error,) = document["errors"]
    assert error["code"] == code
    assert fact in error["fact"]
    assert next_step in error["next"]


@pytest.mark.parametrize(
    ("command", "also"),
    [
        (("reconcile",), ", repository"),
        (("audit", "tail"), ", repository"),
        (("infra", "up"), ""),
        (("infra", "preview"), ""),
        (("flag", "enable", "x", "--reason", "x"), ""),
        (("flag", "archive", "x", "--reason", "x"), ""),
        (("doctor",), ""),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, tuple) else "",
)
def test_an_unknown_environment_is_refused_before_all_else(
    command: tuple[str, ...], also: str
) -> None:
    ran = _coh(*command, "--env", "nope")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.splitlines() == [
        "declared.invalid: infra/environments:1: there is no environment `nope`",
        f"  next: one of: sandbox, staging, production{also}",
    ]


@pytest.mark.parametrize("command", [("reconcile",), ("audit", "tail")], ids=" ".join)
def test_the_repository_is_no_environment_and_good_there(command: tuple[str, ...]) -> None:
    ran = _coh(*command, "--env", "repository")
    assert ran.stderr.startswith("target.missing: ")


@pytest.mark.parametrize(
    "arguments",
    [
        ("flag", "show", LONG, "--env", "production"),
        ("flag", "archive", LONG, "--env", "production", "--reason", "x", "--dry-run"),
        ("flag", "list", "--env", LONG),
        (LONG,),
    ],
    ids=lambda arguments: " ".join(word[:10] for word in arguments),
)
def test_a_long_value_is_not_said_back_whole(arguments: tuple[str, ...]) -> None:
    ran = _coh(*arguments)
    assert ran.returncode == 2
    assert "a" * 80 + "..." in ran.stderr
    assert "a" * 81 not in ran.stderr


@pytest.mark.parametrize("name", ["COH_PULUMI_HOME", "COH_PULUMI_WORK"])
def test_a_folder_that_can_not_be_made_is_named(tmp_path: Path, name: str) -> None:
    """A file in its way stops root too."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    values = {
        "COH_DATABASE_URL": "postgresql://127.0.0.1:9/ops",
        "COH_FLAGSMITH_KEY_STAGING": "key",
        "COH_FLAGSMITH_TOKEN": "token",
        "COH_FLAGSMITH_URL": "http://127.0.0.1:9",
        "COH_PULUMI": str(tmp_path / "engine"),
        "COH_PULUMI_BACKEND": tmp_path.as_uri(),
        "COH_PULUMI_HOME": str(tmp_path / "home"),
        "COH_PULUMI_PASSPHRASE_FILE": str(tmp_path / "passphrase"),
        "COH_PULUMI_WORK": str(tmp_path / "work"),
    }
    wrong = {name: str(tmp_path / "file" / "below")}
    ran = _coh("infra", "preview", "--env", "staging", **{**values, **wrong})
    assert ran.returncode == 2
    assert f"target.unusable: {name} can't be used: {tmp_path / 'file'}" in ran.stderr
    assert f"next: name a place that you may write to in {name}" in ran.stderr


@pytest.mark.parametrize("closes_at_once", [True, False], ids=["closed", "one-line"])
@pytest.mark.parametrize(
    "arguments",
    [
        ("flag", "list", "--env", "production"),
        ("flag", "list", "--env", "production", "--json"),
        ("flag", "list", "--help"),
        ("--help",),
    ],
    ids=" ".join,
)
def test_a_reader_may_go_away(arguments: tuple[str, ...], *, closes_at_once: bool) -> None:
    """As in ``coh … | head -1``, and as in ``coh … | true``; never a success that was not one."""
    process = subprocess.Popen(
        [*COH, *arguments],
        cwd=ROOT,
        env=_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    if not closes_at_once:
        process.stdout.readline()
    process.stdout.close()
    said = process.stderr.read().decode()
    process.stderr.close()
    code = process.wait(60)

    assert said == ""
    assert code == PIPE_CLOSED if closes_at_once else code in {0, PIPE_CLOSED}


@pytest.mark.parametrize(
    "arguments",
    [
        ("flag", "list", "--env", "production"),
        ("flag", "show", "ops_module_webhooks", "--env", "production"),
        ("action", "list"),
        ("access", "list", "--env", "production"),
        ("flag", "show", "nothing", "--env", "production"),
        ("flag", "--help"),
        ("aply",),
    ],
    ids=" ".join,
)
def test_a_pipe_gets_no_colours(arguments: tuple[str, ...]) -> None:
    ran = _coh(*arguments, TERM="xterm-256color")

    assert ran.stdout + ran.stderr
    assert ESCAPE not in ran.stdout + ran.stderr


def test_it_runs_from_any_folder(tmp_path: Path) -> None:
    ran = subprocess.run(
        [*COH, "flag", "list", "--env", "staging", "--json"],
        cwd=tmp_path,
        env=_environment(),
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["flags"]


def test_a_database_that_is_down_is_said_without_its_password() -> None:
    ran = _coh("audit", "tail", COH_DATABASE_URL=f"postgresql://coh:{CANARY}@127.0.0.1:1/hub")

    assert (ran.returncode, ran.stdout) == (3, "")
    assert "database.unreachable" in ran.stderr
    assert CANARY not in ran.stderr
    assert "Traceback" not in ran.stderr


CANARY = "canary-in-a-password"


def _apply_without_a_database() -> subprocess.CompletedProcess[str]:
    return _coh(
        *("apply", "--commit", "HEAD"),
        COH_DATABASE_URL=f"postgresql://coh:{CANARY}@127.0.0.1:1/hub",
        COH_GITHUB_REPOSITORY="acme/hub",
        COH_GITHUB_API="http://127.0.0.1:1",
        COH_GITHUB_TOKEN=CANARY,
        COH_OPA=sys.executable,
    )


def test_an_apply_without_a_database_tells_no_password() -> None:
    ran = _apply_without_a_database()

    assert (ran.returncode, ran.stdout) == (3, "")
    assert "database.unreachable" in ran.stderr
    assert CANARY not in ran.stderr


def test_an_apply_without_a_database_shows_no_trace() -> None:
    assert "Traceback" not in _apply_without_a_database().stderr
