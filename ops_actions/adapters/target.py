"""Where the outside is: addresses and credentials, read once from the process environment.

Nothing is guessed and nothing falls back to the sandbox: a missing value stops with its name, and
so does one that no client could send.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from platformdirs import user_cache_path

from ops_actions.errors import BadRequestError, OutsideError

if TYPE_CHECKING:
    from collections.abc import Mapping

CONNECTIONS = "connections.json"
"""File of a sandbox's state folder with the addresses of its services."""

_GITHUB_ACTIONS = {
    "COH_GITHUB_API": "GITHUB_API_URL",
    "COH_GITHUB_REPOSITORY": "GITHUB_REPOSITORY",
    "COH_GITHUB_TOKEN": "GITHUB_TOKEN",
}
"""What GitHub Actions calls the same things."""

PATHS = frozenset(
    {
        "COH_CHECKOUT",
        "COH_OPA",
        "COH_PULUMI",
        "COH_PULUMI_BACKEND",
        "COH_PULUMI_HOME",
        "COH_PULUMI_PASSPHRASE_FILE",
        "COH_PULUMI_WORK",
    }
)
"""Names of files and folders, which may hold any character."""

_DATABASE = "COH_DATABASE_URL"


@dataclass(frozen=True, slots=True)
class Target:
    """One outside: the real one, or one sandbox.

    Attributes:
        values: ``COH_…`` names and their values; never shown, they hold credentials.
        sandbox: the state folder of the sandbox, None for the real outside.
        root: checkout that this code runs from.
    """

    values: Mapping[str, str] = field(repr=False)
    sandbox: Path | None
    root: Path

    def get(self, name: str) -> str | None:
        """Return a value, None when it is missing or empty.

        Raises:
            BadRequestError: ``target.invalid``, no client could use it; names it.
        """
        for called in (name, _GITHUB_ACTIONS.get(name, "")):
            value = self.values.get(called)
            if value:
                _refuse_unusable(name, called, value)
                return value
        return None

    def need(self, name: str) -> str:
        """Return a value.

        Raises:
            BadRequestError: ``target.missing`` or ``target.invalid``, names it.
        """
        value = self.get(name)
        if value is None:
            raise BadRequestError(
                "target.missing",
                f"{name} is not set, so it is not known where to go",
                f"set {name}, or add --sandbox to talk to a sandbox",
            )
        return value

    @property
    def words(self) -> str:
        """Say which outside this is, for every command's first line."""
        return f"the sandbox in {self.sandbox}" if self.sandbox else "the live services"


def state_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Return the state folder of the sandbox: ``COH_STATE_DIR``, or one below the user's cache."""
    named = environment.get("COH_STATE_DIR")
    return Path(named).resolve() if named else user_cache_path("clarivum-ops") / "sandbox"


def read_target(
    *, sandbox: bool, root: Path, environment: Mapping[str, str] = os.environ
) -> Target:
    """Read where the outside is.

    Args:
        sandbox: take the running sandbox's services instead of the real ones.
        root: checkout that this code runs from.
        environment: variables of the process; in a sandbox those of the sandbox come on top,
            except a token that was given on purpose.

    Raises:
        OutsideError: ``sandbox.down``, there is no sandbox to take.
        BadRequestError: ``sandbox.bad_connections``.
    """
    if not sandbox:
        return Target(values=dict(environment), sandbox=None, root=root)
    folder = state_folder(environment)
    stored = read_connections(folder)
    if stored is None:
        raise OutsideError(
            "sandbox.down", f"no sandbox runs in {folder}", "coh sandbox up, then coh sandbox seed"
        )
    values = {**environment, **stored.values}
    given = environment.get("COH_GITHUB_TOKEN")
    if given:
        logins = {token: login for login, token in stored.tokens.items()}
        values |= {"COH_GITHUB_TOKEN": given, "COH_GITHUB_ACCOUNT": logins.get(given, "")}
    return Target(values=values, sandbox=folder, root=root)


@dataclass(frozen=True, slots=True)
class Connections:
    """What a running sandbox wrote about itself.

    Attributes:
        pid: process of its daemon.
        urls: address of each emulated service.
        tokens: GitHub token by login.
        values: the ``COH_…`` values of its services.
        key: opens the emulators' own routes.
    """

    pid: int
    urls: dict[str, str] = field(repr=False)
    tokens: dict[str, str] = field(repr=False)
    values: dict[str, str] = field(repr=False)
    key: str = field(repr=False)


def read_connections(folder: Path) -> Connections | None:
    """Read what the sandbox of a state folder wrote, None when it wrote nothing whole.

    Raises:
        BadRequestError: ``sandbox.bad_connections``, something else wrote the file.
    """
    file = folder / CONNECTIONS
    try:
        stored = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    try:
        urls, tokens, values = (_texts(stored[part]) for part in ("urls", "tokens", "values"))
        return Connections(int(stored["pid"]), urls, tokens, values, str(stored["key"]))
    except (KeyError, TypeError, ValueError):
        raise BadRequestError(
            "sandbox.bad_connections",
            f"{file} is not as coh sandbox up writes it",
            f"remove {file}, then coh sandbox up",
        ) from None  # the file holds tokens


def _texts(part: object) -> dict[str, str]:
    """Check that a part of the file is an object of texts."""
    if not isinstance(part, dict) or not all(isinstance(each, str) for each in part.values()):
        raise TypeError
    return part


def _refuse_unusable(name: str, called: str, value: str) -> None:
    """Refuse a value that would fail deep in a client, where nobody knows its name any more.

    Args:
        name: our name of the variable, which says what it holds.
        called: the variable that was set.
        value: never shown, it may be a secret.

    Raises:
        BadRequestError: ``target.invalid``.
    """
    if not name.startswith("COH_") or name in PATHS:
        return
    if name == _DATABASE:  # whoever connects knows more of libpq's addresses
        if not value.isprintable():
            raise _invalid(called, "characters that are not printable UTF-8", "its address again")
    elif not (value.isascii() and value.isprintable() and value == value.strip()):
        raise _invalid(
            called, "spaces around it or characters beyond ASCII", "it in printable ASCII"
        )
    elif name.endswith(("_URL", "_API")) and not _is_address(value):
        raise _invalid(called, "no address of a service", "it as https://HOST/PATH")


def _is_address(value: str) -> bool:
    import httpx  # noqa: PLC0415 - slow to import, and whoever asks for an address needs it anyway

    try:
        url = httpx.URL(value)
    except httpx.InvalidURL:
        return False
    return url.scheme in ("http", "https") and bool(url.host)


def _invalid(called: str, holds: str, write: str) -> BadRequestError:
    return BadRequestError(
        "target.invalid", f"{called} holds {holds}", f"set {called}: write {write}"
    )
