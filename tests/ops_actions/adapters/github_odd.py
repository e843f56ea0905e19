"""A server that answers as no honest GitHub would, and a look at the errors that follow."""

from __future__ import annotations

import http.server
import threading
import traceback
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from ops_actions.adapters.github import GitHubHost
from ops_actions.errors import OpsError, OutsideError
from tests.ops_actions.adapters.github_world import CANARY, NAME, QUICK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


def refused(act: Callable[[], object], kind: type[OpsError] = OutsideError) -> OpsError:
    """Return the error of a call that must fail, after looking for the token in it."""
    with pytest.raises(kind) as caught:
        act()
    seen = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    assert CANARY not in seen
    assert CANARY[:12] not in seen
    assert caught.value.next_step
    return caught.value


def read(host: GitHubHost, commit: str = "a" * 40) -> Callable[[], object]:
    return lambda: host.pull_requests_of_commit(commit)


class OddGitHub(http.server.BaseHTTPRequestHandler):
    """Answers every request with what the test wants, as no honest GitHub would."""

    answer: tuple[int, dict[str, str], bytes] = (200, {}, b"")
    by_ending: Mapping[str, bytes]
    authorised: list[str | None]

    def _answer(self) -> None:
        type(self).authorised.append(self.headers.get("Authorization"))
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        status, headers, body = type(self).answer
        for ending, other in type(self).by_ending.items():
            if self.path.partition("?")[0].endswith(ending):
                body = other
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PATCH = _answer  # noqa: N815 - the names http.server looks for

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, ANN401 - its signature
        """Say nothing."""


@contextmanager
def odd_github(
    status: int, headers: dict[str, str], body: bytes
) -> Iterator[tuple[GitHubHost, type[OddGitHub]]]:
    """Serve one fixed answer for everything."""
    given = {"answer": (status, headers, body), "by_ending": {}, "authorised": []}
    handler = type("Odd", (OddGitHub,), given)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}/api/v3"
    host = GitHubHost(url, NAME, CANARY, patience=QUICK, sleep=lambda _: None)
    try:
        yield host, handler
    finally:
        host.close()
        server.shutdown()
        thread.join()
        server.server_close()
