"""Pull requests: raise, read, change, list their files and commits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.github import sync
from sandbox.github.call import Endpoint, Reply
from sandbox.github.diff import changes
from sandbox.github.errors import ApiError, invalid
from sandbox.github.models import Pull
from sandbox.github.serialise import commits, pulls

if TYPE_CHECKING:
    from sandbox.github.call import Call

R = "/repos/{owner}/{repo}"
FILE_LIMIT = 3000
"""GitHub lists no more files of a pull request than this."""
COMMIT_LIMIT = 250
READ = ("pull_requests:read",)
WRITE = ("pull_requests:write",)
DIFF_TYPES = {"application/vnd.github.diff", "application/vnd.github.patch"}


def list_pulls(call: Call) -> Reply:
    """List pull requests by state, head and base; newest first unless asked otherwise."""
    state, head = call.query.get("state", "open"), call.query.get("head")
    base = call.query.get("base")
    found = [
        pull
        for pull in call.hub.state.pulls.all()
        if state in {"all", pull.state}
        and head in {None, f"{pull.head_repository.partition('/')[0]}:{pull.head_ref}"}
        and base in {None, pull.base_ref}
    ]
    by_update = call.query.get("sort") == "updated"
    found.sort(key=lambda pull: (pull.updated_at if by_update else pull.created_at, pull.number))
    default = "asc" if call.query.get("sort") == "popularity" else "desc"
    if call.query.get("direction", default) == "desc":
        found.reverse()
    return call.page(found, lambda pull: pulls.short(call, pull))


def create_pull(call: Call) -> Reply:
    """Raise a pull request from a branch of the repository or of a fork."""
    repository, head_ref = _head(call)
    base_ref = call.text("base")
    head, base = call.hub.tip(repository, head_ref), call.hub.tip(call.hub.name, base_ref)
    if head is None:
        raise invalid("head is not a branch", resource="PullRequest", name="head", code="invalid")
    if base is None:
        raise invalid("base is not a branch", resource="PullRequest", name="base", code="invalid")
    if repository == call.hub.name:
        call.hub.gate.require_role(call.actor, "write")
    _refuse_duplicate(call, repository, head_ref, base_ref)
    now = call.hub.clock()
    pull = Pull(
        number=call.hub.state.new_number(),
        id=call.hub.state.new_id(),
        title=call.text("title"),
        body=call.optional("body"),
        author=call.actor.login,
        draft=call.flag("draft"),
        head_repository=repository,
        head_ref=head_ref,
        head_sha=head,
        base_ref=base_ref,
        base_sha=base,
        created_at=now,
        updated_at=now,
        maintainer_can_modify=call.flag("maintainer_can_modify", default=True),
    )
    sync.import_head(call.hub, pull)
    git = call.hub.git(call.hub.name)
    if not git.commits_between(base, head):
        detail = f"No commits between {base_ref} and {head_ref}"
        raise invalid(detail, resource="PullRequest")
    call.hub.state.pulls.put(pull)
    sync.refresh_merge(call.hub, pull)
    call.hub.announce(pull.number, "opened")
    return Reply(201, pulls.full(call, pull))


def get_pull(call: Call) -> Reply:
    """Return a pull request, or its diff where that media type is asked for."""
    pull = call.pull()
    if call.accept in DIFF_TYPES:
        base = pulls.comparison_base(call, pull)
        git = call.hub.git(call.hub.name)
        if call.accept.endswith("diff"):
            data = git.run("diff-tree", "-r", "-M", "-p", base, pull.head_sha)
        else:
            data = git.run("format-patch", "--stdout", f"{base}..{pull.head_sha}")
        return Reply(200, data, {"Content-Type": call.accept})
    return Reply(200, pulls.full(call, pull))


def update_pull(call: Call) -> Reply:
    """Change title, body, base or state; the author and writers may."""
    pull = call.pull()
    if call.actor.login != pull.author:
        call.hub.gate.require_role(call.actor, "write")
    changed: dict[str, object] = {"updated_at": call.hub.clock()}
    if "title" in call.fields:
        changed["title"] = call.text("title")
    if "body" in call.fields:
        changed["body"] = call.optional("body")
    if "base" in call.fields:
        changed["base_ref"], changed["base_sha"] = _new_base(call)
    pull = call.hub.state.pulls.put(pull.model_copy(update=changed))
    state = call.text("state", pull.state)
    if state == "closed" and pull.state == "open":
        pull = sync.close(call.hub, pull)
    elif state == "open" and pull.state == "closed":
        pull = _reopen(call, pull)
    elif len(changed) > 1:
        call.hub.announce(pull.number, "edited")
    return Reply(200, pulls.full(call, pull))


def list_files(call: Call) -> Reply:
    """List the changed files, against the merge base."""
    pull = call.pull()
    base = pulls.comparison_base(call, pull)
    found = changes(call.hub.git(call.hub.name), base, pull.head_sha)[:FILE_LIMIT]
    return call.page(found, lambda item: commits.file(call, pull.head_sha, item))


def list_commits(call: Call) -> Reply:
    """List the commits, oldest first."""
    pull = call.pull()
    base = pulls.comparison_base(call, pull)
    found = call.hub.git(call.hub.name).commits_between(base, pull.head_sha)[:COMMIT_LIMIT]
    return call.page(found, lambda sha: commits.short(call, sha))


def _head(call: Call) -> tuple[str, str]:
    """Return repository and branch of ``branch`` or ``owner:branch``."""
    owner, colon, branch = call.text("head").rpartition(":")
    if not colon or owner.lower() == call.hub.owner.lower():
        return call.hub.name, branch
    for repository in call.hub.state.repositories.all():
        if repository.full_name.partition("/")[0].lower() == owner.lower():
            return repository.full_name, branch
    raise invalid("head has no such fork", resource="PullRequest", name="head", code="invalid")


def _refuse_duplicate(call: Call, repository: str, head_ref: str, base_ref: str) -> None:
    wanted = (repository, head_ref, base_ref, "open")
    for pull in call.hub.state.pulls.all():
        if (pull.head_repository, pull.head_ref, pull.base_ref, pull.state) == wanted:
            label = f"{repository.partition('/')[0]}:{head_ref}"
            detail = f"A pull request already exists for {label}."
            raise invalid(detail, resource="PullRequest")


def _new_base(call: Call) -> tuple[str, str]:
    name = call.text("base")
    sha = call.hub.tip(call.hub.name, name)
    if sha is None:
        raise invalid("base is not a branch", resource="PullRequest", name="base", code="invalid")
    return name, sha


def _reopen(call: Call, pull: Pull) -> Pull:
    head = call.hub.tip(pull.head_repository, pull.head_ref)
    if pull.merged_at is not None or head is None:
        raise ApiError(422, "Validation Failed", code="invalid", fields={"field": "state"})
    changed = {"state": "open", "closed_at": None, "head_sha": head}
    pull = call.hub.state.pulls.put(pull.model_copy(update=changed))
    sync.import_head(call.hub, pull)
    sync.refresh_merge(call.hub, pull)
    call.hub.announce(pull.number, "reopened")
    return pull


ENDPOINTS = (
    Endpoint("GET", f"{R}/pulls", list_pulls, READ),
    Endpoint("POST", f"{R}/pulls", create_pull, WRITE),
    Endpoint("GET", f"{R}/pulls/{{number}}", get_pull, READ),
    Endpoint("PATCH", f"{R}/pulls/{{number}}", update_pull, WRITE),
    Endpoint("GET", f"{R}/pulls/{{number}}/files", list_files, READ),
    Endpoint("GET", f"{R}/pulls/{{number}}/commits", list_commits, READ),
)
