"""Git objects, commits, files and reference moves as GitHub shows them."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING
from urllib.parse import quote

from sandbox.github.diff import changes
from sandbox.github.git import EMPTY_TREE, ZERO
from sandbox.github.hub import GITHUB
from sandbox.github.serialise.people import moment, node_id, user

if TYPE_CHECKING:
    from sandbox.github.call import Call, Json
    from sandbox.github.diff import FileChange
    from sandbox.github.gitobjects import Commit, Signature, TreeEntry
    from sandbox.github.models import Activity

ENTRY_TYPE = {"tree": "dir", "blob": "file", "commit": "submodule"}
SYMLINK_MODE = "120000"


def git_commit(call: Call, sha: str) -> Json:
    """Return a commit as the git data endpoints show it."""
    url = call.links.repository(call.repository)
    commit = call.hub.git(call.repository).commit(sha)
    page = f"{call.links.root}/{call.repository}"
    return {
        "sha": sha,
        "node_id": node_id(f"Commit:{sha}", 0),
        "url": f"{url}/git/commits/{sha}",
        "html_url": f"{page}/commit/{sha}",
        "author": _signature(commit.author),
        "committer": _signature(commit.committer),
        "message": commit.message,
        "tree": {"sha": commit.tree, "url": f"{url}/git/trees/{commit.tree}"},
        "parents": _parents(call, commit, "git/commits"),
        "verification": verification(call, commit),
    }


def verification(call: Call, commit: Commit) -> Json:
    """Return whether GitHub would have signed the commit: its own merges and Apps' commits."""
    account = call.hub.account_of(commit.committer)
    signed = commit.committer.name == GITHUB or (account is not None and account.type == "Bot")
    return {
        "verified": signed,
        "reason": "valid" if signed else "unsigned",
        "signature": None,
        "payload": None,
        "verified_at": moment(commit.committer.when) if signed else None,
    }


def short(call: Call, sha: str) -> Json:
    """Return a commit as lists show it."""
    data = git_commit(call, sha)
    commit = call.hub.git(call.repository).commit(sha)
    url = f"{call.links.repository(call.repository)}/commits/{sha}"
    names = ("author", "committer", "message", "tree", "verification")
    return {
        "sha": sha,
        "node_id": data["node_id"],
        "url": url,
        "html_url": data["html_url"],
        "comments_url": f"{url}/comments",
        "commit": {
            **{name: data[name] for name in names},
            "url": data["url"],
            "comment_count": 0,
        },
        "author": user(call.links, call.hub.account_of(commit.author)),
        "committer": user(call.links, call.hub.account_of(commit.committer)),
        "parents": _parents(call, commit, "commits"),
    }


def full(call: Call, sha: str) -> Json:
    """Return a commit with its files, against its first parent."""
    git = call.hub.git(call.repository)
    parents = git.commit(sha).parents
    files = changes(git, parents[0] if parents else EMPTY_TREE, sha)
    added = sum(item.additions for item in files)
    removed = sum(item.deletions for item in files)
    return {
        **short(call, sha),
        "stats": {"additions": added, "deletions": removed, "total": added + removed},
        "files": [file(call, sha, item) for item in files],
    }


def file(call: Call, sha: str, item: FileChange) -> Json:
    """Return a changed file; ``previous_filename`` and ``patch`` only where they exist."""
    path, page = quote(item.filename), f"{call.links.root}/{call.repository}"
    shown = {
        "sha": item.sha,
        "filename": item.filename,
        "status": item.status,
        "additions": item.additions,
        "deletions": item.deletions,
        "changes": item.additions + item.deletions,
        "blob_url": f"{page}/blob/{sha}/{path}",
        "raw_url": f"{page}/raw/{sha}/{path}",
        "contents_url": f"{call.links.repository(call.repository)}/contents/{path}?ref={sha}",
    }
    extra = {"patch": item.patch, "previous_filename": item.previous}
    return {**shown, **{name: value for name, value in extra.items() if value is not None}}


def reference(call: Call, ref: str, sha: str) -> Json:
    """Return a reference; its address names it without the leading ``refs/``."""
    url = f"{call.links.repository(call.repository)}/git"
    return {
        "ref": ref,
        "node_id": node_id(ref, 0),
        "url": f"{url}/{quote(ref)}",
        "object": {"sha": sha, "type": "commit", "url": f"{url}/commits/{sha}"},
    }


