"""The state folder of one sandbox: what lies where, and the secrets it made for itself."""

from __future__ import annotations

import json
import os
import secrets
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from infra.settings.environment import ENVIRONMENTS
from ops_actions.adapters.target import CONNECTIONS, state_folder
from ops_actions.errors import BadRequestError

if TYPE_CHECKING:
    from pathlib import Path

REPOSITORY = "clarivum/ops-hub"
"""Full name of the emulated GitHub repository."""

BOT = "coh[bot]"
"""Login of the emulated GitHub App that posts statuses and cards."""

APP_ID = 4711
CHANNEL = "C0OPSHUB"
_MARKER = "clarivum-ops sandbox\n"


@dataclass(frozen=True, slots=True)
class Secrets:
    """Throw-away credentials of one sandbox, made at its first start.

    Attributes:
        key: opens the emulators' own ``/_sandbox/*`` routes.
        people: GitHub token by login; the bot's is among them.
        environments: Flagsmith environment key by environment.
    """

    key: str
    flagsmith: str
    vercel: str
    slack: str
    passphrase: str
    people: dict[str, str]
    environments: dict[str, str]


@dataclass(frozen=True, slots=True)
class Home:
    """Paths inside a state folder."""

    folder: Path

    @property
    def marker(self) -> Path:
        """Says that the folder is a sandbox's; nothing else is started, filled or stopped."""
        return self.folder / "SANDBOX"

    @property
    def filling(self) -> Path:
        """Written when filling begins, and with the first commit when it is done."""
        return self.folder / "FILLED"

    @property
    def connections(self) -> Path:
        """Addresses and credentials of the running services; its presence means *up*."""
        return self.folder / CONNECTIONS

    @property
    def log(self) -> Path:
        """What the daemon printed."""
        return self.folder / "daemon.log"

    @property
    def database(self) -> Path:
        """Data folder of Postgres."""
        return self.folder / "pg"

    @property
    def repository(self) -> Path:
        """The bare git repository behind the emulated GitHub."""
        return self.folder / "github" / "ops-hub.git"

    @property
    def pulumi(self) -> Path:
        """State, home and work folders of the Pulumi engine."""
        return self.folder / "pulumi"

    def store(self, service: str) -> Path:
        """State of one emulator."""
        return self.folder / "services" / f"{service}.db"


def home() -> Home:
    """Return the state folder that ``COH_STATE_DIR`` names, or the default one."""
    return Home(state_folder())


def prepare(place: Home, logins: list[str]) -> Secrets:
    """Make the folder when missing and return its secrets.

    Args:
        place: the state folder.
        logins: people who get a GitHub token.

    Raises:
        BadRequestError: the folder holds something that no sandbox put there, or can't be used.
    """
    _claim(place)
    file = place.folder / "secrets.json"
    if not file.exists():
        write_private(file, json.dumps(_new_secrets(logins)))
    made = Secrets(**json.loads(file.read_text(encoding="utf-8")))
    write_private(place.pulumi / "passphrase", made.passphrase)
    return made


def make_folder(place: Home) -> None:
    """Make the folder when missing; nothing is put into it, whoever it belongs to.

    Raises:
        BadRequestError: it can't be one of a sandbox.
    """
    folder = place.folder
    if shlex.quote(str(folder)) != str(folder):
        raise BadRequestError(
            "sandbox.bad_folder",
            f"Postgres can't have its socket in {folder}: spaces and quotes do not work there",
            "name a folder with a plain path in COH_STATE_DIR",
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _bad_folder(folder, error) from error


def _claim(place: Home) -> None:
    """Make the folder a sandbox's, unless it is somebody else's."""
    make_folder(place)
    folder = place.folder
    try:
        if not place.marker.is_file() and any(folder.iterdir()):
            raise BadRequestError(
                "sandbox.foreign_folder",
                f"{folder} is not empty and is not a sandbox",
                "name an empty folder in COH_STATE_DIR",
            )
        place.marker.write_text(_MARKER, encoding="utf-8")
        # Not the folder itself: as root, Postgres runs as another user below it.
        for private in (place.pulumi, place.repository.parent, place.store("").parent):
            private.mkdir(mode=0o700, exist_ok=True)
        for name in ("state", "home", "work"):
            (place.pulumi / name).mkdir(exist_ok=True)
    except OSError as error:
        raise _bad_folder(folder, error) from error


def _bad_folder(folder: Path, error: OSError) -> BadRequestError:
    return BadRequestError(
        "sandbox.bad_folder",
        f"{folder} can't hold a sandbox: {error.strerror}",
        "name a folder that you may write to in COH_STATE_DIR",
    )


def write_private(file: Path, text: str) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    half = file.with_name(f".{file.name}.{os.getpid()}")
    descriptor = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)
    half.replace(file)


def _new_secrets(logins: list[str]) -> dict[str, object]:
    def token(prefix: str) -> str:
        return f"{prefix}{secrets.token_hex(12)}"

    return {
        "key": token("sbx_"),
        "flagsmith": token("fsk_"),
        "vercel": secrets.token_hex(12),  # Vercel's own clients demand 24 characters of [0-9a-zA-Z]
        "slack": token("xoxb-"),
        "passphrase": token("pass_"),
        "people": {login: token("ghs_" if login == BOT else "ghp_") for login in [*logins, BOT]},
        "environments": {name: token("env_") for name in ENVIRONMENTS},
    }
