"""Every way a call can end, provoked at a real HTTP server."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from infra.clients.answers import Answer, error_of, retry_after_of
from infra.clients.errors import (
    BadRequestError,
    ClientError,
    ConflictError,
    InvalidAnswerError,
    NotFoundError,
    RateLimitedError,
    ReadOnlyError,
    UnauthorisedError,
    UnavailableError,
    UnknownOutcomeError,
)
from infra.clients.transport import Call, Retry, Transport, redact
from tests.support.pulumi_shim.world import KEYS, TOKEN, World, flagsmith_world

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

READ = Call("listProjects", "GET", "/api/v1/projects/")
WRITE = Call("createFeature", "POST", "/api/v1/projects/1/features/", body={"name": "ops_one"})
SAFE_WRITE = Call(
    "updateFeature", "PATCH", "/api/v1/projects/1/features/1/", body={}, repeat_safe=True
)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with flagsmith_world(tmp_path) as made:
        yield made


class Line:
    """A transport that writes its waits down instead of waiting."""

    def __init__(self, url: str, **options: object) -> None:
        self.waits: list[float] = []
        headers = {"Authorization": f"Api-Key {TOKEN}"}
        self.transport = Transport(
            "flagsmith",
            url,
            headers,
            sleep=self.waits.append,
            **options,  # type: ignore[arg-type] # each test names real options
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.transport.close()


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, BadRequestError),
        (401, UnauthorisedError),
        (403, UnauthorisedError),
        (404, NotFoundError),
        (409, ConflictError),
        (422, BadRequestError),
        (429, RateLimitedError),
        (503, UnavailableError),
    ],
)
def test_each_status_of_a_write_has_its_error(
    world: World, status: int, kind: type[ClientError]
) -> None:
    world.arm(kind="status", status=status, times=None)
    with Line(world.url) as line, pytest.raises(kind) as failed:
        line.transport.send(WRITE)
    assert type(failed.value) is kind
    assert (failed.value.status, failed.value.operation) == (status, "createFeature")
    assert world.seen(1) == 1
    assert line.waits == []


@pytest.mark.parametrize("status", [500, 502, 504])
def test_a_server_error_leaves_a_write_open_but_not_a_read(world: World, status: int) -> None:
    world.arm(kind="status", status=status, times=None)
    with Line(world.url, retry=Retry(attempts=1)) as line:
        with pytest.raises(UnknownOutcomeError):
            line.transport.send(WRITE)
        with pytest.raises(UnavailableError):
            line.transport.send(READ)


def test_reads_are_repeated_until_they_work(world: World) -> None:
    world.arm(kind="status", status=503, times=2)
    with Line(world.url) as line:
        assert line.transport.send(READ).status == 200
    assert line.waits == [0.25, 0.5]


def test_retry_after_is_honoured_and_bounded(world: World) -> None:
    world.arm(kind="status", status=429, retry_after=7, times=1)
    with Line(world.url) as line:
        line.transport.send(READ)
        assert line.waits == [7.0]
        world.arm(kind="status", status=429, retry_after=3600, times=1)
        with pytest.raises(RateLimitedError) as limited:
            line.transport.send(READ)
    assert limited.value.retry_after == 3600
    assert line.waits == [7.0]


def test_attempts_end(world: World) -> None:
    world.arm(kind="status", status=503, times=None)
    with Line(world.url) as line, pytest.raises(UnavailableError):
        line.transport.send(READ)
    assert world.seen(4) == 4
    assert line.waits == [0.25, 0.5, 1.0]


def test_a_hanging_write_has_an_unknown_outcome_and_is_not_repeated(world: World) -> None:
    world.arm(kind="hang", times=None)
    with Line(world.url, timeout=0.2) as line:
        with pytest.raises(UnknownOutcomeError):
            line.transport.send(WRITE)
        assert line.waits == []
        with pytest.raises(UnavailableError):
            line.transport.send(READ)


def test_a_write_whose_answer_is_lost_happened_once(world: World) -> None:
    world.arm(kind="drop_after_effect", method="POST")
    with Line(world.url) as line, pytest.raises(UnknownOutcomeError):
        line.transport.send(WRITE)
    assert [feature.name for feature in world.client.features()] == ["ops_one"]


def test_a_repeat_safe_write_is_repeated_after_a_lost_answer(world: World) -> None:
    world.client.find_or_create_feature("ops_one")
    world.arm(kind="drop_after_effect", method="PATCH")
    with Line(world.url) as line:
        assert line.transport.send(SAFE_WRITE).status == 200
    assert line.waits == [0.25]


def test_nothing_is_sent_in_read_only_mode(world: World) -> None:
    with Line(world.url, read_only=True) as line:
        with pytest.raises(ReadOnlyError):
            line.transport.send(WRITE)
        assert world.faults.recorded() == []
        assert line.transport.send(READ).status == 200


def test_no_connection_means_nothing_was_sent(world: World) -> None:
    with Line("http://127.0.0.1:9", timeout=0.5) as line, pytest.raises(UnavailableError):
        line.transport.send(WRITE)
    assert world.faults.recorded() == []


def test_answers_are_bounded_and_checked(world: World) -> None:
    with Line(world.url, max_answer=10) as line, pytest.raises(InvalidAnswerError, match="larger"):
        line.transport.send(READ)
    with Line(world.url) as line, pytest.raises(InvalidAnswerError, match="another shape"):
        line.transport.fetch(READ, TypeAdapter(dict[str, int]))


@contextmanager
def dripping(*answers: bytes) -> Iterator[str]:
    """Serve each answer on one connection, the last one byte by byte until nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                for answer in answers[:-1]:
                    connection.recv(65536)
                    connection.sendall(answer)
                connection.recv(65536)
                try:
                    for byte in answers[-1]:
                        connection.sendall(bytes([byte]))
                        time.sleep(0.02)
                except OSError:
                    return

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        thread.join(10)
        assert not thread.is_alive()


WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
IN_BODY = b"HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n" + b" " * 2000


@pytest.mark.parametrize(("call", "kind"), [(READ, UnavailableError), (WRITE, UnknownOutcomeError)])
def test_a_server_that_drips_is_left(call: Call, kind: type[ClientError]) -> None:
    began = time.monotonic()
    with dripping(IN_BODY) as url, Line(url, timeout=5.0, longest=1.0) as line:
        with pytest.raises(kind, match=r"not complete after 1 s"):
            line.transport.send(call)
        assert time.monotonic() - began < 5
        assert line.waits == []


def test_a_connection_that_served_before_has_an_end_too() -> None:
    with dripping(WHOLE, IN_BODY) as url, Line(url, timeout=5.0, longest=1.0) as line:
        assert line.transport.send(READ).body == b"{}"
        with pytest.raises(UnavailableError, match="not complete"):
            line.transport.send(READ)


def test_a_wrong_token_is_refused_and_never_shown(world: World) -> None:
    headers = {"Authorization": "Api-Key canary-wrong", "X-Environment-Key": KEYS["Staging"]}
    transport = Transport("flagsmith", world.url, headers)
    with pytest.raises(UnauthorisedError) as refused:
        transport.send(READ)
    transport.close()
    assert "canary-wrong" not in f"{refused.value}{refused.value!r}{refused.value.args}"


def test_texts_from_outside_lose_secrets_and_addresses() -> None:
    assert redact("key abc of ann@example.com", ("abc",)) == "key [secret] of [address]"
    assert len(redact("x" * 1000, ())) == 300


def test_retry_after_as_a_date_is_relative_to_the_answers_own_date() -> None:
    headers = {
        "retry-after": "Tue, 24 Nov 2026 09:00:30 GMT",
        "date": "Tue, 24 Nov 2026 09:00:00 GMT",
    }
    assert retry_after_of(headers) == 30.0
    assert retry_after_of({"retry-after": "soon"}) is None
    assert retry_after_of({}) is None


@given(st.integers(100, 599), st.booleans())
def test_every_status_but_success_is_some_error(status: int, reads: bool) -> None:  # noqa: FBT001
    kind = error_of(status, reads=reads)
    assert issubclass(kind, ClientError)
    if status >= 500 and status != 503:
        assert kind is (UnavailableError if reads else UnknownOutcomeError)


@given(st.integers(1, 20), st.none() | st.floats(0, 1e6))
def test_waits_are_bounded_and_end(attempt: int, asked: float | None) -> None:
    retry = Retry()
    wait = retry.wait(attempt, asked)
    assert wait is None or 0 <= wait <= retry.longest
    if attempt >= retry.attempts:
        assert wait is None


@given(st.binary(max_size=200))
def test_no_body_breaks_the_reading_of_a_reason(body: bytes) -> None:
    assert Answer(500, body, {}).reason()
