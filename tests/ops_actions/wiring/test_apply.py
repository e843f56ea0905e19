"""What applying is given to look at gates with."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from ops_actions.adapters.target import read_target
from ops_actions.errors import OutsideError
from ops_actions.wiring.apply import _gate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class _Refusing(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(503)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        pass


@pytest.fixture
def broken_flagsmith() -> Iterator[str]:
    """A Flagsmith that answers 503 to everything."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Refusing)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_gate_that_can_not_be_read_is_an_outside_failure(
    tmp_path: Path, broken_flagsmith: str
) -> None:
    """Any other error would end the workflow that asks, and leave its lock behind."""
    place = read_target(
        sandbox=False,
        root=tmp_path,
        environment={
            "COH_FLAGSMITH_KEY_STAGING": "key",
            "COH_FLAGSMITH_TOKEN": "token",
            "COH_FLAGSMITH_URL": broken_flagsmith,
        },
    )
    with pytest.raises(OutsideError) as caught:
        _gate(place, "staging", "ops_gate_deployment_rollback")
    assert caught.value.code == "outside.flagsmith"
