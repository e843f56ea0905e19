"""Flagsmith's refusals, worded as Django REST Framework words them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.responses import HTMLResponse, JSONResponse, Response

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sandbox.emulator import Problem

V2_DETAIL = (
    "This environment uses v2 feature versioning. "
    "Use the environment feature version endpoint instead."
)
SENTENCES = {
    ("required", ""): "This field is required.",
    ("enum", ""): "Not a valid choice.",
    ("json", ""): "JSON parse error",
    ("type", '"boolean"'): "Must be a valid boolean.",
    ("type", '"integer"'): "A valid integer is required.",
    ("type", '"string"'): "Not a valid string.",
    ("type", '"array"'): "Expected a list of items.",
}
"""The service's sentence by the JSON Schema keyword that failed and what it wanted."""

PAGE = """
<!doctype html>
<html lang="en">
<head>
  <title>{title}</title>
</head>
<body>
  <h1>{title}</h1><p>{text}</p>
</body>
</html>
"""


class FlagsmithError(Exception):
    """A refusal with its HTTP status; whatever the request changed is undone.

    Args:
        status: HTTP status.
        body: JSON body; None stands for Django's HTML page.
    """

    def __init__(self, status: int, body: Mapping[str, Any] | None) -> None:
        super().__init__(status)
        self.status = status
        self.body = body

    def response(self) -> Response:
        """Give it as an answer."""
        if self.body is None:
            return html_failure(self.status)
        return JSONResponse(self.body, self.status)


def html_failure(status: int) -> Response:
    """Answer Django's own error page, as the service does for an unhandled error."""
    return HTMLResponse(PAGE.format(title=f"Server Error ({status})", text=""), status)


def html_not_found() -> Response:
    """Answer Django's own page for an address no route matches."""
    text = "The requested resource was not found on this server."
    return HTMLResponse(PAGE.format(title="Not Found", text=text), 404)


def detail(status: int, text: str) -> FlagsmithError:
    """Make a refusal that has one sentence."""
    return FlagsmithError(status, {"detail": text})


def invalid(**fields: str) -> FlagsmithError:
    """Make a 400 with one sentence per field."""
    return FlagsmithError(400, {name: [text] for name, text in fields.items()})


def missing(model: str) -> FlagsmithError:
    """Make the 404 for a model's name."""
    return detail(404, f"No {model} matches the given query.")


def forbidden() -> FlagsmithError:
    """Make the 403, which an unknown environment or project also gets."""
    return detail(403, "You do not have permission to perform this action.")


def validation_body(problems: Iterable[Problem]) -> dict[str, Any]:
    """Word broken body fields as the service's serializers do: field, then sentences."""
    body: dict[str, Any] = {}
    for problem in problems:
        first, _, rest = problem.field.partition("/")
        sentence = _sentence(problem)
        if rest and not rest.split("/")[0].isdigit():
            body.setdefault(first, {}).setdefault(rest.split("/")[-1], []).append(sentence)
        elif isinstance(body.setdefault(first or "non_field_errors", []), list):
            body[first or "non_field_errors"].append(sentence)
    return body


def _sentence(problem: Problem) -> str:
    fixed = SENTENCES.get((problem.rule, problem.detail)) or SENTENCES.get((problem.rule, ""))
    if problem.rule == "maxLength":
        return f"Ensure this field has no more than {problem.detail} characters."
    return fixed or f"{problem.rule} {problem.detail}".strip()
