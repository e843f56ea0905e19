"""The repository and its forks, and the caller's rate limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.github.call import Endpoint, Reply
from sandbox.github.errors import ApiError
from sandbox.github.git import Git
from sandbox.github.hub import HEADS
from sandbox.github.models import Repository, SeenRef
from sandbox.github.serialise import repositories

if TYPE_CHECKING:
    from sandbox.github.call import Call

R = "/repos/{owner}/{repo}"


def get_repository(call: Call) -> Reply:
    """Return a repository."""
    return Reply(200, repositories.full(call, call.hub.repository(call.repository)))


def list_forks(call: Call) -> Reply:
    """List the forks."""
    found = [item for item in call.hub.state.repositories.all() if item.parent == call.repository]
    return call.page(found, lambda item: repositories.full(call, item))


def create_fork(call: Call) -> Reply:
    """Fork the repository for the caller; a fork that exists is returned as it is."""
    if call.actor.kind != "user":
        raise ApiError(403, "Resource not accessible by integration")
    hub, name = call.hub, f"{call.actor.login}/{call.hub.name.partition('/')[2]}"
    found = hub.state.repositories.get(name.lower())
    if found is None:
        found = Repository(
            full_name=name, id=hub.state.new_id(), parent=hub.name, created_at=hub.clock()
        )
        hub.state.repositories.put(found)
        fork, source = Git.create(hub.directory(name)), hub.git(hub.name)
        refspec = f"{HEADS}*:{HEADS}*"
        fork.run("fetch", "--quiet", "--no-tags", str(source.directory.resolve()), refspec)
        for ref, sha in fork.refs("refs/heads").items():
            hub.state.seen.put(SeenRef(repository=name, ref=ref, sha=sha))
    return Reply(202, repositories.full(call, found))


def get_rate_limit(call: Call) -> Reply:
    """Return the caller's rate limit; asking does not count."""
    rate = call.hub.gate.rate(call.actor.key)
    return Reply(200, {"resources": {"core": rate}, "rate": rate})


ENDPOINTS = (
    Endpoint("GET", R, get_repository, ("metadata:read",), forks=True),
    Endpoint("GET", f"{R}/forks", list_forks, ("metadata:read",)),
    Endpoint("POST", f"{R}/forks", create_fork, ("metadata:read",)),
    Endpoint("GET", "/rate_limit", get_rate_limit),
)
