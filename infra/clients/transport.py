"""The one way an outside HTTP API is called.

It decides what may be sent (nothing, for writes, in read-only mode), what may be sent again
(only calls that are safe to repeat), how long to wait, how much to read, and which error comes
out. Services differ only in their paths, their models and their wording of errors.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import httpx
from pydantic import TypeAdapter, ValidationError

from infra.clients.answers import Answer, error_of, retry_after_of
from infra.clients.errors import (
    ClientError,
    InvalidAnswerError,
    ReadOnlyError,
    UnavailableError,
    UnknownOutcomeError,
)

Json = None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"]
"""A JSON value as Python holds it."""

Sleep = Callable[[float], None]
"""Waits for a number of seconds."""

T = TypeVar("T")

READS = frozenset({"GET", "HEAD"})
RETRIED = frozenset({429, 502, 503, 504})
MAX_ANSWER = 16 * 1024 * 1024
"""Largest answer that is read, in bytes after decompression."""

EXCHANGE_SECONDS = 60.0
"""How long one answer may take: httpx's own limits hold for each wait by itself only."""


class _OverdueError(Exception):
    """A server sends its answer a little at a time, for ever."""


_KEEP_ALIVE_SECONDS = 2.0
"""An idle connection is dropped before the server drops it, so that no write meets a dead one."""

_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+")


@dataclass(frozen=True, slots=True)
class Retry:
    """How often and how patiently a repeat-safe call is repeated.

    Attributes:
        attempts: how many times it is sent at most.
        base: first wait in seconds; each further wait is twice as long.
        longest: longest wait in seconds; a service that asks for more gets no second call.
    """

    attempts: int = 4
    base: float = 0.25
    longest: float = 20.0

    def wait(self, attempt: int, asked: float | None) -> float | None:
        """Return the seconds to wait after an attempt (from 1), None when it was the last one."""
        if attempt >= self.attempts:
            return None
        seconds = self.base * 2.0 ** (attempt - 1) if asked is None else asked
        if asked is not None and asked > self.longest:
            return None
        return min(seconds, self.longest)


@dataclass(frozen=True, slots=True)
class Call:
    """One request.

    Attributes:
        operation: the service's own name of it, for errors.
        method: HTTP method in upper case.
        path: path below the base address, already percent-encoded.
        params: query.
        body: JSON body, None for none.
        repeat_safe: whether a second one changes nothing more; reads always are.
    """

    operation: str
    method: str
    path: str
    params: Mapping[str, str] = field(default_factory=dict)
    body: Json = None
    repeat_safe: bool = False

    @property
    def reads(self) -> bool:
        """Whether it can't change anything."""
        return self.method in READS


