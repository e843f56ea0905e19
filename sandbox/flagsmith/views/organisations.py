"""People, organisations, keys, webhooks and the audit list."""

from __future__ import annotations

import hashlib
import ipaddress
import secrets
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sandbox.flagsmith.call import reply, secret_key
from sandbox.flagsmith.errors import FlagsmithError, forbidden, invalid
from sandbox.flagsmith.model import new_uuid

if TYPE_CHECKING:
    from starlette.responses import Response

    from sandbox.emulator import Document, Store
    from sandbox.flagsmith.call import Call

ROUNDS = 1_000
"""PBKDF2 rounds; few, because the sandbox keeps throw-away passwords only."""


def register(call: Call) -> Response:
    """Make a person's account; the answer holds the token, once."""
    given = call.body
    if call.store.get("users", given["email"]) is not None:
        raise invalid(email="Email already exists. Please log in.")
    salt = secrets.token_hex(8)
    number = call.store.next_id("users")
    shown: Document = {
        "first_name": given["first_name"],
        "last_name": given["last_name"],
        "sign_up_type": given.get("sign_up_type"),
        "email": given["email"],
        "id": number,
        "is_active": True,
        "marketing_consent_given": True,
        "uuid": new_uuid(),
    }
    digest = _password_digest(given["password"], salt)
    call.store.put("users", given["email"], {"id": number, "salt": salt, "digest": digest})
    return reply({**shown, "key": _new_token(call.store, number)}, 201)


def login(call: Call) -> Response:
    """Give a new token to a person who knows the password."""
    known = call.store.get("users", call.body["email"])
    digest = _password_digest(call.body["password"], known["salt"]) if known else ""
    if known is None or not secrets.compare_digest(digest, known["digest"]):
        raise invalid(non_field_errors="Unable to log in with provided credentials.")
    return reply({"key": _new_token(call.store, known["id"])})


def new_organisation(store: Store, name: str, time: str) -> Document:
    """Make an organisation on the free plan."""
    number = store.next_id("organisations")
    organisation: Document = {
        "id": number,
        "uuid": new_uuid(),
        "name": name,
        "created_date": time,
        "webhook_notification_email": None,
        "num_seats": 1,
        "subscription": {
            "id": number,
            "has_active_billing_periods": False,
            "deleted_at": None,
            "uuid": new_uuid(),
            "subscription_id": None,
            "subscription_date": None,
            "plan": "free",
            "max_seats": 1,
            "max_api_calls": 50000,
            "cancellation_date": None,
            "customer_id": None,
            "billing_status": None,
            "payment_method": None,
            "notes": None,
        },
        "role": None,
        "persist_trait_data": True,
        "block_access_to_admin": False,
        "restrict_project_create_to_admin": False,
        "force_2fa": False,
    }
    store.put("organisations", number, organisation)
    return organisation


def create_organisation(call: Call) -> Response:
    """Make an organisation."""
    return reply(new_organisation(call.store, call.body["name"], call.time), 201)


def list_organisations(call: Call) -> Response:
    """List organisations; a key sees its own."""
    seen = [
        {**one, "role": "ADMIN"}
        for one in call.store.all("organisations")
        if call.caller.organisation in {None, one["id"]}
    ]
    return call.page(seen)


def create_api_key(call: Call) -> Response:
    """Make an organisation's key; the answer holds it, once."""
    organisation = _organisation(call)
    key = f"{secrets.token_urlsafe(6)}.{secrets.token_urlsafe(24)}"
    call.store.put("api_keys", secret_key(key), {"organisation": organisation["id"]})
    shown = {
        "id": f"{key.split('.', maxsplit=1)[0]}.{secret_key(key)}",
        "prefix": key.split(".", maxsplit=1)[0],
        "created": call.time,
        "name": call.body["name"],
        "revoked": False,
        "expiry_date": None,
        "key": key,
        "is_admin": call.body.get("is_admin", True),
        "has_expired": False,
        "created_by": call.caller.user,
    }
    return reply(shown, 201)


def create_organisation_webhook(call: Call) -> Response:
    """Register a webhook of an organisation; nothing is delivered by the emulator."""
    _organisation(call)
    return _create_webhook(call)


def create_environment_webhook(call: Call) -> Response:
    """Register a webhook of an environment; nothing is delivered by the emulator."""
    call.environment()
    return _create_webhook(call)


def create_trust_relationship(call: Call) -> Response:
    """Let tokens of an OIDC issuer act for the organisation."""
    _organisation(call)
    number = call.store.next_id("trust_relationships")
    document = {**call.body, "id": number, "uuid": new_uuid(), "created_at": call.time}
    call.store.put("trust_relationships", number, document)
    return reply(document, 201)


def list_audit(call: Call) -> Response:
    """List audit entries: none on the free plan, and an organisation's key breaks the service."""
    if call.caller.kind == "api_key":
        raise FlagsmithError(500, None)
    return call.page([])


def list_nested_audit(call: Call) -> Response:
    """List audit entries of an organisation or a project: none on the free plan."""
    return call.page([])


def _create_webhook(call: Call) -> Response:
    url = call.body["url"]
    if _is_internal(urlsplit(url).hostname or ""):
        raise invalid(url="URLs must not target internal or private network addresses.")
    number = call.store.next_id("webhooks")
    document = {
        "id": number,
        "url": url,
        "enabled": call.body.get("enabled", True),
        "secret": call.body.get("secret", ""),
        "created_at": call.time,
        "updated_at": call.time,
    }
    call.store.put("webhooks", number, document)
    return reply(document, 201)


def _organisation(call: Call) -> Document:
    number = call.number("organisation_pk")
    found = call.store.get("organisations", number)
    if found is None or call.caller.organisation not in {None, number}:
        raise forbidden()
    return found


def _is_internal(host: str) -> bool:
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return host == "localhost" or "." not in host


def _new_token(store: Store, user: int) -> str:
    token = secrets.token_hex(20)
    store.put("tokens", secret_key(token), {"user": user})
    return token


def _password_digest(password: str, salt: str) -> str:
    return hashlib.pbkdf2_hmac("sha256", password.encode(), salt.encode(), ROUNDS).hex()
