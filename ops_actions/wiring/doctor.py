"""Looks at everything a command may need, one thing after another; changes nothing."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from infra.clients.errors import ClientError
from infra.clients.slack import SlackClient
from infra.clients.vercel import vercel_client
from infra.settings.environment import load_platforms, read_from_folder
from infra.settings.errors import SettingsError
from infra.settings.migrations import read_migrations
from ops_actions.change.request import declared_error
from ops_actions.errors import BadRequestError, OpsError
from ops_actions.wiring.gate import repository, rules
from ops_actions.wiring.host import code_host
from ops_actions.wiring.infrastructure import flagsmith
from ops_actions.wiring.place import MIGRATIONS, local_settings
from ops_actions.wiring.record import database

if TYPE_CHECKING:
    from collections.abc import Callable

    from ops_actions.adapters.target import Target

VERSION_SECONDS = 30.0
"""How long an engine may take to say its version."""


class State(StrEnum):
    """How a look ended. What is not configured was not looked at, so it never counts as well."""

    OK = "ok"
    FAILED = "failed"
    NOT_CONFIGURED = "not_configured"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was seen of one thing.

    Attributes:
        name: the thing.
        fact: what was seen, or what is wrong.
        next_step: what to do about it; empty when it is well.
    """

    name: str
    state: State
    fact: str
    next_step: str


def examine(place: Target, environment: str) -> tuple[Finding, ...]:
    """Look at all environments' platforms, then at repository, engines and one's services."""
    looks: dict[str, Callable[[], str]] = {
        "platforms": lambda: _platforms(place),
        "git": lambda: f"at {repository(place, None).head_commit()[:12]}",
        "opa": lambda: f"reads {len(rules(place))} rules",
        "pulumi": lambda: _pulumi(place),
        "github": lambda: _github(place),
        "postgres": lambda: _postgres(place),
        "flagsmith": lambda: f"environment {flagsmith(place, environment).environment.name}",
        "vercel": lambda: _vercel(place, environment),
        "slack": lambda: _slack(place),
    }
    return tuple(_look(name, look) for name, look in looks.items())


def _look(name: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(name, State.OK, look(), "")
    except BadRequestError as error:
        missing = error.code in ("target.missing", "engine.missing")
        state = State.NOT_CONFIGURED if missing else State.FAILED
        return Finding(name, state, error.fact, error.next_step)
    except OpsError as error:
        # The next step of a failure is often this very command; the fact is what helps here.
        return Finding(name, State.FAILED, f"{error.code}: {error.fact}", "see the fact")
    except ClientError as error:
        return Finding(name, State.FAILED, str(error), "check its address and its token")


def _platforms(place: Target) -> str:
    try:
        platforms = load_platforms(read_from_folder(place.root))
    except SettingsError as error:
        raise declared_error(error) from error
    return f"{len(platforms)} environments, each with a Vercel project and domains of its own"


def _pulumi(place: Target) -> str:
    binary = Path(place.need("COH_PULUMI")) / "bin" / "pulumi"
    try:
        done = subprocess.run(
            [str(binary), "version"],
            check=True,
            capture_output=True,
            text=True,
            timeout=VERSION_SECONDS,
            env={"PULUMI_SKIP_UPDATE_CHECK": "true", "PULUMI_HOME": place.need("COH_PULUMI_HOME")},
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise BadRequestError(
            "engine.broken", f"{binary.name} does not run ({type(error).__name__})", "scripts/setup"
        ) from error
    return f"version {done.stdout.strip()}"


def _github(place: Target) -> str:
    tip = code_host(place, read_only=True).default_branch_tip()
    return f"{place.need('COH_GITHUB_REPOSITORY')}, {tip.name} at {tip.commit[:12]}"


def _postgres(place: Target) -> str:
    wanted = len(read_migrations(MIGRATIONS))
    with database(place).connection() as connection:
        row = connection.execute("select to_regclass('public.ops_audit_head')").fetchone()
        if row is None or row[0] is None:
            raise BadRequestError(
                "database.not_migrated",
                "the database has no audit log yet",
                "coh infra up --env ENVIRONMENT",
            )
        head = connection.execute("select seq from public.ops_audit_head").fetchone()
        done = connection.execute("select count(*) from public.ops_schema_migration").fetchone()
    if head is None or done is None or done[0] < wanted:
        raise BadRequestError(
            "database.not_migrated",
            f"{done[0] if done else 0} of {wanted} migrations are applied",
            "coh infra up --env ENVIRONMENT",
        )
    return f"{done[0]} migrations, {head[0]} audit entries"


def _vercel(place: Target, environment: str) -> str:
    settings = local_settings(environment).platform.vercel
    client = vercel_client(
        place.need("COH_VERCEL_URL"), place.need("COH_VERCEL_TOKEN"), team_id=settings.team_id
    )
    return f"{settings.project} serves {client.project(settings.project_id).production}"


def _slack(place: Target) -> str:
    client = SlackClient(
        place.need("COH_SLACK_TOKEN"), base_url=place.need("COH_SLACK_URL"), read_only=True
    )
    channel = place.need("COH_SLACK_CHANNEL")
    client.find(channel, "coh-doctor")
    return f"reads channel {channel}"
