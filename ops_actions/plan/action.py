"""The change that one request file asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ops_actions.catalogue.registry import find
from ops_actions.change.request import parse_request
from ops_actions.errors import BadRequestError
from ops_actions.plan.model import Change, Kind, Risk, Verb

if TYPE_CHECKING:
    from ops_actions.change.model import FileChange


def action_change(file: FileChange, environment: str) -> Change:
    """Return the change of a request file.

    A request that is edited or removed after it was merged keeps its old content in ``before``;
    the policies refuse it, since a merged request can't be changed any more.

    Raises:
        BadRequestError: the request can't be read, names no known action, or its parameters are
            wrong; with file and line.
    """
    data = file.after if file.after is not None else file.before
    if data is None:
        raise BadRequestError(
            "request.empty", f"{file.path} has no content", "write the request or remove the file"
        )
    request = parse_request(data, file.path)
    spec = find(request.action)
    params = spec.parse(request.params)
    inverse, reversible = spec.inverse(request.target, params)
    return Change(
        verb=Verb.ACT if file.after is not None else Verb.DELETE,
        kind=Kind.ACTION,
        risk=Risk(spec.risk),
        environment=environment,
        target=request.target,
        path=file.path,
        before=None if file.before is None else parse_request(file.before, file.path).document(),
        after=None if file.after is None else request.document(),
        expected_live=spec.expected_live(request.target, params),
        desired_live=spec.desired_live(request.target, params),
        summary=spec.describe(request.target, params),
        inverse=inverse,
        reversible=reversible,
        action=spec.name,
        gate=spec.gate,
    )
