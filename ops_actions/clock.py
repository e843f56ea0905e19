"""Time is taken once, at the edge; everything inside receives it as a value."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Gives the current time, always aware and in UTC."""


def system_clock() -> datetime:
    """Return the machine's time in UTC."""
    return datetime.now(UTC)


def rfc3339(moment: datetime) -> str:
    """Return a moment as RFC 3339 in UTC with microseconds: 2026-11-24T09:00:00.000000Z.

    Raises:
        ValueError: the moment has no time zone.
    """
    if moment.tzinfo is None:
        raise ValueError("a moment without a time zone can't be written down")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
