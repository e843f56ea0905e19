"""Waiting for Slack's rate limit, with a bound and an injected way to wait."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slack_sdk.http_retry import RetryHandler

if TYPE_CHECKING:
    from slack_sdk.http_retry.request import HttpRequest
    from slack_sdk.http_retry.response import HttpResponse
    from slack_sdk.http_retry.state import RetryState

    from infra.clients.transport import Sleep

TOO_MANY_REQUESTS = 429
LONGEST = 20.0
"""Longest wait in seconds; when Slack asks for more, the call fails instead."""


class BoundedRateLimitRetry(RetryHandler):
    """Repeat a call that Slack did not carry out because of its rate limit (429).

    Nothing else is repeated: any other failure may come after the effect.

    Args:
        sleep: waits, in seconds.
        max_retry_count: how many further attempts there are.
    """

    def __init__(self, sleep: Sleep, max_retry_count: int = 3) -> None:
        super().__init__(max_retry_count)
        self._sleep = sleep

    def _can_retry(
        self,
        *,
        state: RetryState,  # noqa: ARG002 - the interface's arguments
        request: HttpRequest,  # noqa: ARG002
        response: HttpResponse | None = None,
        error: Exception | None = None,  # noqa: ARG002
    ) -> bool:
        limited = response is not None and response.status_code == TOO_MANY_REQUESTS
        return limited and _seconds(response) <= LONGEST

    def prepare_for_next_attempt(
        self,
        *,
        state: RetryState,
        request: HttpRequest,  # noqa: ARG002 - the interface's arguments
        response: HttpResponse | None = None,
        error: Exception | None = None,  # noqa: ARG002
    ) -> None:
        """Wait as long as Slack asked and let the SDK send again."""
        state.next_attempt_requested = True
        self._sleep(_seconds(response))
        state.increment_current_attempt()


def _seconds(response: HttpResponse | None) -> float:
    """Return what Retry-After asks for; one second when it says nothing."""
    if response is None:
        return 1.0
    values = [v for name, v in response.headers.items() if name.lower() == "retry-after"]
    text = next(iter(values[0]), "") if values else ""
    return float(text) if text.isdecimal() else 1.0
