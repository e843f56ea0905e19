"""Who is calling and what the token allows.

Three kinds of tokens as on GitHub: a person's, a bot's (an App's installation token, the only one
that may write check runs) and an App's own signed token, which can only ask for installation
tokens.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal

import jwt

from sandbox.github.errors import ApiError
from sandbox.github.models import ROLES, IssuedToken

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from sandbox.github.models import App, Role
    from sandbox.github.state import State

INSTALLATION_TOKEN_LIFE = timedelta(hours=1)
RATE_WINDOW = timedelta(hours=1)
ROLE_FOR_SCOPE: dict[str, Role] = {
    "contents:write": "write",
    "statuses:write": "write",
    "deployments:write": "write",
    "administration:read": "admin",
    "administration:write": "admin",
}
"""The repository role a person needs besides the token's scope; ``read`` for all others."""


@dataclass(frozen=True)
class Token:
    """What a configured token stands for.

    Args:
        login: account the token acts as; for kind ``app`` its bot login.
        kind: ``user``, ``bot`` (installation token) or ``app`` (the App's own token).
        scopes: ``name:read`` or ``name:write``; write includes read.
        app_id: the App behind a ``bot`` or ``app`` token.
        expires_at: after this moment the token is unknown.
    """

    login: str
    kind: Literal["user", "bot", "app"] = "user"
    scopes: frozenset[str] = frozenset()
    app_id: int | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True)
class Actor:
    """The authenticated caller; ``key`` tells callers apart without holding their token."""

    login: str
    kind: Literal["user", "bot", "app"]
    scopes: frozenset[str]
    app_id: int | None
    key: str

    def may(self, scope: str) -> bool:
        """Tell whether the token holds a scope; every token may read metadata."""
        name, _, level = scope.partition(":")
        held = {f"{name}:write"} if level == "write" else {f"{name}:read", f"{name}:write"}
        return scope == "metadata:read" or bool(held & self.scopes)


def digest(token: str) -> str:
    """Return what is kept of a token instead of the token."""
    return hashlib.sha256(token.encode()).hexdigest()


