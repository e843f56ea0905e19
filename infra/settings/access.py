"""Who may do what, as declared in `access.yaml`; people are subjects and logins, never names."""

from __future__ import annotations

from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field
from pydantic_core import PydanticCustomError

from infra.settings.document import DECLARED_LIMIT, read_document
from infra.settings.validation import validate


class Role(StrEnum):
    """What a person may do on the Operations Hub."""

    VIEWER = "ops_viewer"
    EDITOR = "ops_editor"
    ADMIN = "ops_admin"
    FINANCE = "ops_finance"


class Grant(BaseModel, frozen=True, extra="forbid", strict=True):
    """One role of one person."""

    role: Role = Field(strict=False, description="The role.")
    until: date | None = Field(
        default=None,
        description="Last day of the role (UTC), without quotes.",
        examples=["2027-03-31"],
    )

    def valid_at(self, moment: datetime) -> bool:
        """Tell whether the grant is valid at a moment.

        Raises:
            ValueError: the moment has no time zone.
        """
        if moment.tzinfo is None:
            raise ValueError("a moment without a time zone has no day in UTC")
        return self.until is None or moment.astimezone(UTC).date() <= self.until


def _each_role_once(roles: tuple[Grant, ...]) -> tuple[Grant, ...]:
    seen: set[Role] = set()
    for index, grant in enumerate(roles):
        if grant.role in seen:
            raise PydanticCustomError(
                "role_twice",
                "role {role} stands twice",
                {
                    "role": grant.role.value,
                    "write": f"each role once, without roles[{index}]",
                },
            )
        seen.add(grant.role)
    return roles


class Person(BaseModel, frozen=True, extra="forbid", strict=True):
    """One person, known by Auth0 subject and GitHub login."""

    sub: str = Field(
        pattern=r"^[a-z0-9-]{1,50}\|[A-Za-z0-9_|.-]{1,128}$",
        description="Auth0 subject: connection, `|`, id; never an e-mail address.",
        examples=["auth0|65f0c1a2b3d4e5f601020304"],
    )
    github: str = Field(
        pattern=r"^[A-Za-z0-9]+(-[A-Za-z0-9]+)*(_[a-z0-9]+)?$",
        max_length=39,
        description="GitHub login; never an e-mail address.",
        examples=["mara-lind"],
    )
    roles: Annotated[tuple[Grant, ...], AfterValidator(_each_role_once)] = Field(
        strict=False,
        min_length=1,
        description="What the person may do; somebody without a role is left out of the file.",
        examples=["[{role: ops_viewer}]"],
    )

    @property
    def login(self) -> str:
        """GitHub login in lower case, the form that is compared."""
        return self.github.lower()


def _each_person_once(people: tuple[Person, ...]) -> tuple[Person, ...]:
    for field in ("sub", "login"):
        first: dict[str, int] = {}
        for index, person in enumerate(people):
            key = str(getattr(person, field))
            if key in first:
                raise PydanticCustomError(
                    "person_twice",
                    "the same person as people[{first}]",
                    {
                        "first": first[key],
                        "at": ("people", index, "sub" if field == "sub" else "github"),
                        "write": "each sub and login once, with all roles of the person",
                    },
                )
            first[key] = index
    return people


class AccessFile(BaseModel, frozen=True, extra="forbid", strict=True):
    """All people of one environment."""

    people: Annotated[tuple[Person, ...], AfterValidator(_each_person_once)] = Field(
        strict=False, min_length=1, description="People and their roles, at least one person."
    )

    def person(self, login: str) -> Person | None:
        """Return the person with a GitHub login, in any letter case; None for a stranger."""
        wanted = login.lower()
        return next((person for person in self.people if person.login == wanted), None)

    def roles_at(self, login: str, moment: datetime) -> tuple[str, ...]:
        """Return the roles that a GitHub login has at a moment, sorted; none for a stranger.

        Raises:
            ValueError: the moment has no time zone.
        """
        person = self.person(login)
        if person is None:
            return ()
        return tuple(sorted(grant.role.value for grant in person.roles if grant.valid_at(moment)))


def parse_access(data: bytes, source: str) -> AccessFile:
    """Read an `access.yaml`, up to 8 MiB.

    Args:
        data: the file's bytes.
        source: its path, for errors.

    Raises:
        SettingsError: the file is not a settings file or not one of people; names the line.
    """
    return validate(AccessFile, read_document(data, source, limit=DECLARED_LIMIT))
