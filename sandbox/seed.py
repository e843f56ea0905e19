"""Fill a running sandbox: the repository, the people, the services and the declared state."""

from __future__ import annotations

import os
import subprocess
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal

from infra.settings.access import Grant, Role
from infra.settings.environment import (
    ENVIRONMENTS,
    EnvironmentSettings,
    load_environment,
    load_platforms,
    read_from_folder,
)
from ops_actions.errors import BadRequestError
from ops_actions.wiring.apply import apply_tools
from ops_actions.wiring.infrastructure import bring_up
from ops_actions.wiring.place import target as read_target
from sandbox import flagsmith, slack, vercel
from sandbox.emulator import Store
from sandbox.flagsmith.seed import EnvironmentSeed
from sandbox.github.seed import SeedApp, SeedUser, register_app, register_users, seed_repository
from sandbox.home import APP_ID, BOT, CHANNEL, Home, Secrets, home, prepare
from sandbox.slack.seed import ChannelSeed
from sandbox.vercel.seed import DeploymentSeed, ProjectSeed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from infra.settings.platform import PlatformFile, Vercel
    from ops_actions.adapters.target import Target

GOOD = "dpl_9f2"
"""Deployment that served production before."""

BAD = "dpl_a17"
"""Deployment that serves production now."""


def deployments_of(environment: str) -> tuple[str, str]:
    """Return the deployment that an environment's Vercel project served before and serves now.

    Ids are unique in Vercel, so production has the plain ones and the others their own.
    """
    suffix = "" if environment == "production" else environment
    return f"{GOOD}{suffix}", f"{BAD}{suffix}"


def seed(root: Path, environment: str) -> str:
    """Fill the sandbox from a checkout and bring one environment up.

    Args:
        root: checkout whose files become the repository's first commit.
        environment: environment whose declared state is brought up by the engine.

    Returns:
        The first commit.

    Raises:
        BadRequestError: it is filled already, or an earlier filling stopped half-way.
        OutsideError: there is no running sandbox, or an engine failed.
    """
    place = home()
    target = read_target(sandbox=True)
    settings = load_environment(environment, read_from_folder(root))
    platforms = load_platforms(read_from_folder(root))
    secrets = prepare(place, [person.login for person in settings.access.people])
    _begin(place)
    _services(place, secrets, platforms[environment])
    _hosting(place, secrets, platforms, platforms[environment].vercel.team_id or "team_sandbox")
    commit = _repository(place, root, settings)
    bring_up(target, settings)
    _set_cursor(target, commit)
    place.filling.write_text(commit, encoding="utf-8")
    return commit


def _begin(place: Home) -> None:
    """Refuse a sandbox that was filled, to the end or not."""
    try:
        with place.filling.open("x"):
            return
    except FileExistsError as error:
        if place.filling.read_text(encoding="utf-8"):
            raise BadRequestError(
                "sandbox.seeded",
                f"the sandbox in {place.folder} is filled already",
                "use it, or name another folder in COH_STATE_DIR",
            ) from error
        raise BadRequestError(
            "sandbox.half_seeded",
            f"filling the sandbox in {place.folder} stopped half-way",
            f"coh sandbox down, then remove {place.folder} and start again",
        ) from error


def _services(place: Home, secrets: Secrets, platform: PlatformFile) -> None:
    names = {"sandbox": "Sandbox", "staging": "Staging", "production": "Production"}
    flagsmith.seed(
        Store(place.store("flagsmith")),
        organisation="Clarivum",
        project=platform.flagsmith.project,
        environments={
            names[name]: EnvironmentSeed(secrets.environments[name]) for name in ENVIRONMENTS
        },
        token=secrets.flagsmith,
        at=datetime.now(UTC),
    )
    slack.seed(
        Store(place.store("slack")),
        token=secrets.slack,
        channels=[ChannelSeed(CHANNEL, "clarivum-ops")],
    )


def _hosting(
    place: Home, secrets: Secrets, platforms: Mapping[str, PlatformFile], team: str
) -> None:
    """Make the Vercel project of every environment, so that each can be seen to stay in its own."""
    vercel.seed(
        Store(place.store("vercel")),
        team=team,
        token=secrets.vercel,
        projects=[_project(name, platform.vercel) for name, platform in platforms.items()],
    )


def _project(environment: str, declared: Vercel) -> ProjectSeed:
    good, bad = deployments_of(environment)
    now = datetime.now(UTC)
    return ProjectSeed(
        declared.project,
        [
            DeploymentSeed(good, "1" * 40, now - timedelta(days=2)),
            DeploymentSeed(bad, "2" * 40, now - timedelta(hours=3)),
        ],
        current=bad,
        aliases=[declared.production_domain],
        id=declared.project_id,
    )


def _repository(place: Home, root: Path, settings: EnvironmentSettings) -> str:
    now = datetime.now(UTC)
    store = Store(place.store("github"))
    users = [
        SeedUser(person.login, _repository_role(person.roles)) for person in settings.access.people
    ]
    register_users(store, [*users, SeedUser(BOT, kind="Bot")], now)
    register_app(store, SeedApp(APP_ID, "coh", 1, {"checks": "write", "statuses": "write"}), now)
    return seed_repository(
        place.repository,
        {path: root / path for path in tracked_files(root)},
        "Start of the Operations Hub",
        ("coh sandbox", "sandbox@clarivum.example"),
        now,
    )


def _repository_role(grants: tuple[Grant, ...]) -> Literal["admin", "write"]:
    return "admin" if any(grant.role is Role.ADMIN for grant in grants) else "write"


def tracked_files(root: Path) -> list[str]:
    """Return the files of a checkout that git tracks or would track, sorted.

    A folder without git, such as an unpacked archive, gives all its files but hidden folders.
    """
    if (root / ".git").exists():
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=root,
            check=True,
            capture_output=True,
            env={**os.environ, "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C"},
        ).stdout.decode("utf-8")
        names = {name for name in listed.split("\0") if name and (root / name).is_file()}
    else:
        names = {
            str(path.relative_to(root))
            for path in root.rglob("*")
            if path.is_file() and not _hidden(path.relative_to(root))
        }
    return sorted(names)


def _hidden(path: Path) -> bool:
    kept = {".github", ".ci"}
    return any(
        (part.startswith(".") and part not in kept) or part in ("__pycache__", "node_modules")
        for part in path.parts[:-1]
    )


def _set_cursor(target: Target, commit: str) -> None:
    with apply_tools(target, None) as tools:
        tools.book.start_cursor(commit)
