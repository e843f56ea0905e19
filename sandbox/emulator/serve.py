"""Serve several emulators from one process, each on its own port of the loopback address."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from sandbox.emulator.faults import ABORT_EXTENSION

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from starlette.types import ASGIApp, Receive, Scope, Send

LOOPBACK = "127.0.0.1"
START_SECONDS = 30.0
STOP_SECONDS = 10.0
GRACE_SECONDS = 1
"""How long a request may still run when the server is told to stop."""


class ServiceServer:
    """Run ASGI applications with uvicorn in one background thread.

    Attributes:
        ports: the port of each service.

    Args:
        apps: applications by service name.
        ports: ports to use again when they are free, such as those of the last run; any free
            port is taken for a service without one.
    """

    def __init__(self, apps: Mapping[str, ASGIApp], ports: Mapping[str, int] | None = None) -> None:
        wanted = ports or {}
        self._sockets = {name: _bind(wanted.get(name, 0)) for name in apps}
        self.ports = {name: int(one.getsockname()[1]) for name, one in self._sockets.items()}
        self._servers = {name: uvicorn.Server(_config(app)) for name, app in apps.items()}
        self._thread = threading.Thread(target=self._run, name="emulators", daemon=True)
        self._failure: BaseException | None = None

    @property
    def urls(self) -> dict[str, str]:
        """The base address of each service, without a trailing slash."""
        return {name: f"http://{LOOPBACK}:{port}" for name, port in self.ports.items()}

    def start(self) -> None:
        """Start all services and return when each takes requests.

        Raises:
            RuntimeError: one did not start.
        """
        self._thread.start()
        deadline = time.monotonic() + START_SECONDS
        while not all(server.started for server in self._servers.values()):
            if not self._thread.is_alive() or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError("an emulator did not start") from self._failure
            time.sleep(0.002)

    def stop(self) -> None:
        """Stop all services and free their ports; a second call does nothing."""
        for server in self._servers.values():
            server.should_exit = True
        self._thread.join(STOP_SECONDS)
        for one in self._sockets.values():
            one.close()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as failure:
            self._failure = failure
            raise

    async def _serve(self) -> None:
        async with asyncio.TaskGroup() as group:
            for name, server in self._servers.items():
                group.create_task(server.serve(sockets=[self._sockets[name]]))


@contextmanager
def running(
    apps: Mapping[str, ASGIApp], ports: Mapping[str, int] | None = None
) -> Iterator[Mapping[str, str]]:
    """Serve applications while the block runs; gives the base address of each."""
    server = ServiceServer(apps, ports)
    server.start()
    try:
        yield server.urls
    finally:
        server.stop()


class _CuttableProtocol(H11Protocol):
    """uvicorn's HTTP/1.1 with one more extension: an application may cut its connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app = partial(_with_abort, self.app, transport)


async def _with_abort(
    app: Any,  # noqa: ANN401 - uvicorn's own application type is private
    transport: asyncio.Transport,
    scope: Scope,
    receive: Receive,
    send: Send,
) -> None:
    extensions = {**scope.get("extensions", {}), ABORT_EXTENSION: transport.abort}
    await app({**scope, "extensions": extensions}, receive, send)


def _config(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=_CuttableProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )


def _bind(port: int) -> socket.socket:
    """Take the port, or any free one when it is in use."""
    for candidate in (port, 0):
        # asyncio turns Nagle's delay (40 ms an answer) off only where the protocol is named.
        one = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind((LOOPBACK, candidate))
        except OSError:
            one.close()
            if candidate == 0:
                raise
        else:
            return one
    raise AssertionError("the loop returns or raises")
