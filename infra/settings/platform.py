"""Where an environment lives in the outside services, as declared in `platform.yaml`."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field
from pydantic_core import PydanticCustomError

from infra.settings.document import DECLARED_LIMIT, read_document
from infra.settings.validation import validate

Domain = Annotated[
    str,
    Field(
        pattern=r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$",
        max_length=253,
        description="Domain name in small letters, without scheme and path.",
        examples=["ops.clarivum.example"],
    ),
]
"""Host name of the hub."""

Label = Annotated[
    str,
    Field(
        pattern=r"^\S(.*\S)?$",
        max_length=100,
        description="Name as the service shows it.",
        examples=["Clarivum Operations Hub"],
    ),
]
"""Name of something in an outside service."""


def _without_slash(name: str) -> str:
    if "/" in name:
        raise PydanticCustomError(
            "slash",
            "a Flagsmith name must not hold a `/`, which parts the names in the id of a flag",
            {"write": "rename it in Flagsmith, such as EU-prod for EU/prod, and write that name"},
        )
    return name


FlagsmithName = Annotated[
    Label,
    AfterValidator(_without_slash),
    # The validator's words are better than a pattern's; editors know patterns only.
    Field(json_schema_extra={"pattern": r"^[^\s/]([^/\n]*[^\s/])?$"}),
]
"""A label that can be part of a flag's id."""


class Vercel(BaseModel, frozen=True, extra="forbid", strict=True):
    """The project that serves the hub."""

    project_id: str = Field(
        pattern=r"^prj_[A-Za-z0-9]{1,60}$",
        description="Vercel's id of the project.",
        examples=["prj_clarivumweb"],
    )
    project: str = Field(
        pattern=r"^[a-z0-9][a-z0-9._-]{0,99}$",
        description="Name of the project.",
        examples=["clarivum-web"],
    )
    team_id: str | None = Field(
        default=None,
        pattern=r"^team_[A-Za-z0-9]{1,60}$",
        description="Vercel's id of the team, null for a personal account.",
        examples=["team_clarivum"],
    )
    production_domain: Domain
    preview_domain: Domain


class Flagsmith(BaseModel, frozen=True, extra="forbid", strict=True):
    """The Flagsmith environment that serves the flags."""

    project: FlagsmithName
    environment: FlagsmithName


class Slack(BaseModel, frozen=True, extra="forbid", strict=True):
    """Where notices go."""

    channel: str = Field(
        pattern=r"^[CG][A-Z0-9]{2,20}$",
        description="Slack's id of the channel, not its name.",
        examples=["C0OPSHUB"],
    )


class GitHub(BaseModel, frozen=True, extra="forbid", strict=True):
    """The repository whose pull requests change this environment."""

    repository: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}$",
        description="Owner and name.",
        examples=["clarivum/ops-hub"],
    )


class PlatformFile(BaseModel, frozen=True, extra="forbid", strict=True):
    """Outside services of one environment. Ids and names only; credentials live elsewhere."""

    vercel: Vercel = Field(description="Vercel project of the hub.")
    flagsmith: Flagsmith = Field(description="Flagsmith environment of the flags.")
    slack: Slack = Field(description="Slack channel for notices.")
    github: GitHub = Field(description="GitHub repository of declared state.")


_OWN = ("project_id", "project", "production_domain", "preview_domain")
"""Fields of `Vercel` that name something an environment has for itself."""


def shared_field(one: PlatformFile, other: PlatformFile) -> str | None:
    """Return the first field of one environment's Vercel section that names what another one has.

    Vercel takes a project's name and its id in the same place, so any of these names of one
    environment must differ from all of the other's. None when the two lie apart.
    """
    taken = {getattr(other.vercel, field) for field in _OWN}
    return next((field for field in _OWN if getattr(one.vercel, field) in taken), None)


def parse_platform(data: bytes, source: str) -> PlatformFile:
    """Read a `platform.yaml`, up to 8 MiB.

    Args:
        data: the file's bytes.
        source: its path, for errors.

    Raises:
        SettingsError: the file is not a settings file or not one of platforms; names the line.
    """
    return validate(PlatformFile, read_document(data, source, limit=DECLARED_LIMIT))
