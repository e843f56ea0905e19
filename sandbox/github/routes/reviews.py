"""Reviews, their dismissal, and who is asked for one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.github.call import Endpoint, Reply
from sandbox.github.errors import ApiError, invalid, not_found
from sandbox.github.models import Review
from sandbox.github.serialise import people, pulls

if TYPE_CHECKING:
    from sandbox.github.call import Call
    from sandbox.github.models import Pull

R = "/repos/{owner}/{repo}/pulls/{number}"
STATES = {"APPROVE": "APPROVED", "REQUEST_CHANGES": "CHANGES_REQUESTED", "COMMENT": "COMMENTED"}
READ = ("pull_requests:read",)
WRITE = ("pull_requests:write",)


def list_reviews(call: Call) -> Reply:
    """List the reviews, oldest first; pending ones only for their author."""
    pull = call.pull()
    found = [
        review
        for review in call.hub.state.reviews(pull.number).all()
        if review.state != "PENDING" or review.author == call.actor.login
    ]
    return call.page(found, lambda review: pulls.review(call, review))


def create_review(call: Call) -> Reply:
    """Give a review on the head, or on the commit named; without an event it stays pending."""
    pull = call.pull()
    event = call.optional("event")
    _check_event(call, pull, event, call.optional("body") or "")
    commit = call.optional("commit_id") or pull.head_sha
    git = call.hub.git(call.hub.name)
    if git.object_type(commit) != "commit" or not git.is_ancestor(commit, pull.head_sha):
        raise ApiError(422, "Unprocessable Entity", code="custom", detail="commit_id is not here")
    review = Review(
        id=call.hub.state.new_id(),
        pull=pull.number,
        author=call.actor.login,
        state="PENDING",
        body=call.optional("body") or "",
        commit_id=commit,
        submitted_at=None,
    )
    return Reply(200, pulls.review(call, _submit(call, pull, review, event)))


def get_review(call: Call) -> Reply:
    """Return one review."""
    return Reply(200, pulls.review(call, _review(call)))


def submit_review(call: Call) -> Reply:
    """Give a pending review its verdict."""
    pull, review = call.pull(), _review(call)
    if review.state != "PENDING" or review.author != call.actor.login:
        raise ApiError(422, "Can not submit a review that is not pending")
    event = call.text("event")
    body = call.optional("body") or review.body
    _check_event(call, pull, event, body)
    review = review.model_copy(update={"body": body})
    return Reply(200, pulls.review(call, _submit(call, pull, review, event)))


def dismiss_review(call: Call) -> Reply:
    """Take the verdict out of a review; needs write access and a message."""
    call.hub.gate.require_role(call.actor, "write")
    pull, review = call.pull(), _review(call)
    call.text("message")
    if review.state not in {"APPROVED", "CHANGES_REQUESTED"}:
        raise ApiError(422, "Can not dismiss a review that has no verdict")
    dismissed = review.model_copy(update={"state": "DISMISSED"})
    call.hub.state.reviews(pull.number).put(dismissed)
    call.hub.announce(pull.number, "review_dismissed")
    return Reply(200, pulls.review(call, dismissed))


def get_requested(call: Call) -> Reply:
    """Return who is asked for a review."""
    pull = call.pull()
    users = (call.hub.state.visible(login) for login in pull.reviewers)
    owner = call.hub.state.account(call.hub.owner)
    teams = (call.hub.state.teams.get(slug) for slug in pull.team_reviewers)
    shown = {
        "users": [people.user(call.links, user) for user in users if user is not None],
        "teams": [people.team(call.links, owner, team) for team in teams if team and owner],
    }
    return Reply(200, shown)


def add_requested(call: Call) -> Reply:
    """Ask people and teams for a review; the author can't be asked."""
    pull, users, teams = call.pull(), call.texts("reviewers"), call.texts("team_reviewers")
    if pull.author.lower() in {login.lower() for login in users}:
        raise ApiError(422, "Review cannot be requested from pull request author.")
    unknown = [login for login in users if call.hub.state.visible(login) is None]
    if unknown or any(call.hub.state.teams.get(slug) is None for slug in teams):
        raise ApiError(
            422, "Reviews may only be requested from collaborators and teams of the repository."
        )
    asked = {
        "reviewers": tuple(dict.fromkeys((*pull.reviewers, *users))),
        "team_reviewers": tuple(dict.fromkeys((*pull.team_reviewers, *teams))),
    }
    pull = call.hub.state.pulls.put(pull.model_copy(update=asked))
    call.hub.announce(pull.number, "review_requested")
    return Reply(201, pulls.short(call, pull))


def remove_requested(call: Call) -> Reply:
    """Take the request for a review back."""
    pull, users, teams = call.pull(), call.texts("reviewers"), call.texts("team_reviewers")
    left = {
        "reviewers": tuple(login for login in pull.reviewers if login not in users),
        "team_reviewers": tuple(slug for slug in pull.team_reviewers if slug not in teams),
    }
    pull = call.hub.state.pulls.put(pull.model_copy(update=left))
    call.hub.announce(pull.number, "review_request_removed")
    return Reply(200, pulls.short(call, pull))


def _review(call: Call) -> Review:
    found = call.hub.state.reviews(call.pull().number).get(call.number("review_id"))
    if found is None:
        raise not_found()
    return found


def _check_event(call: Call, pull: Pull, event: str | None, body: str) -> None:
    if event is None:
        return
    if event not in STATES:
        raise invalid("event is not known", name="event", code="invalid")
    if pull.author == call.actor.login and event != "COMMENT":
        verb = "approve" if event == "APPROVE" else "request changes on"
        detail = f"Can not {verb} your own pull request"
        raise ApiError(422, "Unprocessable Entity", code="custom", detail=detail)
    if event != "APPROVE" and not body:
        raise invalid("body is needed", resource="PullRequestReview", name="body")


def _submit(call: Call, pull: Pull, review: Review, event: str | None) -> Review:
    if event is not None:
        submitted = {"state": STATES[event], "submitted_at": call.hub.clock()}
        review = review.model_copy(update=submitted)
        left = tuple(login for login in pull.reviewers if login != review.author)
        call.hub.state.pulls.put(pull.model_copy(update={"reviewers": left}))
        call.hub.announce(pull.number, "review_submitted")
    return call.hub.state.reviews(pull.number).put(review)


ENDPOINTS = (
    Endpoint("GET", f"{R}/reviews", list_reviews, READ),
    Endpoint("POST", f"{R}/reviews", create_review, WRITE),
    Endpoint("GET", f"{R}/reviews/{{review_id}}", get_review, READ),
    Endpoint("POST", f"{R}/reviews/{{review_id}}/events", submit_review, WRITE),
    Endpoint("PUT", f"{R}/reviews/{{review_id}}/dismissals", dismiss_review, WRITE),
    Endpoint("GET", f"{R}/requested_reviewers", get_requested, READ),
    Endpoint("POST", f"{R}/requested_reviewers", add_requested, WRITE),
    Endpoint("DELETE", f"{R}/requested_reviewers", remove_requested, WRITE),
)