class Transport:
    """Calls one service. Safe to share between threads.

    Args:
        service: name for errors.
        base_url: address that the paths are put behind.
        headers: sent with each request; their values never appear in an error.
        timeout: seconds for connecting and for each wait for data.
        longest: seconds for one whole exchange, up to the last byte of the answer.
        read_only: refuse everything but GET and HEAD before anything is sent.
        retry: how repeat-safe calls are repeated.
        sleep: waits between two attempts.
        max_answer: largest answer in bytes.
    """

    def __init__(  # noqa: PLR0913 - each argument is one independent limit of the connection
        self,
        service: str,
        base_url: str,
        headers: Mapping[str, str],
        *,
        timeout: float = 10.0,
        longest: float = EXCHANGE_SECONDS,
        read_only: bool = False,
        retry: Retry | None = None,
        sleep: Sleep = time.sleep,
        max_answer: int = MAX_ANSWER,
    ) -> None:
        self.service = service
        self.read_only = read_only
        self._secrets = _secrets(headers)
        self._retry = retry or Retry()
        self._sleep = sleep
        self._max_answer = max_answer
        self._longest = longest
        self._http = httpx.Client(
            base_url=base_url,
            headers={"Accept": "application/json", **headers},
            timeout=timeout,
            follow_redirects=False,
            limits=httpx.Limits(keepalive_expiry=_KEEP_ALIVE_SECONDS),
        )

    def close(self) -> None:
        """Close the connections; the transport can't be used afterwards."""
        self._http.close()

    def fetch(self, call: Call, adapter: TypeAdapter[T]) -> T:
        """Send a call and read its answer.

        Raises:
            ClientError: as `send`; InvalidAnswerError when the answer has another shape.
        """
        answer = self.send(call)
        try:
            return adapter.validate_json(answer.body)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            where = "/".join(str(part) for part in first["loc"])
            raise InvalidAnswerError(
                self.service,
                call.operation,
                f"the answer has another shape than agreed: {where or 'body'}: {first['msg']}",
                status=answer.status,
            ) from None

    def send(self, call: Call) -> Answer:
        """Send a call, again if that is safe and helps, and return a successful answer.

        Raises:
            ReadOnlyError: the transport is read-only and the call writes.
            UnknownOutcomeError: a write was sent and its outcome can't be told.
            ClientError: one of the other classes of `infra.clients.errors`.
        """
        if self.read_only and not call.reads:
            raise ReadOnlyError(
                self.service, call.operation, "this command only reads; the write was not sent"
            )
        attempt = 0
        while True:
            attempt += 1
            answer, failure, again = self._attempt(call)
            if failure is None:
                return answer
            wait = self._retry.wait(attempt, failure.retry_after) if again else None
            if wait is None:
                raise failure
            self._sleep(wait)

    def _attempt(self, call: Call) -> tuple[Answer, ClientError | None, bool]:
        """Send once; tell the failure, if any, and whether another attempt is safe and may help."""
        safe = call.reads or call.repeat_safe
        try:
            answer = self._exchange(call)
        except _OverdueError:
            late = UnavailableError if call.reads else UnknownOutcomeError
            over = late(
                self.service,
                call.operation,
                f"the answer was not complete after {self._longest:g} s",
            )
            return Answer(0, b"", {}), over, False  # a second one would take as long
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            unsent = UnavailableError(
                self.service, call.operation, f"can't connect ({type(error).__name__})"
            )
            return Answer(0, b"", {}), unsent, safe
        except httpx.DecodingError as error:
            raise InvalidAnswerError(
                self.service, call.operation, "the answer can't be decompressed"
            ) from error
        except httpx.TransportError as error:
            broken = UnavailableError if call.reads else UnknownOutcomeError
            lost = broken(
                self.service, call.operation, f"the answer did not come ({type(error).__name__})"
            )
            return Answer(0, b"", {}), lost, safe
        if answer.ok:
            return answer, None, False
        kind = error_of(answer.status, reads=call.reads)
        refused = kind(
            self.service,
            call.operation,
            self._safe_text(answer),
            status=answer.status,
            retry_after=retry_after_of(answer.headers),
        )
        return answer, refused, safe and answer.status in RETRIED

    def _exchange(self, call: Call) -> Answer:
        end = time.monotonic() + self._longest
        content = None if call.body is None else json.dumps(call.body, ensure_ascii=False).encode()
        headers = {} if content is None else {"Content-Type": "application/json; charset=utf-8"}
        with self._http.stream(
            call.method, call.path, params=dict(call.params), content=content, headers=headers
        ) as response:
            body = bytearray()
            for chunk in response.iter_bytes():
                body += chunk
                if time.monotonic() > end:
                    raise _OverdueError
                if len(body) > self._max_answer:
                    raise InvalidAnswerError(
                        self.service,
                        call.operation,
                        f"the answer is larger than {self._max_answer} bytes",
                        status=response.status_code,
                    )
            return Answer(response.status_code, bytes(body), dict(response.headers))

    def _safe_text(self, answer: Answer) -> str:
        return redact(answer.reason(), self._secrets)


def redact(text: str, secrets: Sequence[str]) -> str:
    """Replace secrets and mail addresses in a text that came from outside, and shorten it."""
    for secret in secrets:
        text = text.replace(secret, "[secret]")
    return _ADDRESS.sub("[address]", text)[:300]


def _secrets(headers: Mapping[str, str]) -> tuple[str, ...]:
    """Take header values apart, so that the bare token of ``Bearer x`` is found as well."""
    parts = {part for value in headers.values() for part in (value, value.rpartition(" ")[2])}
    return tuple(sorted((part for part in parts if part), key=len, reverse=True))
