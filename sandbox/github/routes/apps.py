"""GitHub Apps: their own identity, their installation and its short-lived tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.github.call import Endpoint, Reply
from sandbox.github.errors import ApiError, not_found
from sandbox.github.serialise import people
from sandbox.github.serialise.people import moment

if TYPE_CHECKING:
    from sandbox.github.call import Call
    from sandbox.github.models import Account, App

LEVELS = ("read", "write", "admin")


def get_app(call: Call) -> Reply:
    """Return the App that is calling."""
    return Reply(200, people.app(call.links, _owner(call), _calling(call)))


def get_app_by_slug(call: Call) -> Reply:
    """Return an App by its slug."""
    for app in call.hub.state.apps.all():
        if app.slug == call.path["slug"]:
            return Reply(200, people.app(call.links, _owner(call), app))
    raise not_found()


def list_installations(call: Call) -> Reply:
    """List the installations of the calling App: the one on the organisation."""
    owner = _owner(call)
    return call.page([_calling(call)], lambda app: people.installation(call.links, owner, app))


def get_installation(call: Call) -> Reply:
    """Return an installation of the calling App."""
    return Reply(200, people.installation(call.links, _owner(call), _installed(call)))


def repository_installation(call: Call) -> Reply:
    """Return the calling App's installation on the repository."""
    return Reply(200, people.installation(call.links, _owner(call), _calling(call)))


def create_token(call: Call) -> Reply:
    """Hand out a token for an hour, with all of the App's permissions or fewer."""
    app = _installed(call)
    wanted = call.fields.get("permissions") or app.permissions
    if not isinstance(wanted, dict) or not all(_within(app, *pair) for pair in wanted.items()):
        raise ApiError(422, "The permissions requested are not granted to this installation.")
    token, expires = call.hub.gate.issue(app, wanted)
    shown = {
        "token": token,
        "expires_at": moment(expires),
        "permissions": wanted,
        "repository_selection": "all",
    }
    return Reply(201, shown)


def _calling(call: Call) -> App:
    app = None if call.actor.app_id is None else call.hub.state.apps.get(call.actor.app_id)
    if call.actor.kind != "app" or app is None:
        raise ApiError(401, "A JSON web token could not be decoded")
    return app


def _installed(call: Call) -> App:
    app = _calling(call)
    if call.number("installation_id") != app.installation_id:
        raise not_found()
    return app


def _owner(call: Call) -> Account:
    owner = call.hub.state.account(call.hub.owner)
    if owner is None:
        raise not_found()
    return owner


def _within(app: App, name: str, level: object) -> bool:
    held = app.permissions.get(name)
    return held in LEVELS and level in LEVELS and LEVELS.index(level) <= LEVELS.index(held)


ENDPOINTS = (
    Endpoint("GET", "/app", get_app),
    Endpoint("GET", "/apps/{slug}", get_app_by_slug),
    Endpoint("GET", "/app/installations", list_installations),
    Endpoint("GET", "/app/installations/{installation_id}", get_installation),
    Endpoint("POST", "/app/installations/{installation_id}/access_tokens", create_token),
    Endpoint("GET", "/repos/{owner}/{repo}/installation", repository_installation),
)
