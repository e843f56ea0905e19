"""What GitHub, github3.py and requests say when something goes wrong, in this project's words."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import requests
from github3 import exceptions as github3_errors
from pydantic import ValidationError

from ops_actions.errors import BadRequestError, OpsError, OutsideError, RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator

TOKEN_VARIABLE = "COH_GITHUB_TOKEN"  # noqa: S105 - the name of the variable, not a token
"""Environment variable that holds the token."""

_MESSAGE_LIMIT = 160
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+")
_LONG_WORD = re.compile(r"\S{41,}")  # longer than a commit id: could be anything, so it goes
_AGAIN = "run the same command again; what was already done is found and reused"


@dataclass(frozen=True, slots=True)
class _Meaning:
    kind: type[OpsError]
    code: str
    because: str
    next_step: str


_MEANING = {
    401: _Meaning(
        OutsideError,
        "github.unauthorised",
        f"the token in {TOKEN_VARIABLE} is wrong or expired",
        f"put a valid token into {TOKEN_VARIABLE}, then check it with: coh doctor",
    ),
    403: _Meaning(
        OutsideError,
        "github.forbidden",
        f"the token in {TOKEN_VARIABLE} lacks a permission",
        "grant the permission to the token's App or account, then run: coh doctor",
    ),
    404: _Meaning(
        BadRequestError,
        "github.not_found",
        "it does not exist or the token may not see it",
        "check number and repository, then the token's access with: coh doctor",
    ),
    405: _Meaning(
        RefusedError,
        "github.not_mergeable",
        "there is a conflict, or a rule of the branch is not met",
        "open the pull request and settle what it lists above the merge button",
    ),
    409: _Meaning(
        RefusedError,
        "github.head_moved",
        "somebody changed it in the meantime",
        "read it again with: coh check --pr NUMBER",
    ),
    422: _Meaning(
        RefusedError,
        "github.rejected",
        "GitHub holds the request for invalid",
        "read GitHub's words above and correct the request",
    ),
}


@contextmanager
def github_errors(doing: str) -> Iterator[None]:
    """Turn every failure of a GitHub call inside the with statement into one of our errors.

    The original exception is not chained: it holds the request with its headers, and the token is
    one of them.

    Args:
        doing: what was tried, to go after "could not", such as ``read pull request 7``.

    Raises:
        OpsError: with a code that begins with ``github.``.
    """
    try:
        yield
    except github3_errors.TransportError:
        raise _unreachable(doing) from None
    except (
        github3_errors.UnexpectedResponse,
        github3_errors.UnprocessableResponseBody,  # a ResponseError without a status code
    ) as error:
        raise unexpected(doing, type(error).__name__) from None
    except github3_errors.ResponseError as error:
        raise from_response(error, doing) from None
    except requests.exceptions.JSONDecodeError as error:
        raise unexpected(doing, type(error).__name__) from None
    except requests.exceptions.RequestException:
        raise _unreachable(doing) from None
    except ValidationError as error:
        fields = ", ".join(".".join(map(str, item["loc"])) for item in error.errors()[:3])
        raise unexpected(doing, f"wrong or missing: {fields}") from None
    except (github3_errors.GitHubException, TypeError, KeyError, AttributeError) as error:
        # github3.py raises TypeError for null users and KeyError for fields it does not find, and
        # gives None for an empty answer, so that the next look at it is an AttributeError.
        raise unexpected(doing, type(error).__name__) from None


def from_response(error: github3_errors.ResponseError, doing: str) -> OpsError:
    """Return the error for an answer with a status code of 400 or above.

    Args:
        error: github3.py's exception for it.
        doing: what was tried.
    """
    status = int(error.code)
    said = f"could not {doing}: GitHub answered {status}{_message(error)}"
    meaning = _MEANING.get(status)
    if meaning is None:
        return OutsideError("github.failed", said, f"see githubstatus.com, then {_AGAIN}")
    return meaning.kind(meaning.code, f"{said}; {meaning.because}", meaning.next_step)


def unexpected(doing: str, what: str) -> OutsideError:
    """Return the error for an answer that does not have the documented form."""
    return OutsideError(
        "github.unexpected_answer",
        f"could not {doing}: GitHub's answer has an unexpected form ({what})",
        "check the address of the API with: coh doctor",
    )


def _unreachable(doing: str) -> OutsideError:
    return OutsideError(
        "github.unreachable",
        f"could not {doing}: GitHub can't be reached or took too long; a write may have been done",
        _AGAIN,
    )


def _message(error: github3_errors.ResponseError) -> str:
    """GitHub's own words, without anything that could be personal or secret."""
    parts = [error.msg] if isinstance(error.msg, str) else []
    parts += [
        item["message"]
        for item in error.errors
        if isinstance(item, dict) and isinstance(item.get("message"), str)
    ]
    words = " ".join(" ".join(parts).split())
    words = _LONG_WORD.sub("[…]", _EMAIL.sub("[…]", words))[:_MESSAGE_LIMIT]
    return f" ({words})" if words else ""
