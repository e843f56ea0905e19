"""Files by path: read them, and commit one file at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.github.call import Endpoint, Reply
from sandbox.github.errors import ApiError, not_found
from sandbox.github.gitobjects import GitError, TreeChange
from sandbox.github.hub import HEADS, Push
from sandbox.github.routes.objects import decode, signature
from sandbox.github.routes.refs import push
from sandbox.github.serialise import commits

if TYPE_CHECKING:
    from sandbox.github.call import Call
    from sandbox.github.gitobjects import TreeEntry

R = "/repos/{owner}/{repo}"
RAW = "application/vnd.github.raw+json"
FILE_MODE = "100644"


def get_contents(call: Call) -> Reply:
    """Return a file with its content, or the entries of a directory."""
    git, path = call.hub.git(call.repository), call.path["path"].strip("/")
    ref = call.query.get("ref") or call.hub.repository(call.repository).default_branch
    commit = git.resolve(ref)
    if commit is None:
        raise ApiError(404, f"No commit found for the ref {ref}")
    entry = git.entry(commit, path) if path else None
    if path and entry is None:
        raise not_found()
    if entry is None or entry.type == "tree":
        prefix = f"{path}/" if path else ""
        entries = git.tree(commit, path)
        return Reply(200, [commits.contents(call, prefix + e.path, ref, e) for e in entries])
    if entry.type != "blob":
        return Reply(200, commits.contents(call, path, ref, entry))
    data = git.blob(entry.sha)
    if call.accept == RAW:
        return Reply(200, data, {"Content-Type": RAW})
    return Reply(200, commits.contents(call, path, ref, entry, data))


def put_contents(call: Call) -> Reply:
    """Create or change one file; changing needs the object name of what is there."""
    git, path, branch = call.hub.git(call.repository), call.path["path"], _branch(call)
    data, given = decode(call.text("content")), call.optional("sha")
    tip, current = _current(call, branch)
    if current is not None and given is None:
        raise ApiError(422, 'Invalid request.\n\n"sha" wasn\'t supplied.')
    if given is not None and (current is None or current.sha != given):
        raise ApiError(409, f"{path} does not match {given}")
    mode = FILE_MODE if current is None else current.mode
    sha = _commit(call, branch, tip, TreeChange(path, mode, git.write_blob(data)))
    entry = git.entry(sha, path)
    if entry is None:
        raise not_found()
    shown = commits.contents(call, path, branch, entry)
    commit = commits.git_commit(call, sha)
    return Reply(201 if current is None else 200, {"content": shown, "commit": commit})


def delete_contents(call: Call) -> Reply:
    """Delete one file, named with the object name of what is there."""
    path, branch = call.path["path"], _branch(call)
    given = call.text("sha")
    tip, current = _current(call, branch)
    if current is None:
        raise not_found()
    if current.sha != given:
        raise ApiError(409, f"{path} does not match {given}")
    sha = _commit(call, branch, tip, TreeChange(path, current.mode, None))
    return Reply(200, {"content": None, "commit": commits.git_commit(call, sha)})


def _branch(call: Call) -> str:
    return call.optional("branch") or call.hub.repository(call.repository).default_branch


def _current(call: Call, branch: str) -> tuple[str, TreeEntry | None]:
    tip = call.hub.tip(call.repository, branch)
    if tip is None:
        raise ApiError(404, f"Branch {branch} not found")
    return tip, call.hub.git(call.repository).entry(tip, call.path["path"])


def _commit(call: Call, branch: str, tip: str, change: TreeChange) -> str:
    git = call.hub.git(call.repository)
    author = signature(call, "author")
    committer = signature(call, "committer") if call.fields.get("committer") else author
    try:
        tree = git.write_tree(tip, [change])
    except GitError:
        raise ApiError(422, "path contains a malformed path component") from None
    sha = git.write_commit(tree, [tip], call.text("message"), author, committer)
    move = Push(call.repository, f"{HEADS}{branch}", tip, sha, call.actor.login)
    push(call, move, refused=409)
    return sha


ENDPOINTS = (
    Endpoint("GET", f"{R}/contents/{{path:path}}", get_contents, ("contents:read",), forks=True),
    Endpoint("PUT", f"{R}/contents/{{path:path}}", put_contents, ("contents:write",), forks=True),
    Endpoint(
        "DELETE", f"{R}/contents/{{path:path}}", delete_contents, ("contents:write",), forks=True
    ),
)
