"""The emulators of one sandbox, put together over their stores."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ops_actions.clock import system_clock
from sandbox.emulator import Store
from sandbox.flagsmith import app as flagsmith
from sandbox.github import app as github
from sandbox.github.auth import Token
from sandbox.home import APP_ID, BOT, REPOSITORY, Home, Secrets
from sandbox.slack import app as slack
from sandbox.vercel import app as vercel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import ASGIApp

SERVICES = ("github", "flagsmith", "vercel", "slack")
"""Every emulated service."""

_PERSON = frozenset(
    {
        "contents:write",
        "pull_requests:write",
        "statuses:write",
        "issues:write",
        "deployments:write",
        "administration:read",
    }
)
# What the workflows grant: raise and judge, never approve by itself nor change the rules.
_BOT = frozenset(
    {
        "contents:read",
        "pull_requests:write",
        "statuses:write",
        "checks:write",
        "issues:write",
        "administration:read",
    }
)


def applications(place: Home, secrets: Secrets) -> tuple[Mapping[str, ASGIApp], list[Store]]:
    """Build all emulators.

    Returns:
        The applications by service, and the stores to close in the end.
    """
    stores = {name: Store(place.store(name)) for name in SERVICES}
    key = secrets.key
    apps: dict[str, ASGIApp] = {
        "github": github.create_app(
            stores["github"],
            repository_dir=place.repository,
            full_name=REPOSITORY,
            clock=system_clock,
            tokens={token: _token(login) for login, token in secrets.people.items()},
            sandbox_key=key,
        ),
        "flagsmith": flagsmith.create_app(stores["flagsmith"], clock=system_clock, sandbox_key=key),
        "vercel": vercel.create_app(stores["vercel"], clock=system_clock, sandbox_key=key),
        "slack": slack.create_app(stores["slack"], clock=system_clock, sandbox_key=key),
    }
    return apps, list(stores.values())


def _token(login: str) -> Token:
    if login == BOT:
        return Token(login, "bot", _BOT, app_id=APP_ID)
    return Token(login, "user", _PERSON)
