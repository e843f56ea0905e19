from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from sandbox.emulator import ServiceServer, running
from sandbox.emulator.serve import LOOPBACK

if TYPE_CHECKING:
    from starlette.requests import Request


def saying(word: str) -> Starlette:
    async def say(_request: Request) -> Response:
        return PlainTextResponse(word)

    return Starlette(routes=[Route("/", say)])


def test_each_service_has_its_own_port_on_loopback() -> None:
    with running({"one": saying("1"), "two": saying("2")}) as urls:
        assert [httpx.get(urls[name]).text for name in ("one", "two")] == ["1", "2"]
        assert all(url.startswith("http://127.0.0.1:") for url in urls.values())
    with pytest.raises(httpx.ConnectError):
        httpx.get(urls["one"])


def test_a_restart_keeps_the_ports_even_with_connections_that_were_open() -> None:
    first = ServiceServer({"one": saying("1")})
    first.start()
    ports, urls = first.ports, first.urls
    with httpx.Client() as client:
        client.get(urls["one"])
        first.stop()
        second = ServiceServer({"one": saying("again")}, ports=ports)
    second.start()
    assert second.urls == urls
    assert httpx.get(second.urls["one"]).text == "again"
    second.stop()


def test_a_port_in_use_is_replaced_by_a_free_one() -> None:
    with socket.create_server((LOOPBACK, 0)) as taken:
        port = taken.getsockname()[1]
        with running({"one": saying("1")}, ports={"one": port}) as urls:
            assert urls["one"] != f"http://127.0.0.1:{port}"
            assert httpx.get(urls["one"]).text == "1"


def test_stopping_twice_does_nothing() -> None:
    server = ServiceServer({"one": saying("1")})
    server.start()
    server.stop()
    server.stop()
