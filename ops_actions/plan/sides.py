"""The two sides of a declared file, keyed by what they describe."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from infra.settings.errors import SettingsError
from ops_actions.change.request import declared_error
from ops_actions.errors import BadRequestError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from ops_actions.change.model import FileChange

Parsed = TypeVar("Parsed")


class UnreadableBaseError(BadRequestError):
    """The base commit holds a file that can't be read, so what changes can't be known."""


def parse_side(
    data: bytes | None, path: str, parse: Callable[[bytes, str], Parsed]
) -> Parsed | None:
    """Parse one side of a file; an absent side is None.

    Raises:
        BadRequestError: ``declared.invalid`` with file, line and what to write instead.
    """
    if data is None:
        return None
    try:
        return parse(data, path)
    except SettingsError as error:
        raise declared_error(error) from error


def parse_both(
    file: FileChange, parse: Callable[[bytes, str], Parsed]
) -> tuple[Parsed | None, Parsed | None]:
    """Parse the base and the head side of a file.

    Raises:
        UnreadableBaseError: only the base side can't be read.
        BadRequestError: the head side can't be read.
    """
    after = parse_side(file.after, file.path, parse)
    try:
        return parse_side(file.before, file.path, parse), after
    except BadRequestError as error:
        raise UnreadableBaseError(error.code, error.fact, error.next_step) from error


def differing(
    before: Mapping[str, Parsed], after: Mapping[str, Parsed]
) -> Iterator[tuple[str, Parsed | None, Parsed | None]]:
    """Yield the keys whose values differ, sorted, with both values."""
    for key in sorted(before.keys() | after.keys()):
        old, new = before.get(key), after.get(key)
        if old != new:
            yield key, old, new
