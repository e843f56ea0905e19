"""Feature flags as declared in `flags.yaml`."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, Field

from infra.settings.document import DECLARED_LIMIT, Document, read_document
from infra.settings.validation import validate

FLAG_NAME = r"^[a-z][a-z0-9_]{2,99}$"
"""Pattern of a flag's name. Flagsmith ignores case in names, so there are only small letters."""

FlagName = Annotated[
    str,
    Field(
        pattern=FLAG_NAME,
        description="3 to 100 small ASCII letters, digits and `_`, first a letter.",
        examples=["ops_module_webhooks"],
    ),
]
"""Name of a flag."""

TICKET = r"^[A-Z]+-[0-9]+$"
"""Pattern of a ticket's key."""


class FlagType(StrEnum):
    """What a flag is for; it decides which rules the policies apply."""

    RELEASE = "release"
    KILL_SWITCH = "kill_switch"
    PERMISSION = "permission"
    DESTRUCTIVE_GATE = "destructive_gate"


class Flag(BaseModel, frozen=True, extra="forbid", strict=True):
    """One declared flag."""

    enabled: bool = Field(description="Whether the flag is on.")
    type: FlagType = Field(strict=False, description="What the flag is for.")
    owner: str | None = Field(
        default=None,
        pattern=r"^[a-z][a-z0-9_-]{1,49}$",
        description="Team that answers for the flag.",
        examples=["platform"],
    )
    expires: date | None = Field(
        default=None,
        description="Last day the flag may exist, without quotes.",
        examples=["2027-02-01"],
    )
    reason: str = Field(
        min_length=1,
        max_length=500,
        pattern=r"\S",
        description="Why the flag has this state, 1 to 500 characters.",
        examples=["Roll out webhook retries to operators"],
    )
    ticket: str | None = Field(
        default=None,
        pattern=TICKET,
        max_length=50,
        description="Ticket that tracks the work.",
        examples=["KAIZEN-412"],
    )
    value: str | None = Field(
        default=None,
        max_length=2000,
        description="Text that Flagsmith serves with the flag; numbers and booleans in quotes.",
        examples=['"20"'],
    )
    description: str | None = Field(
        default=None,
        max_length=500,
        description="What the flag does, up to 500 characters.",
        examples=["Shows the webhook module to operators"],
    )


class FlagsFile(BaseModel, frozen=True, extra="forbid", strict=True):
    """All flags of one environment, by name."""

    flags: dict[FlagName, Flag] = Field(
        description="Flags by name; `flags: {}` when there are none."
    )


def parse_flags(data: bytes, source: str) -> FlagsFile:
    """Read a `flags.yaml`, up to 8 MiB.

    Args:
        data: the file's bytes.
        source: its path, for errors.

    Raises:
        SettingsError: the file is not a settings file or not one of flags; names the line.
    """
    return flags_of(read_document(data, source, limit=DECLARED_LIMIT))


def flags_of(document: Document) -> FlagsFile:
    """Check a document that was read before as a `flags.yaml`.

    Raises:
        SettingsError: it is not one; names the line.
    """
    return validate(FlagsFile, document)
