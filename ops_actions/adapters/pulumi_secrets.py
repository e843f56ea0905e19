"""What of the addresses an engine is given must never be shown."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

import psycopg
from psycopg import conninfo

if TYPE_CHECKING:
    from collections.abc import Iterator

_USER_INFO = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*://([^/?#]*)@")
_QUERY_PASSWORD = re.compile(r"[?&]password=([^&#]*)")


def secrets_of(backend_url: str, database_url: str, *others: str) -> tuple[str, ...]:
    """Return the texts to redact, longest first, so that none is hidden in pieces only.

    A plain folder as a backend is no secret; without it, no message could name a file.

    Args:
        backend_url: where the engine's states are.
        database_url: libpq address or ``key=value`` text.
        others: further secrets, such as tokens.
    """
    found = {database_url, *others, *_of_user_info(backend_url), *_of_user_info(database_url)}
    if not backend_url.startswith("file://") or _USER_INFO.match(backend_url):
        found.add(backend_url)
    found |= {*_QUERY_PASSWORD.findall(database_url), _database_password(database_url)}
    return tuple(sorted((one for one in found if one), key=lambda one: (-len(one), one)))


def _of_user_info(url: str) -> Iterator[str]:
    """Yield user info and password of an address, as they are written and as they are meant."""
    match = _USER_INFO.match(url)
    if match is None:
        return
    _, colon, password = match[1].partition(":")
    # A user's bare name is a word such as `postgres`; a token that stands alone is no name.
    for one in (match[1], password) if colon else (match[1],):
        yield one
        yield unquote(one)


def _database_password(url: str) -> str:
    try:
        return str(conninfo.conninfo_to_dict(url).get("password") or "")
    except psycopg.ProgrammingError:  # whoever connects with it says what is wrong
        return ""
