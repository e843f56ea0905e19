"""What the tests of every emulator share."""

from __future__ import annotations

import re
import ssl
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx
from starlette.routing import Match

from sandbox.emulator import KEY_HEADER, running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.applications import Starlette

    from sandbox.emulator import Contract

KEY = "sandbox-key"
CONTROL = {KEY_HEADER: KEY}
TLS = ssl.create_default_context()
"""Made once: httpx would load the certificates anew for each client, though all is plain HTTP."""


@contextmanager
def serving(app: Starlette, headers: dict[str, str] | None = None) -> Iterator[httpx.Client]:
    """Serve an emulator and check at the end that it never broke its own contract."""
    with (
        running({"service": app}) as urls,
        httpx.Client(base_url=urls["service"], headers=headers or {}, verify=TLS) as client,
    ):
        yield client
    assert app.state.contract_log.of("answer") == []


def unserved(app: Starlette, contract: Contract) -> list[str]:
    """Name the contract's operations that no route of the emulator takes."""
    missing = []
    for operation in contract.operations:
        path = re.sub(r"{[^}]+}", "1", operation.template)
        scope = {"type": "http", "method": operation.method, "path": path, "headers": []}
        if not any(route.matches(scope)[0] is Match.FULL for route in app.routes):
            missing.append(f"{operation.method} {operation.template}")
    return missing
