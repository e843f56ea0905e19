"""Answers of outside services: what they say about success, failure and waiting."""

from __future__ import annotations

import json
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING

from infra.clients.errors import (
    BadRequestError,
    ClientError,
    ConflictError,
    InvalidAnswerError,
    NotFoundError,
    RateLimitedError,
    UnauthorisedError,
    UnavailableError,
    UnknownOutcomeError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

_BY_STATUS: Mapping[int, type[ClientError]] = {
    401: UnauthorisedError,
    403: UnauthorisedError,
    404: NotFoundError,
    409: ConflictError,
    412: ConflictError,
    428: ConflictError,
    429: RateLimitedError,
    503: UnavailableError,
}


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer.

    Attributes:
        status: HTTP status.
        body: decompressed body.
        headers: by lower-case name.
    """

    status: int
    body: bytes
    headers: Mapping[str, str]

    @property
    def ok(self) -> bool:
        """Whether the service says that it did what was asked."""
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES

    def reason(self) -> str:
        """Return the service's own words for a failure, or a general one."""
        try:
            document = json.loads(self.body)
        except ValueError:
            return "the service gave no reason"
        return "; ".join(_words(document)) or "the service gave no reason"


def error_of(status: int, *, reads: bool) -> type[ClientError]:
    """Return the class of error for a status.

    A server error after a write leaves open whether the write happened. The exception is 503,
    with which a service says that it did not take the request.
    """
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return UnavailableError if reads else UnknownOutcomeError
    if status >= HTTPStatus.BAD_REQUEST:
        return BadRequestError
    return InvalidAnswerError


def retry_after_of(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that Retry-After asks for (RFC 9110 section 10.2.3), None without it.

    A date is taken relative to the answer's own Date header, so that no clock is needed here.
    """
    text = headers.get("retry-after", "").strip()
    if text.isdecimal():
        return float(text)
    try:
        then = parsedate_to_datetime(text)
        now = parsedate_to_datetime(headers.get("date", ""))
        return max(0.0, (then - now).total_seconds())
    except (ValueError, TypeError):
        return None


def _words(document: object) -> list[str]:
    """Collect the texts of the error bodies that the services use, with the names of fields."""
    if isinstance(document, str):
        return [document]
    if isinstance(document, list):
        return [word for one in document for word in _words(one)]
    if isinstance(document, dict):
        return [
            word if name in {"detail", "message", "error"} else f"{name}: {word}"
            for name, one in document.items()
            for word in _words(one)
        ]
    return []
