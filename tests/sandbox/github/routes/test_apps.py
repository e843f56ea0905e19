from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import github3
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox.github import SeedApp
from tests.sandbox.github.support import APP_ID, Clock

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.github.support import World


def keys() -> tuple[bytes, str]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return private, public.decode()


def test_app_signs_in_and_gets_a_token(make_world: Callable[..., World]) -> None:
    # github3.py makes and checks these tokens by the machine's own time.
    private, public = keys()
    permissions = {"contents": "write", "checks": "write"}
    app = SeedApp(APP_ID, "coh-bot", 5, permissions, public_key=public)
    world = make_world(app=app, clock=Clock(datetime.now(UTC)))
    session = github3.GitHubEnterprise(world.url)
    session.login_as_app(private, str(APP_ID))
    assert session.authenticated_app().slug == "coh-bot"
    assert [one.id for one in session.app_installations()] == [5]
    session.login_as_app_installation(private, str(APP_ID), 5)
    repo = session.repository("acme", "ops")
    assert repo.create_check_run("plan", world.first).app.id == APP_ID
    with pytest.raises(github3.exceptions.ForbiddenError):
        list(repo.pull_requests())

    other, _ = keys()
    forged = github3.GitHubEnterprise(world.url)
    forged.login_as_app(other, str(APP_ID))
    with pytest.raises(github3.exceptions.AuthenticationFailed):
        forged.authenticated_app()


def test_token_ends_after_an_hour(world: World) -> None:
    url = world.api("/app/installations/5/access_tokens")
    answer = world.session("app").post(url, json={"permissions": {"contents": "read"}})
    assert answer.status_code == 201
    assert answer.json()["permissions"] == {"contents": "read"}
    text = answer.json()["token"]
    session = github3.GitHubEnterprise(world.url, token=text)
    assert session.repository("acme", "ops").file_contents("README.md").decoded == b"# Ops\n"
    with pytest.raises(github3.exceptions.ForbiddenError):
        session.repository("acme", "ops").create_file("x", "x", b"x")
    world.clock.now += timedelta(hours=1)
    with pytest.raises(github3.exceptions.AuthenticationFailed):
        session.repository("acme", "ops")
    kept = world.store.all("issued_tokens")
    assert text not in str(kept)


def test_more_than_the_app_has_is_refused(world: World) -> None:
    url = world.api("/app/installations/5/access_tokens")
    for permissions in ({"administration": "read"}, {"contents": "admin"}):
        answer = world.session("app").post(url, json={"permissions": permissions})
        assert answer.status_code == 422
    assert (
        world.session("app")
        .post(world.api("/app/installations/6/access_tokens"), json={})
        .status_code
        == 404
    )


def test_only_an_app_may_ask_for_tokens(world: World) -> None:
    url = world.api("/app/installations/5/access_tokens")
    assert world.session("alice").post(url, json={}).status_code == 401
    assert world.session("bot").post(url, json={}).status_code == 401
