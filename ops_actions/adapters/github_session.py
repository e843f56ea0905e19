"""The HTTP session under github3.py: where it may talk to, how long it waits, what it repeats."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import github3.session
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

from ops_actions.adapters.github_errors import TOKEN_VARIABLE
from ops_actions.clock import system_clock
from ops_actions.errors import BadRequestError, OutsideError, RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from requests import PreparedRequest, Response

    from ops_actions.clock import Clock

_API_VERSION = "2022-11-28"
_READS = frozenset({"GET", "HEAD"})
_SERVER_FAILURES = frozenset({500, 502, 503, 504})
_LIMITED = frozenset({403, 429})
_TOO_MANY = 429
_UNSAID_WAIT = 60.0  # seconds; what GitHub's documentation asks for when a header names no time
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for GitHub.

    Attributes:
        connect: seconds for a connection.
        read: seconds without a byte of an answer.
        retries: how often a read is repeated after a server failure or a lost connection. Writes
            are never repeated, since the first try may have had its effect.
        backoff: seconds before the second repetition; it doubles each time.
        rate_limit: most seconds to wait, in all, when GitHub limits the rate of one request.
    """

    connect: float = 4.0
    read: float = 20.0
    retries: int = 2
    backoff: float = 0.5
    rate_limit: float = 90.0


class _OneServer(HTTPAdapter):
    """Sends requests to the API, waits out rate limits and keeps a dry run from writing."""

    def __init__(
        self, patience: Patience, *, read_only: bool, clock: Clock, sleep: Callable[[float], None]
    ) -> None:
        super().__init__(
            max_retries=Retry(
                total=patience.retries,
                allowed_methods=_READS,
                status_forcelist=_SERVER_FAILURES,
                backoff_factor=patience.backoff,
                raise_on_status=False,
                respect_retry_after_header=False,  # urllib3 would wait as long as the server says
            )
        )
        self._patience = patience
        self._read_only = read_only
        self._clock = clock
        self._sleep = sleep

    def send(
        self,
        request: PreparedRequest,
        *args: Any,  # noqa: ANN401 - requests' own arguments, passed on as they are
        **kwargs: Any,  # noqa: ANN401 - the same
    ) -> Response:
        """Send one request; a rate-limited one again, since GitHub did nothing for it."""
        writes = request.method not in _READS
        if writes and self._read_only:
            raise RefusedError(
                "github.read_only",
                f"a dry run does not send {request.method} to GitHub",
                "run the command without --dry-run",
            )
        waited = 0.0
        while True:
            response = super().send(request, *args, **kwargs)
            wait = self._wait_asked_for(response)
            if wait is None:
                break
            if waited + wait > self._patience.rate_limit:
                response.close()
                raise OutsideError(
                    "github.rate_limited",
                    f"GitHub limits the rate of this token and asks to wait {wait:.0f} seconds",
                    "wait that long, then run the same command again",
                )
            self._sleep(wait)
            waited += wait
        if writes and response.is_redirect:
            # requests would follow it with GET, and the write would be lost without a word.
            response.close()
            raise OutsideError(
                "github.redirected",
                "GitHub sends writes to another address; the repository was probably renamed",
                "correct the repository's name in the settings",
            )
        return response

    def _wait_asked_for(self, response: Response) -> float | None:
        """Return the seconds GitHub asks to wait, at least 1; None when it is no rate limit."""
        if response.status_code not in _LIMITED:
            return None
        headers = response.headers
        if "retry-after" in headers:
            return max(_number(headers["retry-after"]) or _UNSAID_WAIT, 1.0)
        if headers.get("x-ratelimit-remaining") == "0":
            reset = _number(headers.get("x-ratelimit-reset", ""))
            return _UNSAID_WAIT if reset is None else max(reset - self._clock().timestamp(), 1.0)
        if response.status_code == _TOO_MANY or "rate limit" in response.text.lower():
            return _UNSAID_WAIT
        return None


class _Elsewhere(HTTPAdapter):
    """Refuses every other server: links and redirects come from outside, the token must not go."""

    def send(
        self,
        request: PreparedRequest,
        *args: Any,  # noqa: ANN401, ARG002 - requests' own arguments, passed on as they are
        **kwargs: Any,  # noqa: ANN401, ARG002 - the same
    ) -> Response:
        """Refuse the request."""
        server = urlsplit(request.url or "").hostname
        raise OutsideError(
            "github.other_server",
            f"GitHub's answer leads to another server ({server}), which does not get the token",
            "check the address of the API in the settings",
        )


def open_session(  # noqa: PLR0913 - each is one independent decision of the caller
    api_url: str,
    token: str,
    *,
    read_only: bool = False,
    patience: Patience | None = None,
    clock: Clock = system_clock,
    sleep: Callable[[float], None] = time.sleep,
) -> github3.session.GitHubSession:
    """Return a github3.py session that talks to one API only.

    Args:
        api_url: such as ``https://api.github.com`` or ``https://HOST/api/v3``.
        token: installation or personal token.
        read_only: refuse everything but GET and HEAD.
        patience: waiting times and repetitions.
        clock: gives the time that rate-limit resets are compared with.
        sleep: waits a number of seconds.

    Raises:
        BadRequestError: the token is missing or malformed, or the address is not https (plain
            http is accepted for this machine only).
    """
    base = _checked_url(api_url)
    # A malformed token would come back, readable, in the error that requests makes of it.
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise BadRequestError(
            "github.token_missing",
            f"{TOKEN_VARIABLE} is empty or holds something that can't be a token",
            f"put a token into {TOKEN_VARIABLE}",
        )
    patience = patience or Patience()
    session = github3.session.GitHubSession(
        default_connect_timeout=patience.connect, default_read_timeout=patience.read
    )
    session.base_url = base
    session.headers["X-GitHub-Api-Version"] = _API_VERSION
    session.token_auth(token)
    session.mount("http://", _Elsewhere())
    session.mount("https://", _Elsewhere())
    # With the slash, so that no host or path which only begins alike matches.
    session.mount(f"{base}/", _OneServer(patience, read_only=read_only, clock=clock, sleep=sleep))
    return session


def _checked_url(api_url: str) -> str:
    parts = urlsplit(api_url)
    local = parts.scheme == "http" and parts.hostname in _LOOPBACK
    plain = not (parts.query or parts.fragment or parts.username or parts.password)
    if not parts.hostname or not plain or not (parts.scheme == "https" or local):
        raise BadRequestError(
            "github.bad_api_url",
            "the address of GitHub's API must be https, without user, query or fragment",
            "write it like https://api.github.com or https://HOST/api/v3",
        )
    return api_url.rstrip("/")


def _number(text: str) -> float | None:
    return float(text) if text.isascii() and text.isdigit() else None
