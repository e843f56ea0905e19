"""Odd answers of GitHub, and that the token goes nowhere else and shows up in no error."""

from __future__ import annotations

import base64
import json
from functools import partial

import pytest

from ops_actions.errors import BadRequestError, RefusedError
from tests.ops_actions.adapters.github_odd import odd_github, read, refused
from tests.ops_actions.adapters.github_world import CANARY


@pytest.mark.parametrize(
    "body", [b"<html>log in</html>", b"", b"{}", b"[1]", b"[null]", b'[{"a": 1}]']
)
def test_an_answer_of_another_form_is_no_answer(body: bytes) -> None:
    with odd_github(200, {}, body) as (host, _):
        for act in (read(host), lambda: host.pull_request(1), lambda: host.reviews(1), host.me):
            assert refused(act).code == "github.unexpected_answer"


def test_an_error_without_json_is_still_an_error() -> None:
    for body in (b"<html>", b"", b"[]", b'{"message": null, "errors": [1, {"message": 2}]}'):
        with odd_github(418, {}, body) as (host, _):
            assert refused(read(host)).code == "github.failed"


def test_personal_data_and_secrets_in_github_s_words_are_left_out() -> None:
    said = {"message": f"no jane@x.example {CANARY}", "errors": [{"message": "x" * 500}]}
    with odd_github(422, {}, json.dumps(said).encode()) as (host, _):
        error = refused(read(host), RefusedError)
    assert "jane" not in error.fact
    assert len(error.fact) < 400


def test_a_next_page_on_another_server_does_not_get_the_token() -> None:
    with (
        odd_github(200, {}, b"[]") as (_, elsewhere_handler),
        odd_github(200, {}, b"[]") as (
            host,
            handler,
        ),
    ):
        elsewhere = f"http://localhost:{host._github.session.base_url.split(':')[2]}"
        handler.answer = (200, {"Link": f'<{elsewhere}>; rel="next"'}, b"[]")
        assert refused(read(host)).code == "github.other_server"
        assert elsewhere_handler.authorised == []
        assert len(handler.authorised) == 1


def test_a_redirect_to_another_server_is_not_followed() -> None:
    with odd_github(302, {"Location": "https://evil.example/x"}, b"") as (host, _):
        assert refused(read(host)).code == "github.other_server"


def test_a_redirected_write_is_not_turned_into_a_read() -> None:
    for status in (301, 302, 307, 308):
        with odd_github(status, {"Location": "/api/v3/repositories/1/x"}, b"") as (host, handler):
            act = partial(host._api.post, "issues/1/comments", "comment", {"body": "x"})
            assert refused(act).code == "github.redirected"
            assert len(handler.authorised) == 1


def test_a_list_without_end_is_refused_rather_than_cut() -> None:
    with odd_github(200, {}, b"[]") as (host, handler):
        base = host._github.session.base_url
        handler.answer = (200, {"Link": f'<{base}/next>; rel="next"'}, b"[]")
        error = refused(lambda: host.reviews(1))
        assert error.code == "github.list_too_long"
        assert len(handler.authorised) == 100


def test_a_file_above_one_megabyte_is_read_by_its_object_name() -> None:
    file = {"type": "file", "sha": "a" * 40, "size": 5, "encoding": "none", "content": ""}
    blob = {"encoding": "base64", "content": base64.b64encode(b"hello").decode()}
    with odd_github(200, {}, json.dumps(file).encode()) as (host, handler):
        handler.by_ending = {f"/git/blobs/{'a' * 40}": json.dumps(blob).encode()}
        assert host.read_file("big.bin", "main") == b"hello"
        handler.by_ending = {"/big.bin": json.dumps({**file, "size": 8 * 1024**2 + 1}).encode()}
        error = refused(partial(host.read_file, "big.bin", "main"), BadRequestError)
        assert error.code == "change.file_too_big"


def test_a_link_or_submodule_is_no_file() -> None:
    for kind in ("symlink", "submodule", "dir"):
        file = {"type": kind, "sha": "a" * 40, "size": 5, "encoding": "base64", "content": "aGk="}
        with odd_github(200, {}, json.dumps(file).encode()) as (host, _):
            assert host.read_file("x", "main") is None
