from __future__ import annotations

import shutil
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from ops_actions.adapters.opa_server import OpaServer
from ops_actions.decision import decide
from ops_actions.decision.bundle import policy_digest, read_bundle
from ops_actions.decision.model import Outcome
from ops_actions.errors import BadRequestError, OutsideError
from tests.ops_actions.adapters.opa_world import build, free_port, serving
from tests.policies.support import POLICIES, SOFIA, approval, facts, flag, plan

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def answering(status: int, body: bytes) -> Iterator[str]:
    """A server that is not OPA."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def code_of(url: str) -> str:
    with pytest.raises(OutsideError) as caught:
        OpaServer(url).decide(POLICIES, {"changes": []}, 10.0)
    assert caught.value.next_step
    return caught.value.code


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (200, b"", "engine.garbled"),
        (200, b"<html>", "engine.garbled"),
        (200, b"[]", "engine.garbled"),
        (200, b"{}", "engine.other_policies"),
        (200, b'{"result": {}, "provenance": {}}', "engine.other_policies"),
        (200, b'{"result": {}, "provenance": {"bundles": {"a": 1}}}', "engine.other_policies"),
        (500, b'{"code": "internal_error"}', "engine.failed"),
        (401, b"", "engine.failed"),
        (302, b"", "engine.garbled"),
    ],
)
def test_a_server_that_answers_nonsense(status: int, body: bytes, code: str) -> None:
    with answering(status, body) as url:
        assert code_of(url) == code


def test_a_server_that_is_not_there() -> None:
    assert code_of(f"http://127.0.0.1:{free_port()}") == "engine.failed"


def test_other_policies_are_refused(tmp_path: Path) -> None:
    archive = build(POLICIES, tmp_path / "bundle.tar.gz", revision="sha256:" + "0" * 64)
    with serving(archive) as url:
        assert code_of(url) == "engine.other_policies"
        decision = decide(OpaServer(url), POLICIES, plan(flag()), facts(approval(SOFIA)))
        assert decision.outcome is Outcome.DENY


def test_a_token_opens_a_server_that_asks_for_one(tmp_path: Path) -> None:
    guarded = shutil.copytree(POLICIES, tmp_path / "guarded")
    (guarded / ".manifest").unlink()
    (guarded / "authz.rego").write_text(
        "package system.authz\n\ndefault allow := false\n\n"
        'allow if input.path == ["health"]\n\nallow if input.identity == "throw-away"\n'
    )
    revision = policy_digest(read_bundle(POLICIES))
    archive = build(guarded, tmp_path / "bundle.tar.gz", revision)
    with serving(archive, "--authentication", "token", "--authorization", "basic") as url:
        assert code_of(url) == "engine.failed"
        engine = OpaServer(url, token="throw-away")
        decision = decide(engine, POLICIES, plan(flag()), facts(approval(SOFIA)))
        assert decision.outcome is Outcome.ALLOW


@pytest.mark.parametrize(
    "url",
    [
        "",
        "opa",
        "ftp://opa",
        "http://",
        "http://opa:nine",
        "http://opa:99999",
        "http://user:secret@opa",
        "http://opa/v1/data",
        "http://opa?x=1",
        "http://opa#x",
    ],
)
def test_a_url_of_another_shape_is_refused(url: str) -> None:
    with pytest.raises(BadRequestError, match=r"engine\.url") as caught:
        OpaServer(url)
    assert "secret" not in str(caught.value)