class Gate:
    """Authentication, authorisation and the primary rate limit.

    Args:
        state: where accounts, Apps and issued tokens are.
        tokens: the configured tokens, by their text.
        clock: gives the current time in UTC.
        limit: requests per token and hour.
    """

    def __init__(
        self, state: State, tokens: Mapping[str, Token], clock: Callable[[], datetime], limit: int
    ) -> None:
        self._state = state
        self._tokens = {digest(text): token for text, token in tokens.items()}
        self._clock = clock
        self.limit = limit
        self._used: dict[str, tuple[datetime, int]] = {}

    def authenticate(self, header: str | None) -> Actor:
        """Return the caller of an Authorization header.

        Raises:
            ApiError: 401 for a missing, unknown or expired token.
        """
        if not header:
            raise ApiError(401, "Requires authentication")
        scheme, _, text = header.partition(" ")
        if scheme.lower() not in {"token", "bearer"} or not text.strip():
            raise ApiError(401, "Bad credentials")
        text = text.strip()
        actor = self._configured(text) or self._issued(text) or self._signed(text)
        if actor is None:
            raise ApiError(401, "Bad credentials")
        return actor

    def authorise(self, actor: Actor, scopes: Iterable[str], fork_owner: str | None) -> None:
        """Check that one of the scopes is held, with the repository role that goes with it.

        Args:
            actor: the caller.
            scopes: the scopes of which one is enough; none for any valid token.
            fork_owner: who owns the addressed fork; None for the repository itself.

        Raises:
            ApiError: 403 without the scope or role, 404 when the repository is invisible.
        """
        wanted = tuple(scopes)
        held = [scope for scope in wanted if actor.may(scope)]
        if wanted and not held:
            kind = "personal access token" if actor.kind == "user" else "integration"
            names = "; ".join(scope.replace(":", "=") for scope in wanted)
            accepted = {"X-Accepted-GitHub-Permissions": names}
            raise ApiError(403, f"Resource not accessible by {kind}", headers=accepted)
        roles: list[Role] = [ROLE_FOR_SCOPE.get(scope, "read") for scope in held]
        role: Role = min(roles, key=ROLES.index, default="none")
        if fork_owner is not None:
            if ROLES.index(role) > ROLES.index("read") and actor.login != fork_owner:
                raise ApiError(403, "Only its owner may write to a fork.")
        elif role != "none":
            self.require_role(actor, role)

    def require_role(self, actor: Actor, role: Role) -> None:
        """Check a person's role on the repository; Apps are bound by their scopes instead.

        Raises:
            ApiError: 404 without any access, 403 with too little.
        """
        if actor.kind != "user":
            return
        account = self._state.account(actor.login)
        held = "none" if account is None or account.deleted else account.role
        if held == "none":
            raise ApiError(404, "Not Found")
        if ROLES.index(held) < ROLES.index(role):
            raise ApiError(403, f"Must have {role} access to this repository.")

    def count(self, key: str) -> dict[str, str]:
        """Count one request and return the X-RateLimit headers.

        Raises:
            ApiError: 403 once the limit is used up.
        """
        start, used = self._window(key)
        self._used[key] = (start, used + 1)
        headers = self.headers(key)
        if used >= self.limit:
            raise ApiError(403, "API rate limit exceeded for this token.", headers=headers)
        return headers

    def rate(self, key: str) -> dict[str, int]:
        """Return limit, used, remaining and reset (seconds since 1970) of a token."""
        start, used = self._window(key)
        counted = min(used, self.limit)
        return {
            "limit": self.limit,
            "used": counted,
            "remaining": self.limit - counted,
            "reset": int((start + RATE_WINDOW).timestamp()),
        }

    def headers(self, key: str) -> dict[str, str]:
        """Return the rate of a token as the headers of an answer."""
        rate = {f"X-RateLimit-{name.title()}": str(value) for name, value in self.rate(key).items()}
        return {**rate, "X-RateLimit-Resource": "core"}

    def issue(self, app: App, permissions: Mapping[str, str]) -> tuple[str, datetime]:
        """Hand out an installation token and return it with its end."""
        text = f"ghs_{secrets.token_urlsafe(27)}"
        expires = self._clock() + INSTALLATION_TOKEN_LIFE
        issued = IssuedToken(
            digest=digest(text), app_id=app.id, permissions=dict(permissions), expires_at=expires
        )
        self._state.tokens.put(issued)
        return text, expires

    def _window(self, key: str) -> tuple[datetime, int]:
        now = self._clock()
        start, used = self._used.get(key, (now, 0))
        return (now, 0) if now >= start + RATE_WINDOW else (start, used)

    def _configured(self, text: str) -> Actor | None:
        token = self._tokens.get(digest(text))
        if token is None or (token.expires_at is not None and token.expires_at <= self._clock()):
            return None
        return Actor(token.login, token.kind, token.scopes, token.app_id, digest(text))

    def _issued(self, text: str) -> Actor | None:
        token = self._state.tokens.get(digest(text))
        app = None if token is None else self._state.apps.get(token.app_id)
        if token is None or app is None or token.expires_at <= self._clock():
            return None
        scopes = frozenset(f"{name}:{level}" for name, level in token.permissions.items())
        return Actor(f"{app.slug}[bot]", "bot", scopes, app.id, token.digest)

    def _signed(self, text: str) -> Actor | None:
        for app in self._state.apps.all():
            if app.public_key is not None and self._signed_by(app, text):
                return Actor(f"{app.slug}[bot]", "app", frozenset(), app.id, f"app-{app.id}")
        return None

    def _signed_by(self, app: App, text: str) -> bool:
        # The emulator's own clock decides on expiry, so that tests can move time.
        options: jwt.types.Options = {"verify_exp": False, "verify_iat": False, "require": ["exp"]}
        try:
            claims = jwt.decode(
                text,
                app.public_key or "",
                algorithms=["RS256"],
                issuer=str(app.id),
                options=options,
            )
        except jwt.InvalidTokenError:
            return False
        return datetime.fromtimestamp(int(claims["exp"]), UTC) > self._clock()
