"""What follows a move of a branch: pull requests get their new head, merge commit and state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.github import rules
from sandbox.github.git import ZERO
from sandbox.github.hub import HEADS, Push
from sandbox.github.models import SeenRef

if TYPE_CHECKING:
    from sandbox.github.hub import Hub
    from sandbox.github.models import Pull


def head_ref(number: int) -> str:
    """Return the reference that follows a pull request's head."""
    return f"refs/pull/{number}/head"


def merge_ref(number: int) -> str:
    """Return the reference at the test merge of a pull request."""
    return f"refs/pull/{number}/merge"


def move(hub: Hub, push: Push) -> None:
    """Move a branch and do all that follows from it.

    Raises:
        RefMovedError: the branch is not at ``push.before``; nothing changed.
        GitError: git refuses the name.
    """
    hub.git(push.repository).move(push.ref, new=push.after, old=push.before)
    follow(hub, push)


def follow(hub: Hub, push: Push) -> None:
    """Do all that follows from a branch having moved."""
    hub.note_push(push)
    for pull in hub.state.pulls.all():
        if pull.state != "open":
            continue
        if (pull.head_repository, f"{HEADS}{pull.head_ref}") == (push.repository, push.ref):
            _head_moved(hub, pull, push.after)
        elif (hub.name, f"{HEADS}{pull.base_ref}") == (push.repository, push.ref):
            _base_moved(hub, pull, push)


def observe(hub: Hub) -> None:
    """Notice branches moved past the API, such as by a push straight into the repository.

    Nobody can be named for such a move. What was there before the first look is taken as it is.
    """
    for repository in hub.state.repositories.all():
        name = repository.full_name
        now = hub.git(name).refs("refs/heads")
        known = {s.ref: s.sha for s in hub.state.seen.all() if s.repository == name}
        if not known:
            for ref, sha in now.items():
                hub.state.seen.put(SeenRef(repository=name, ref=ref, sha=sha))
            continue
        for ref in sorted(now.keys() | known.keys()):
            before, after = known.get(ref, ZERO), now.get(ref, ZERO)
            if before != after:
                follow(hub, Push(name, ref, before, after, actor=None))


def import_head(hub: Hub, pull: Pull) -> None:
    """Bring a pull request's head commit into the repository and point its reference at it."""
    git = hub.git(hub.name)
    if pull.head_repository != hub.name:
        git.fetch(hub.directory(pull.head_repository), pull.head_sha)
    _set(hub, head_ref(pull.number), pull.head_sha)


def refresh_merge(hub: Hub, pull: Pull) -> str | None:
    """Keep the test merge of an open pull request at base tip and head; None when they conflict."""
    git = hub.git(hub.name)
    base, ref = hub.tip(hub.name, pull.base_ref), merge_ref(pull.number)
    current = git.refs(ref).get(ref)
    if base is not None and current and git.commit(current).parents == (base, pull.head_sha):
        return current
    tree = None if base is None else git.merge_tree(base, pull.head_sha)
    if tree is None or base is None:
        _set(hub, ref, ZERO)
        return None
    web = hub.web_signature()
    text = f"Merge {pull.head_sha} into {base}"
    merged = git.write_commit(tree, [base, pull.head_sha], text, hub.signature(pull.author), web)
    _set(hub, ref, merged)
    return merged


def close(hub: Hub, pull: Pull, **changes: object) -> Pull:
    """Close a pull request; ``changes`` say how it was merged, if it was."""
    now = hub.clock()
    values = {"state": "closed", "closed_at": now, "updated_at": now, **changes}
    closed = hub.state.pulls.put(pull.model_copy(update=values))
    _set(hub, merge_ref(pull.number), ZERO)
    hub.announce(pull.number, "closed")
    return closed


def _head_moved(hub: Hub, pull: Pull, sha: str) -> None:
    if sha == ZERO:
        close(hub, pull)
        return
    base = hub.tip(hub.name, pull.base_ref) or pull.base_sha
    moved = {"head_sha": sha, "base_sha": base, "updated_at": hub.clock()}
    pull = hub.state.pulls.put(pull.model_copy(update=moved))
    import_head(hub, pull)
    refresh_merge(hub, pull)
    rules.dismiss_stale(hub, pull)
    hub.announce(pull.number, "synchronize")


def _base_moved(hub: Hub, pull: Pull, push: Push) -> None:
    if push.after != ZERO and hub.git(hub.name).is_ancestor(pull.head_sha, push.after):
        # As on GitHub: a head that reaches the base by any way counts as merged.
        merged = {"merged_at": hub.clock(), "merged_by": push.actor, "merge_commit_sha": push.after}
        close(hub, pull, **merged)
        return
    refresh_merge(hub, pull)


def _set(hub: Hub, ref: str, sha: str) -> None:
    git = hub.git(hub.name)
    current = git.refs(ref).get(ref, ZERO)
    if current != sha:
        git.move(ref, new=sha, old=current)
