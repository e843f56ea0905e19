"""One environment: its three files, read and checked together."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from infra.settings.access import AccessFile, parse_access
from infra.settings.characters import shown_key
from infra.settings.document import DECLARED_LIMIT, read_document
from infra.settings.errors import SettingsError
from infra.settings.flags import FlagsFile, parse_flags
from infra.settings.platform import PlatformFile, parse_platform, shared_field
from infra.settings.validation import known_names

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from infra.settings.flags import Flag

ENVIRONMENTS = ("sandbox", "staging", "production")
"""Every environment there is."""

FOLDER = "infra/environments"
"""Folder of declared state, from the repository's root."""


@dataclass(frozen=True, slots=True)
class EnvironmentSettings:
    """Declared state of one environment."""

    name: str
    flags: FlagsFile
    access: AccessFile
    platform: PlatformFile

    def flag(self, name: str) -> Flag | None:
        """Return a declared flag, None when there is no such flag."""
        return self.flags.flags.get(name)


def file_of(environment: str, what: str) -> str:
    """Return the path of one file of an environment, such as ``file_of("staging", "flags")``.

    Raises:
        SettingsError: there is no such environment.
    """
    if environment not in ENVIRONMENTS:
        raise SettingsError(
            FOLDER,
            1,
            f"there is no environment `{shown_key(environment)}`",
            known_names(environment, list(ENVIRONMENTS)),
        )
    return f"{FOLDER}/{environment}/{what}.yaml"


def load_environment(name: str, read: Callable[[str], bytes | None]) -> EnvironmentSettings:
    """Read one environment.

    Args:
        name: one of `ENVIRONMENTS`.
        read: gives the content of a file by its path from the repository's root, None when there
            is no such file; git at one commit, or `read_from_folder`.

    Raises:
        SettingsError: no such environment, a file is missing, or a file is wrong.
    """
    return EnvironmentSettings(
        name=name,
        flags=parse_flags(*_content(name, "flags", read)),
        access=parse_access(*_content(name, "access", read)),
        platform=parse_platform(*_content(name, "platform", read)),
    )


def load_platforms(read: Callable[[str], bytes | None]) -> Mapping[str, PlatformFile]:
    """Read where every environment lives, and make sure that each has a place of its own.

    Two environments with one Vercel project would move each other: what is asked for in one, behind
    its open gate, would move what the closed gate of the other one protects.

    Args:
        read: as of `load_environment`.

    Returns:
        The platform file of each of `ENVIRONMENTS`.

    Raises:
        SettingsError: a file is missing or wrong, or names a project or domain of another
            environment.
    """
    contents = {name: _content(name, "platform", read) for name in ENVIRONMENTS}
    platforms = {name: parse_platform(*content) for name, content in contents.items()}
    for one, other in combinations(ENVIRONMENTS, 2):
        if (field := shared_field(platforms[one], platforms[other])) is not None:
            data, path = contents[one]
            document = read_document(data, path, limit=DECLARED_LIMIT)
            raise SettingsError(
                path,
                document.line(("vercel", field)),
                f"vercel.{field} names what {contents[other][1]} names too",
                f"a Vercel project and domains that only {one} has",
            )
    return platforms


def _content(name: str, what: str, read: Callable[[str], bytes | None]) -> tuple[bytes, str]:
    path = file_of(name, what)
    data = read(path)
    if data is None:
        raise SettingsError(
            path, 1, "the file is missing", f"it, as in {FOLDER}/{ENVIRONMENTS[0]}/{what}.yaml"
        )
    return data, path


def read_from_folder(root: Path) -> Callable[[str], bytes | None]:
    """Return a reader of files below a folder.

    Args:
        root: the repository's root, or a folder laid out like it.
    """

    def read(path: str) -> bytes | None:
        file = root / path
        return file.read_bytes() if file.is_file() and not file.is_symlink() else None

    return read
