"""OPA servers for tests: the real program on a free port of the loopback, ended by its own test."""

from __future__ import annotations

import socket
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx

from ops_actions.decision.bundle import policy_digest, read_bundle
from tests.policies.support import opa, run_opa

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_START = 30.0  # seconds; only a server that never starts takes them


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def build(bundle: Path, archive: Path, revision: str | None = None) -> Path:
    """Build the archive that a server loads, with the policy digest as its revision."""
    named = policy_digest(read_bundle(bundle)) if revision is None else revision
    done = run_opa(
        "build", "--bundle", str(bundle), "--ignore", "*_test.rego", "--revision", named,
        "--capabilities", str(bundle / "capabilities.json"), "--output", str(archive),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    return archive


@contextmanager
def serving(archive: Path, *options: str) -> Iterator[str]:
    """A server with these policies; gives its URL."""
    url = f"http://127.0.0.1:{free_port()}"
    server = subprocess.Popen(
        [str(opa()), "run", "--server", "--addr", url.removeprefix("http://"),
         "--skip-version-check", "--log-level", "error", *options, "--bundle", str(archive)],
        env={},
    )  # fmt: skip
    try:
        end = time.monotonic() + _START
        while not _is_ready(url):
            assert server.poll() is None, "the server ended"
            assert time.monotonic() < end, "the server did not start"
            time.sleep(0.02)
        yield url
    finally:
        server.kill()
        server.wait()


def _is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health?bundles", trust_env=False).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False
