"""Merging a pull request, by merge commit or squash, guarded by its head."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.github import rules, sync
from sandbox.github.call import Endpoint, Reply
from sandbox.github.errors import ApiError, not_found
from sandbox.github.gitobjects import GitError
from sandbox.github.hub import HEADS, Push

if TYPE_CHECKING:
    from sandbox.github.call import Call
    from sandbox.github.models import Pull

R = "/repos/{owner}/{repo}"


def is_merged(call: Call) -> Reply:
    """Answer 204 for a merged pull request and 404 for any other."""
    if call.pull().merged_at is None:
        raise not_found()
    return Reply(204)


def merge_pull(call: Call) -> Reply:
    """Merge: 409 when the head is not the one named, 405 when it can't or must not be merged."""
    pull, method = call.pull(), call.text("merge_method", "merge")
    base = call.hub.tip(call.hub.name, pull.base_ref)
    if pull.state != "open" or pull.draft or base is None:
        raise ApiError(405, "Pull Request is not mergeable")
    if call.optional("sha") not in {None, pull.head_sha}:
        raise ApiError(409, "Head branch was modified. Review and try the merge again.")
    if method not in {"merge", "squash"}:
        raise ApiError(405, f"{method.title()} merges are not allowed on this repository.")
    tree = call.hub.git(call.hub.name).merge_tree(base, pull.head_sha)
    if tree is None:
        raise ApiError(405, "Pull Request is not mergeable")
    missing = rules.unmet(call.hub, pull, call.actor)
    if missing:
        raise ApiError(405, "Repository rule violations found\n\n" + "\n".join(missing))
    sha = _merge_commit(call, pull, base, tree)
    # The pull request is closed first, so that the push does not close it once more.
    merged = {"merged_at": call.hub.clock(), "merged_by": call.actor.login, "merge_commit_sha": sha}
    sync.close(call.hub, pull, **merged)
    ref = f"{HEADS}{pull.base_ref}"
    try:
        sync.move(call.hub, Push(call.hub.name, ref, base, sha, call.actor.login, merge=True))
    except GitError:  # moved, or locked by another writer: either way not ours to move now
        raise ApiError(409, "Base branch was modified. Review and try the merge again.") from None
    return Reply(200, {"sha": sha, "merged": True, "message": "Pull Request successfully merged"})


def _merge_commit(call: Call, pull: Pull, base: str, tree: str) -> str:
    git, hub = call.hub.git(call.hub.name), call.hub
    web = hub.web_signature()
    if call.text("merge_method", "merge") == "squash":
        title = call.optional("commit_title") or f"{pull.title} (#{pull.number})"
        text = _message(title, call.optional("commit_message") or "")
        return git.write_commit(tree, [base], text, hub.signature(pull.author), web)
    label = f"{pull.head_repository.partition('/')[0]}/{pull.head_ref}"
    title = call.optional("commit_title") or f"Merge pull request #{pull.number} from {label}"
    body = call.optional("commit_message")
    text = _message(title, pull.title if body is None else body)
    merger = hub.signature(call.actor.login)
    return git.write_commit(tree, [base, pull.head_sha], text, merger, web)


def _message(title: str, body: str) -> str:
    return f"{title}\n\n{body}" if body else title


ENDPOINTS = (
    Endpoint("GET", f"{R}/pulls/{{number}}/merge", is_merged, ("pull_requests:read",)),
    Endpoint("PUT", f"{R}/pulls/{{number}}/merge", merge_pull, ("contents:write",)),
)
