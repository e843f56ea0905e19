"""The conversation of a pull request: comments and labels, on its issue side."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sandbox.github.call import Endpoint, Reply
from sandbox.github.errors import ApiError, invalid, not_found
from sandbox.github.models import Comment, Label
from sandbox.github.serialise import pulls

if TYPE_CHECKING:
    from sandbox.github.call import Call
    from sandbox.github.models import Pull

R = "/repos/{owner}/{repo}"
READ = ("issues:read", "pull_requests:read")
WRITE = ("issues:write", "pull_requests:write")


def get_issue(call: Call) -> Reply:
    """Return a pull request as an issue."""
    return Reply(200, pulls.issue(call, call.pull()))


def list_comments(call: Call) -> Reply:
    """List the comments, oldest first, where asked only those changed since a moment."""
    pull, since = call.pull(), _since(call)
    found = [
        comment
        for comment in call.hub.state.comments.all()
        if comment.issue == pull.number and (since is None or comment.updated_at >= since)
    ]
    return call.page(found, lambda comment: pulls.comment(call, comment))


def create_comment(call: Call) -> Reply:
    """Add a comment."""
    pull, now = call.pull(), call.hub.clock()
    comment = Comment(
        id=call.hub.state.new_id(),
        issue=pull.number,
        author=call.actor.login,
        body=_body(call),
        created_at=now,
        updated_at=now,
    )
    call.hub.state.comments.put(comment)
    return Reply(201, pulls.comment(call, comment))


def get_comment(call: Call) -> Reply:
    """Return one comment."""
    return Reply(200, pulls.comment(call, _comment(call)))


def update_comment(call: Call) -> Reply:
    """Replace the text of a comment; its author and writers may."""
    comment = _own_comment(call)
    changed = {"body": _body(call), "updated_at": call.hub.clock()}
    comment = call.hub.state.comments.put(comment.model_copy(update=changed))
    return Reply(200, pulls.comment(call, comment))


def delete_comment(call: Call) -> Reply:
    """Remove a comment; its author and writers may."""
    call.hub.state.comments.delete(_own_comment(call).id)
    return Reply(204)


def list_labels(call: Call) -> Reply:
    """List the labels of the repository."""
    return call.page(call.hub.state.labels.all(), lambda item: pulls.label(call, item))


def create_label(call: Call) -> Reply:
    """Add a label to the repository; the name must be new, in any case."""
    call.hub.gate.require_role(call.actor, "write")
    name = call.text("name")
    if call.hub.state.labels.get(name.lower()) is not None:
        raise invalid("name is taken", resource="Label", name="name", code="already_exists")
    color, description = call.text("color", "ededed"), call.optional("description")
    fields = {"color": color.removeprefix("#"), "description": description}
    item = Label(id=call.hub.state.new_id(), name=name, **fields)
    return Reply(201, pulls.label(call, call.hub.state.labels.put(item)))


def list_issue_labels(call: Call) -> Reply:
    """List the labels of a pull request."""
    return call.page(_labels(call, call.pull()), lambda item: pulls.label(call, item))


def add_issue_labels(call: Call) -> Reply:
    """Put labels on a pull request; unknown ones are made."""
    pull = call.pull()
    return _set_labels(call, pull, [*pull.labels, *_names(call)])


def set_issue_labels(call: Call) -> Reply:
    """Replace the labels of a pull request."""
    return _set_labels(call, call.pull(), _names(call))


def remove_issue_label(call: Call) -> Reply:
    """Take one label off a pull request."""
    pull, name = call.pull(), call.path["name"].lower()
    if name not in {held.lower() for held in pull.labels}:
        raise ApiError(404, "Label does not exist")
    return _set_labels(call, pull, [held for held in pull.labels if held.lower() != name])


def _body(call: Call) -> str:
    body = call.text("body")
    if not body.strip():
        raise invalid("body cannot be blank", resource="IssueComment", name="body")
    return body


def _comment(call: Call) -> Comment:
    found = call.hub.state.comments.get(call.number("comment_id"))
    if found is None:
        raise not_found()
    return found


def _own_comment(call: Call) -> Comment:
    comment = _comment(call)
    if comment.author != call.actor.login:
        if call.actor.kind != "user":
            raise ApiError(403, "Resource not accessible by integration")
        call.hub.gate.require_role(call.actor, "write")
    return comment


def _since(call: Call) -> datetime | None:
    text = call.query.get("since")
    if text is None:
        return None
    try:
        since = datetime.fromisoformat(text)
    except ValueError:
        raise invalid("since is not a date-time", name="since", code="invalid") from None
    return since.replace(tzinfo=since.tzinfo or UTC)


def _names(call: Call) -> list[str]:
    """Return label names from ``{"labels": [...]}`` or a bare list, as GitHub takes both."""
    if isinstance(call.body, list):
        if not all(isinstance(name, str) for name in call.body):
            raise invalid("labels must be a list of texts", name="labels", code="invalid")
        return list(call.body)
    return call.texts("labels")


def _labels(call: Call, pull: Pull) -> list[Label]:
    found = (call.hub.state.labels.get(name.lower()) for name in pull.labels)
    return [item for item in found if item is not None]


def _set_labels(call: Call, pull: Pull, names: list[str]) -> Reply:
    state = call.hub.state
    kept: dict[str, str] = {}
    for name in names:
        item = state.labels.get(name.lower())
        if item is None:
            item = state.labels.put(Label(id=state.new_id(), name=name))
        kept[item.name.lower()] = item.name
    changed = {"labels": tuple(kept.values()), "updated_at": call.hub.clock()}
    pull = state.pulls.put(pull.model_copy(update=changed))
    call.hub.announce(pull.number, "labeled")
    return Reply(200, [pulls.label(call, item) for item in _labels(call, pull)])


ENDPOINTS = (
    Endpoint("GET", f"{R}/issues/comments/{{comment_id}}", get_comment, READ),
    Endpoint("PATCH", f"{R}/issues/comments/{{comment_id}}", update_comment, WRITE),
    Endpoint("DELETE", f"{R}/issues/comments/{{comment_id}}", delete_comment, WRITE),
    Endpoint("GET", f"{R}/issues/{{number}}", get_issue, READ),
    Endpoint("GET", f"{R}/issues/{{number}}/comments", list_comments, READ),
    Endpoint("POST", f"{R}/issues/{{number}}/comments", create_comment, WRITE),
    Endpoint("GET", f"{R}/issues/{{number}}/labels", list_issue_labels, READ),
    Endpoint("POST", f"{R}/issues/{{number}}/labels", add_issue_labels, WRITE),
    Endpoint("PUT", f"{R}/issues/{{number}}/labels", set_issue_labels, WRITE),
    Endpoint("DELETE", f"{R}/issues/{{number}}/labels/{{name}}", remove_issue_label, WRITE),
    Endpoint("GET", f"{R}/labels", list_labels, READ),
    Endpoint("POST", f"{R}/labels", create_label, WRITE),
)
