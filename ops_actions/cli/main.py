"""The front door. It knows the commands by name only, so that ``coh --help`` starts at once."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import NamedTuple


class Command(NamedTuple):
    """A command or a group of commands, and the module that holds it."""

    group: str
    module: str
    summary: str


COMMANDS = {
    "flag": Command(
        "requests", "flag", "list feature flags, or raise a pull request that moves one"
    ),
    "action": Command("requests", "action", "list ops actions, or raise a pull request for one"),
    "access": Command("requests", "access", "list who may do what"),
    "plan": Command("gate", "gate", "show what a change will do"),
    "check": Command("gate", "gate", "judge a change and post the review card"),
    "explain": Command("gate", "gate", "explain a rule by its code"),
    "apply": Command("apply", "apply", "apply what was merged"),
    "reconcile": Command("apply", "apply", "finish what a crash left open"),
    "infra": Command("apply", "infra", "preview or bring up the infrastructure"),
    "audit": Command("audit", "audit", "read and verify the audit log"),
    "doctor": Command("operate", "doctor", "look at git, the engines and every service"),
    "sandbox": Command("try", "sandbox", "the cloud on one machine: up, down, status, seed, fault"),
    "demo": Command("try", "demo", "the whole story on real engines, in a sandbox of its own"),
}

USAGE = """\
Usage: coh COMMAND [OPTIONS]

Operate the Clarivum Operations Hub by pull request. Every command has --help with an example.
"""
EXIT_CODES = """\
Exit codes: 0 done or nothing to do, 1 refused, 2 bad request, 3 an outside system failed,
4 our bug, 5 undecidable: a human must look.

Example: coh flag disable ops_module_webhooks --env staging --reason "Retries loop" --dry-run
"""
SINGLE = frozenset({"plan", "check", "explain", "apply", "reconcile", "doctor", "demo"})
"""Commands that have no commands below them."""
PIPE_CLOSED = 141
"""Exit code when the reader of a pipe went away: 128 and the number of SIGPIPE, as shells say."""


def help_text() -> str:
    """Return what ``coh --help`` prints."""
    lines = [USAGE]
    for group in dict.fromkeys(command.group for command in COMMANDS.values()):
        lines.append(f"{group}:")
        lines += [
            f"  {name:<10} {command.summary}"
            for name, command in COMMANDS.items()
            if command.group == group
        ]
        lines.append("")
    return "\n".join([*lines, EXIT_CODES])


def run(arguments: list[str] | None = None) -> None:
    """Run the command line and end the process with its exit code."""
    code = PIPE_CLOSED
    try:
        code = _run(sys.argv[1:] if arguments is None else arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        # Piping into head closes the pipe early; that is the reader's right. Whether all went well
        # was perhaps not known yet, so it is no success either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = code or PIPE_CLOSED
    raise SystemExit(code)


def _run(given: list[str]) -> int:
    if not given or given[0] in ("--help", "-h", "help"):
        sys.stdout.write(help_text())
        return 0 if given else 2
    if given[0] == "--version":
        from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 - start-up time

        try:
            sys.stdout.write(f"coh {version('clarivum-ops')}\n")
        except PackageNotFoundError:
            sys.stdout.write("coh (running from a checkout)\n")
        return 0
    command = COMMANDS.get(given[0])
    if command is None:
        return _unknown(given)
    from ops_actions.cli.guard import guarded  # noqa: PLC0415 - start-up time

    module = import_module(f"ops_actions.cli.{command.module}")
    return guarded(module.app, given if given[0] in SINGLE else given[1:], given[0])


def _unknown(given: list[str]) -> int:
    from difflib import get_close_matches  # noqa: PLC0415 - start-up time

    from infra.settings.characters import shown_key  # noqa: PLC0415 - start-up time
    from ops_actions.cli.output import emit_error, errors_as_json  # noqa: PLC0415 - the same
    from ops_actions.errors import BadRequestError  # noqa: PLC0415 - the same

    near = get_close_matches(given[0], COMMANDS, n=1)
    hint = f"did you mean coh {near[0]}?" if near else "coh --help lists them"
    errors_as_json("--json" in given)
    fact = f"there is no command {shown_key(given[0])}"
    return emit_error(BadRequestError("cli.unknown_command", fact, hint))
