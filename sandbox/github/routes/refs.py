"""References, branches and the log of who moved them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.github import rules, sync
from sandbox.github.call import Endpoint, Reply
from sandbox.github.errors import ApiError, invalid, not_found
from sandbox.github.git import SHA, ZERO, RefMovedError
from sandbox.github.gitobjects import GitError
from sandbox.github.hub import HEADS, Push
from sandbox.github.serialise import commits

if TYPE_CHECKING:
    from sandbox.github.call import Call, Json

R = "/repos/{owner}/{repo}"


def get_ref(call: Call) -> Reply:
    """Return one reference, named without ``refs/``."""
    ref = f"refs/{call.path['ref']}"
    sha = call.hub.git(call.repository).refs(ref).get(ref)
    if sha is None:
        raise not_found()
    return Reply(200, commits.reference(call, ref, sha))


def matching_refs(call: Call) -> Reply:
    """Return the references whose name starts with a text."""
    prefix = f"refs/{call.path['ref']}"
    refs = call.hub.git(call.repository).refs("refs")
    found = [(ref, sha) for ref, sha in sorted(refs.items()) if ref.startswith(prefix)]
    return call.page(found, lambda pair: commits.reference(call, *pair))


def create_ref(call: Call) -> Reply:
    """Create a reference that does not exist yet."""
    ref, sha = call.text("ref"), call.text("sha")
    git = call.hub.git(call.repository)
    if not ref.startswith("refs/") or not git.valid_ref(ref) or ref.startswith("refs/pull/"):
        raise ApiError(422, f"{ref} is not a valid ref name.")
    if not SHA.fullmatch(sha) or git.object_type(sha) != "commit":
        raise ApiError(422, "Object does not exist")
    push(
        call,
        Push(call.repository, ref, ZERO, sha, call.actor.login),
        taken="Reference already exists",
    )
    return Reply(201, commits.reference(call, ref, sha))


def update_ref(call: Call) -> Reply:
    """Move a reference; only forwards, unless forced."""
    ref, sha = f"refs/{call.path['ref']}", call.text("sha")
    git = call.hub.git(call.repository)
    before = git.refs(ref).get(ref)
    if before is None or ref.startswith("refs/pull/"):
        raise ApiError(422, "Reference does not exist")
    if git.object_type(sha) != "commit":
        raise ApiError(422, "Object does not exist")
    if not call.flag("force") and not git.is_ancestor(before, sha):
        raise ApiError(422, "Update is not a fast forward")
    if before != sha:
        push(call, Push(call.repository, ref, before, sha, call.actor.login))
    return Reply(200, commits.reference(call, ref, sha))


def delete_ref(call: Call) -> Reply:
    """Delete a reference."""
    ref = f"refs/{call.path['ref']}"
    before = call.hub.git(call.repository).refs(ref).get(ref)
    if before is None or ref.startswith("refs/pull/"):
        raise ApiError(422, "Reference does not exist")
    if ref == f"{HEADS}{call.hub.repository(call.repository).default_branch}":
        raise ApiError(422, "Cannot delete the default branch")
    push(call, Push(call.repository, ref, before, ZERO, call.actor.login))
    return Reply(204)


def push(
    call: Call, move: Push, *, taken: str = "Reference update failed", refused: int = 422
) -> None:
    """Move a branch for the caller, within the rules.

    Args:
        call: the request.
        move: what to move where.
        taken: words for a reference that was moved meanwhile.
        refused: status for a move the branch rules refuse.
    """
    reason = rules.push_refusal(call.hub, move, call.actor)
    if reason is not None:
        raise ApiError(refused, f"Repository rule violations found\n\n{reason}")
    try:
        sync.move(call.hub, move)
    except RefMovedError:
        raise ApiError(422, taken) from None
    except GitError:
        raise ApiError(422, "Reference name is not usable") from None


def list_branches(call: Call) -> Reply:
    """List the branches by name."""
    refs = sorted(call.hub.git(call.repository).refs("refs/heads").items())
    return call.page(refs, lambda pair: _short_branch(call, pair[0].removeprefix(HEADS), pair[1]))


def get_branch(call: Call) -> Reply:
    """Return one branch with its tip."""
    name = call.path["branch"]
    sha = call.hub.tip(call.repository, name)
    if sha is None:
        raise ApiError(404, "Branch not found")
    return Reply(200, commits.branch(call, name, sha, protected=_protected(call, name)))


def list_activity(call: Call) -> Reply:
    """List who moved which reference when; newest first unless asked otherwise."""
    wanted = {name: call.query.get(name) for name in ("actor", "activity_type")}
    ref = call.query.get("ref")
    if ref is not None and not ref.startswith("refs/"):
        ref = f"{HEADS}{ref}"
    found = [
        item
        for item in call.hub.state.activity.all()
        if item.repository == call.repository
        and ref in {None, item.ref}
        and wanted["actor"] in {None, item.actor}
        and wanted["activity_type"] in {None, item.activity_type}
    ]
    direction = call.query.get("direction", "desc")
    if direction not in {"asc", "desc"}:
        raise invalid("direction is asc or desc", name="direction")
    ordered = found if direction == "asc" else found[::-1]
    return call.page(ordered, lambda item: commits.activity(call, item))


def _protected(call: Call, branch: str) -> bool:
    if call.repository != call.hub.name:
        return False
    return bool(rules.active(call.hub, branch, rules.NOBODY))


def _short_branch(call: Call, name: str, sha: str) -> Json:
    url = f"{call.links.repository(call.repository)}/commits/{sha}"
    return {
        "name": name,
        "commit": {"sha": sha, "url": url},
        "protected": _protected(call, name),
    }


ENDPOINTS = (
    Endpoint("GET", f"{R}/git/ref/{{ref:path}}", get_ref, ("contents:read",), forks=True),
    Endpoint(
        "GET", f"{R}/git/matching-refs/{{ref:path}}", matching_refs, ("contents:read",), forks=True
    ),
    Endpoint("POST", f"{R}/git/refs", create_ref, ("contents:write",), forks=True),
    Endpoint("GET", f"{R}/git/refs/{{ref:path}}", get_ref, ("contents:read",), forks=True),
    Endpoint("PATCH", f"{R}/git/refs/{{ref:path}}", update_ref, ("contents:write",), forks=True),
    Endpoint("DELETE", f"{R}/git/refs/{{ref:path}}", delete_ref, ("contents:write",), forks=True),
    Endpoint("GET", f"{R}/branches", list_branches, ("contents:read",), forks=True),
    Endpoint("GET", f"{R}/branches/{{branch:path}}", get_branch, ("contents:read",), forks=True),
    Endpoint("GET", f"{R}/activity", list_activity, ("contents:read",), forks=True),
)
