"""What can go wrong when an outside service is called, one class per thing the caller does next."""

from __future__ import annotations


class ClientError(Exception):
    """Base of every failure of an outside call.

    Attributes:
        service: name of the service, such as ``flagsmith``.
        operation: what was asked, in the service's own word for it, such as ``getFeature``.
        status: HTTP status of the answer, None when there was none.
        message: what happened, free of secrets and of personal data.
        retry_after: seconds the service asked to wait, None when it did not say.
    """

    service: str
    operation: str
    status: int | None
    message: str
    retry_after: float | None

    def __init__(
        self,
        service: str,
        operation: str,
        message: str,
        *,
        status: int | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(service, operation, message, status)
        self.service = service
        self.operation = operation
        self.message = message
        self.status = status
        self.retry_after = retry_after

    def __str__(self) -> str:
        """Give service, operation, status and message on one line."""
        shown = "no answer" if self.status is None else str(self.status)
        return f"{self.service} {self.operation}: {shown}: {self.message}"


class ReadOnlyError(ClientError):
    """A write was asked of a client that only reads; nothing was sent."""


class BadRequestError(ClientError):
    """The service refused the content of the request (400, 402, 405, 410, 413, 422)."""


class UnauthorisedError(ClientError):
    """The credentials are wrong or don't reach far enough (401, 403)."""


class NotFoundError(ClientError):
    """The object does not exist, or the credentials may not know that it does (404)."""


class ConflictError(ClientError):
    """The object is in another state than the request supposes (409, 412, 428)."""


class RateLimitedError(ClientError):
    """Too many requests (429); the request was not carried out."""


class UnavailableError(ClientError):
    """The service can't be reached or is failing, and the request was not carried out."""


class UnknownOutcomeError(ClientError):
    """A write was sent and it can't be told from the answer, or its absence, whether it happened.

    The caller must read the object back before it does anything else.
    """


class InvalidAnswerError(ClientError):
    """The answer is too large, is not JSON, or has another shape than the contract says."""
