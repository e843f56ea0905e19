"""What the emulator refuses with, in GitHub's shape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

Json = dict[str, Any]
DOCUMENTATION = "https://docs.github.com/rest"


class ApiError(Exception):
    """An answer other than success, in GitHub's shape.

    Args:
        status: HTTP status code.
        message: GitHub's words.
        code: with 422, the machine-readable code of the one error.
        detail: with 422, the words of the one error.
        fields: with 422, ``resource`` and ``field`` of the one error.
        headers: extra answer headers.
    """

    def __init__(  # noqa: PLR0913 - one optional keyword per part of GitHub's error shape
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        detail: str | None = None,
        fields: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = dict(headers or {})
        self.body: Json = {
            "message": message,
            "documentation_url": DOCUMENTATION,
            "status": str(status),
        }
        if code is not None:
            error: Json = {"code": code, **(fields or {})}
            self.body["errors"] = [error if detail is None else {**error, "message": detail}]


def not_found() -> ApiError:
    """Return the answer GitHub gives for anything absent or invisible."""
    return ApiError(404, "Not Found")


def invalid(detail: str, *, resource: str = "", name: str = "", code: str = "custom") -> ApiError:
    """Return GitHub's 422 with one error."""
    fields = {"resource": resource, "field": name}
    present = {key: value for key, value in fields.items() if value}
    return ApiError(422, "Validation Failed", code=code, detail=detail, fields=present)
