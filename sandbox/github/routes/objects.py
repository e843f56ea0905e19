"""Git data: blobs, trees and commits, the parts of one atomic commit of many files."""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sandbox.github.call import Endpoint, Reply
from sandbox.github.errors import ApiError, invalid, not_found
from sandbox.github.gitobjects import TREE_MODE, GitError, Signature, TreeChange
from sandbox.github.serialise import commits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.github.call import Call

R = "/repos/{owner}/{repo}"
MODES = {"100644": "blob", "100755": "blob", "120000": "blob", TREE_MODE: "tree"}


def create_blob(call: Call) -> Reply:
    """Store a blob given as text or base64."""
    content, encoding = call.text("content"), call.text("encoding", "utf-8")
    data = decode(content) if encoding == "base64" else content.encode()
    sha = call.hub.git(call.repository).write_blob(data)
    url = f"{call.links.repository(call.repository)}/git/blobs/{sha}"
    return Reply(201, {"sha": sha, "url": url})


def get_blob(call: Call) -> Reply:
    """Return a blob, its content in base64."""
    sha = call.path["sha"]
    if call.hub.git(call.repository).object_type(sha) != "blob":
        raise not_found()
    data = call.hub.git(call.repository).blob(sha)
    url = f"{call.links.repository(call.repository)}/git/blobs/{sha}"
    content = base64.encodebytes(data).decode()
    shown = {"sha": sha, "url": url, "size": len(data), "encoding": "base64", "content": content}
    return Reply(200, {**shown, "node_id": sha})


def create_tree(call: Call) -> Reply:
    """Store a tree: a base tree with entries put in or, with a null object name, taken out."""
    git = call.hub.git(call.repository)
    base = call.optional("base_tree")
    if base is not None and git.object_type(base) not in {"tree", "commit"}:
        raise ApiError(422, "base_tree is not a valid tree oid")
    entries = call.fields.get("tree")
    if not isinstance(entries, list) or not entries:
        raise ApiError(422, "Invalid tree info")
    kinds = git.object_types({str(e.get("sha")) for e in entries if isinstance(e, dict)})
    changes = [_change(call, base, entry, kinds) for entry in entries]
    try:
        sha = git.write_tree(base, changes)
    except GitError:
        raise ApiError(422, "tree.path contains a malformed path component") from None
    return Reply(201, commits.tree(call, sha, git.tree(sha)))


def get_tree(call: Call) -> Reply:
    """Return a tree, with all below it when ``recursive`` is given."""
    git = call.hub.git(call.repository)
    name = call.path["sha"]
    sha = name if git.object_type(name) == "tree" else None
    if sha is None:
        commit = git.resolve(name)
        if commit is None:
            raise not_found()
        sha = git.commit(commit).tree
    return Reply(200, commits.tree(call, sha, git.tree(sha, recursive="recursive" in call.query)))


def create_commit(call: Call) -> Reply:
    """Store a commit; author and committer default to the caller."""
    git = call.hub.git(call.repository)
    tree, parents = call.text("tree"), call.texts("parents")
    if git.object_type(tree) != "tree":
        raise ApiError(422, "Tree SHA does not exist")
    if any(git.object_type(parent) != "commit" for parent in parents):
        raise ApiError(422, "Parent SHA does not exist or is not a commit object")
    author = signature(call, "author")
    committer = signature(call, "committer") if call.fields.get("committer") else author
    sha = git.write_commit(tree, parents, call.text("message"), author, committer)
    return Reply(201, commits.git_commit(call, sha))


def get_commit(call: Call) -> Reply:
    """Return a commit object."""
    sha = call.path["sha"]
    if call.hub.git(call.repository).object_type(sha) != "commit":
        raise not_found()
    return Reply(200, commits.git_commit(call, sha))


def signature(call: Call, name: str) -> Signature:
    """Return the author or committer of the body, the caller when it names none."""
    default = call.hub.signature(call.actor.login)
    given = call.fields.get(name)
    if not given:
        return default
    if not isinstance(given, dict) or not given.get("name") or not given.get("email"):
        raise invalid(f"{name} needs name and email", name=name, code="missing_field")
    return Signature(str(given["name"]), str(given["email"]), _date(given, default.when))


def decode(content: str) -> bytes:
    """Return the bytes of base64 text.

    Raises:
        ApiError: 422, it is not base64.
    """
    try:
        return base64.b64decode("".join(content.split()), validate=True)
    except (binascii.Error, ValueError):
        raise ApiError(422, "content is not valid Base64") from None


def _date(given: dict[str, Any], default: datetime) -> datetime:
    if not given.get("date"):
        return default
    try:
        when = datetime.fromisoformat(str(given["date"]))
    except ValueError:
        raise invalid("date is not a date-time", name="date", code="invalid") from None
    return when.replace(tzinfo=when.tzinfo or UTC)


def _change(
    call: Call, base: str | None, entry: object, kinds: Mapping[str, str | None]
) -> TreeChange:
    git = call.hub.git(call.repository)
    if not isinstance(entry, dict) or not isinstance(entry.get("path"), str):
        raise ApiError(422, "Invalid tree info")
    path, mode = entry["path"].strip("/"), str(entry.get("mode", "100644"))
    if mode not in MODES:
        raise ApiError(422, "tree.mode is not supported")
    if "content" in entry and entry.get("sha") is None:
        return TreeChange(path, mode, git.write_blob(str(entry["content"]).encode()))
    sha = entry.get("sha")
    if sha is None:
        if base is None or git.entry(base, path) is None:
            raise ApiError(422, "GitRPC::BadObjectState")
        return TreeChange(path, mode, None)
    if kinds.get(str(sha)) != MODES[mode]:
        raise ApiError(422, f"tree.sha {sha} is not a valid {MODES[mode]}")
    return TreeChange(path, mode, str(sha))


ENDPOINTS = (
    Endpoint("POST", f"{R}/git/blobs", create_blob, ("contents:write",), forks=True),
    Endpoint("GET", f"{R}/git/blobs/{{sha}}", get_blob, ("contents:read",), forks=True),
    Endpoint("POST", f"{R}/git/trees", create_tree, ("contents:write",), forks=True),
    Endpoint("GET", f"{R}/git/trees/{{sha:path}}", get_tree, ("contents:read",), forks=True),
    Endpoint("POST", f"{R}/git/commits", create_commit, ("contents:write",), forks=True),
    Endpoint("GET", f"{R}/git/commits/{{sha}}", get_commit, ("contents:read",), forks=True),
)