def branch(call: Call, name: str, sha: str, *, protected: bool) -> Json:
    """Return a branch with its tip."""
    url = f"{call.links.repository(call.repository)}/branches/{quote(name)}"
    return {
        "name": name,
        "commit": short(call, sha),
        "_links": {"self": url, "html": f"{call.links.root}/{call.repository}/tree/{quote(name)}"},
        "protected": protected,
        "protection": {"enabled": protected},
        "protection_url": f"{url}/protection",
    }


def tree(call: Call, sha: str, entries: list[TreeEntry]) -> Json:
    """Return a tree; only blobs have a size, in bytes."""
    url = f"{call.links.repository(call.repository)}/git"
    return {
        "sha": sha,
        "url": f"{url}/trees/{sha}",
        "truncated": False,
        "tree": [
            {
                "path": entry.path,
                "mode": entry.mode,
                "type": entry.type,
                "sha": entry.sha,
                "url": f"{url}/{entry.type}s/{entry.sha}",
                **({} if entry.size is None else {"size": entry.size}),
            }
            for entry in entries
        ],
    }


def contents(call: Call, path: str, ref: str, entry: TreeEntry, data: bytes | None = None) -> Json:
    """Return a file or directory entry at a path; with ``data`` also the content, in base64."""
    url = f"{call.links.repository(call.repository)}/contents/{quote(path)}?ref={quote(ref)}"
    git_url = f"{call.links.repository(call.repository)}/git/{entry.type}s/{entry.sha}"
    page = f"{call.links.root}/{call.repository}"
    kind = "symlink" if entry.mode == SYMLINK_MODE else ENTRY_TYPE[entry.type]
    html_url = f"{page}/{entry.type}/{quote(ref)}/{quote(path)}"
    content = {}
    if data is not None:
        content = {"encoding": "base64", "content": base64.encodebytes(data).decode()}
    return {
        "type": "file" if data is not None else kind,
        "size": entry.size or 0,
        "name": path.rpartition("/")[2],
        "path": path,
        "sha": entry.sha,
        "url": url,
        "git_url": git_url,
        "html_url": html_url,
        "download_url": None if kind == "dir" else f"{page}/raw/{quote(ref)}/{quote(path)}",
        "_links": {"self": url, "git": git_url, "html": html_url},
        **content,
    }


def activity(call: Call, item: Activity) -> Json:
    """Return one reference move; the actor is null when nobody can be named."""
    return {
        "id": item.id,
        "node_id": node_id("Push", item.id),
        "before": item.before,
        "after": item.after,
        "ref": item.ref,
        "timestamp": moment(item.timestamp),
        "activity_type": item.activity_type,
        "actor": user(call.links, call.hub.state.visible(item.actor)),
    }


def comparison(call: Call, base: str, head: str, merge_base: str) -> Json:
    """Return the comparison of two commits over their merge base."""
    git, url = call.hub.git(call.repository), call.links.repository(call.repository)
    ahead, behind = git.commits_between(base, head), git.commits_between(head, base)
    page = f"{call.links.root}/{call.repository}/compare/{base}...{head}"
    status = {(True, True): "diverged", (True, False): "ahead", (False, True): "behind"}
    return {
        "url": f"{url}/compare/{base}...{head}",
        "html_url": page,
        "permalink_url": page,
        "diff_url": f"{page}.diff",
        "patch_url": f"{page}.patch",
        "base_commit": short(call, base),
        "merge_base_commit": short(call, merge_base),
        "status": status.get((bool(ahead), bool(behind)), "identical"),
        "ahead_by": len(ahead),
        "behind_by": len(behind),
        "total_commits": len(ahead),
        "commits": [short(call, sha) for sha in ahead],
        "files": [file(call, head, item) for item in changes(git, merge_base, head)],
    }


def _signature(signature: Signature) -> Json:
    return {
        "name": signature.name,
        "email": signature.email,
        "date": moment(signature.when),
    }


def _parents(call: Call, commit: Commit, kind: str) -> list[Json]:
    url, page = call.links.repository(call.repository), f"{call.links.root}/{call.repository}"
    return [
        {"sha": sha, "url": f"{url}/{kind}/{sha}", "html_url": f"{page}/commit/{sha}"}
        for sha in commit.parents
        if sha != ZERO
    ]
