"""The GitHub adapter over HTTP against the emulator, which stands on a real git repository."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ops_actions.decision.model import AccountKind
from ops_actions.errors import BadRequestError, OutsideError, RefusedError
from ops_actions.pull_request.model import (
    UNKNOWN_ACCOUNT,
    Account,
    BranchTip,
    CodeHost,
    StatusState,
)
from ops_actions.pull_request.raise_request import Edit, draft, raise_request
from sandbox.emulator import FaultKind
from sandbox.github import delete_user
from tests.ops_actions.adapters.github_world import (
    BOT,
    CANARY,
    FLAGS,
    NAME,
    World,
    github_world,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ALICE = Account("alice", AccountKind.USER)
BOB = Account("bob", AccountKind.USER)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with github_world(tmp_path) as running_world:
        yield running_world


@pytest.fixture
def host(world: World) -> CodeHost:
    return world.host()


def test_a_request_is_raised_reviewed_and_merged(world: World, host: CodeHost) -> None:
    edit = Edit(
        environment="production",
        summary="Turn on ops_module_webhooks",
        reason="Roll out webhook retries",
        ticket=None,
        files={FLAGS: b"flags: {a: 1}\n", "docs/old.md": None, "docs/new.md": b"\x00\xff"},
        check="coh flag show ops_module_webhooks",
    )
    request = draft(edit)
    view = raise_request(host, request, "main")
    assert (view.number, view.author, view.head_branch) == (1, ALICE, request.branch)
    assert (view.base_branch, view.base) == ("main", world.first)
    assert (view.is_open, view.draft, view.merged, view.from_fork) == (True, False, False, False)
    assert (view.merge_commit, view.mergeable, view.title) == (None, True, request.title)
    assert world.git.first_parent(view.head) == world.first
    files = {file.path: file.after for file in world.git.diff(world.first, view.head).files}
    assert files == edit.files

    bob = world.host("t-bob")
    bob.approve(view.number, view.head)
    (review,) = host.reviews(view.number)
    assert (review.account, review.state, review.commit) == (BOB, "APPROVED", view.head)
    assert review.submitted_at is not None
    assert host.last_pusher(view.number) == ALICE

    merged = bob.merge(view.number, view.head)
    after = host.pull_request(view.number)
    assert (after.merged, after.is_open, after.merge_commit) == (True, False, merged)
    assert world.git.first_parent(merged) == world.first
    assert host.default_branch_tip() == BranchTip("main", merged)
    (found,) = host.pull_requests_of_commit(merged)
    assert (found.number, found.author, found.merge_commit) == (view.number, ALICE, merged)
    assert host.pull_requests_of_commit(world.first) == ()
    assert host.read_file(FLAGS, merged) == b"flags: {a: 1}\n"
    bob._repository.ref(f"heads/{view.head_branch}").delete()  # bob's is the newest move now
    assert host.last_pusher(view.number) == ALICE
    assert bob.merge(view.number, view.head) == merged
    with pytest.raises(RefusedError):
        bob.merge(view.number, merged)


def test_raising_a_request_twice_gives_the_same_pull_request(world: World, host: CodeHost) -> None:
    edit = Edit("production", "Change", "why", None, {FLAGS: b"flags: {b: 1}\n"}, "coh doctor")
    first = raise_request(host, draft(edit), "main")
    writes = [entry for entry in world.seen() if entry[0] != "GET"]
    assert raise_request(host, draft(edit), "main") == first
    refs = [entry for entry in world.seen() if entry[0] != "GET"][len(writes) :]
    assert all("/git/blobs" in path or "/git/trees" in path for _, path in refs)


def test_a_review_is_kept_for_the_head_it_was_given_for(world: World, host: CodeHost) -> None:
    view = world.pull()
    world.host("t-bob").approve(view.number, view.head)
    moved = world.push("t-carol", view.head_branch)
    (review,) = host.reviews(view.number)
    assert (review.commit, host.pull_request(view.number).head) == (view.head, moved)
    assert host.last_pusher(view.number) == Account("carol", AccountKind.USER)


def test_a_head_that_moved_is_not_merged(world: World, host: CodeHost) -> None:
    view = world.pull()
    world.push("t-carol", view.head_branch)
    with pytest.raises(RefusedError) as refused:
        host.merge(view.number, view.head)
    assert refused.value.code == "github.head_moved"
    assert not host.pull_request(view.number).merged


def test_a_head_that_moves_between_look_and_merge_is_not_merged(world: World) -> None:
    view = world.pull()
    # GitHub holds the merge back for a moment, and carol pushes in that moment.
    world.fault(FaultKind.STATUS, "/merge$", method="PUT", status=429, retry_after=1)
    moved: list[str] = []
    host = world.host(sleep=lambda _: moved.append(world.push("t-carol", view.head_branch)))
    with pytest.raises(RefusedError) as refused:
        host.merge(view.number, view.head)
    assert refused.value.code == "github.head_moved"
    assert len(moved) == 1
    assert "409" in refused.value.fact
    assert not host.pull_request(view.number).merged


def test_a_conflict_is_shown_and_not_merged(world: World, host: CodeHost) -> None:
    one, other = (
        world.pull("ops/one", b"flags: {a: 1}\n"),
        world.pull("ops/two", b"flags: {b: 2}\n"),
    )
    host.merge(one.number, one.head)
    assert host.pull_request(other.number).mergeable is False
    with pytest.raises(RefusedError) as refused:
        host.merge(other.number, other.head)
    assert refused.value.code == "github.not_mergeable"


def test_nobody_approves_the_own_request(world: World, host: CodeHost) -> None:
    view = world.pull()
    with pytest.raises(RefusedError) as refused:
        host.approve(view.number, view.head)
    assert refused.value.code == "github.rejected"
    assert host.reviews(view.number) == ()


def test_more_than_a_hundred_reviews_are_read_to_the_end(world: World, host: CodeHost) -> None:
    view = world.pull()
    bob = world.host("t-bob")._repository.pull_request(view.number)
    for _ in range(104):
        bob.create_review("", view.head, "APPROVE")
    world.host("t-carol").approve(view.number, view.head)
    reviews = host.reviews(view.number)
    assert len(reviews) == 105
    assert reviews[-1].account.login == "carol"


def test_deleted_accounts_are_unknown_and_hide_nobody_else(world: World, host: CodeHost) -> None:
    view = world.pull()
    world.push("t-carol", view.head_branch)
    head = host.pull_request(view.number).head
    world.host("t-bob").approve(view.number, head)
    delete_user(world.store, "Bob")
    delete_user(world.store, "carol")
    assert [review.account for review in host.reviews(view.number)] == [UNKNOWN_ACCOUNT]
    assert host.last_pusher(view.number) == UNKNOWN_ACCOUNT
    delete_user(world.store, "alice")
    assert world.host("t-bot", BOT).pull_request(view.number).author == UNKNOWN_ACCOUNT


def test_bots_are_bots(world: World, host: CodeHost) -> None:
    view = world.pull()
    bot = world.host("t-bot", BOT)
    bot.approve(view.number, view.head)
    assert [review.account.kind for review in host.reviews(view.number)] == [AccountKind.BOT]
    world.push("t-bot", view.head_branch)
    assert host.last_pusher(view.number) == Account(BOT, AccountKind.BOT)


def test_a_push_past_the_api_has_no_known_pusher(world: World, host: CodeHost) -> None:
    view = world.pull()
    git = world.git._git
    tree = git.run("rev-parse", f"{view.head}^{{tree}}")[1].decode().strip()
    identity = ("-c", "user.name=x", "-c", "user.email=x@invalid")
    _, raw = git.run(*identity, "commit-tree", "-p", view.head, "-m", "behind", tree)
    git.run("update-ref", f"refs/heads/{view.head_branch}", raw.decode().strip())
    assert host.pull_request(view.number).head == raw.decode().strip()
    assert host.last_pusher(view.number) == UNKNOWN_ACCOUNT


def test_a_status_is_posted_and_its_text_kept_within_the_limit(
    world: World, host: CodeHost
) -> None:
    host.post_status(world.first, StatusState.FAILURE, "coh/check", "x" * 200, None)
    host.post_status(world.first, StatusState.SUCCESS, "coh/check", "fine", "https://x.example/1")
    newest, oldest = world.host()._repository.commit(world.first).statuses()
    assert (newest.state, newest.description, newest.target_url) == (
        "success",
        "fine",
        "https://x.example/1",
    )
    assert (oldest.state, len(oldest.description)) == ("failure", 140)


def test_read_file(world: World, host: CodeHost) -> None:
    big = bytes(range(256)) * 8_000  # above 1 MB GitHub gives no content inline
    host.create_branch_commit("main", "big", {"a b/ü#?.bin": big}, "Big")
    assert host.read_file("a b/ü#?.bin", "big") == big
    assert host.read_file("README.md", "main") == b"# Ops\n"
    assert host.read_file("README.md", world.first) == b"# Ops\n"
    assert host.read_file("none.md", "main") is None
    assert host.read_file("docs", "main") is None


def test_who_the_token_acts_for(world: World) -> None:
    assert world.host().me() == ALICE
    assert world.host("t-bob").me() == BOB
    assert world.host("t-bot", BOT).me() == Account(BOT, AccountKind.BOT)


def test_what_does_not_exist(host: CodeHost) -> None:
    for read in (host.pull_request, host.reviews, host.last_pusher):
        with pytest.raises(BadRequestError) as refused:
            read(99)
        assert refused.value.code == "github.not_found"


def test_a_repository_name_is_checked_before_anything_is_sent(world: World) -> None:
    for name in ("ops", "acme/ops/x", "../x", "acme/ops?x", ""):
        with pytest.raises(BadRequestError) as refused:
            type(world.host())(world.api_url, name, CANARY)
        assert refused.value.code == "github.bad_repository"


def test_a_dry_run_reads_and_never_writes(world: World) -> None:
    view = world.pull()
    before = [entry for entry in world.seen() if entry[0] != "GET"]
    host = world.host("t-bob", read_only=True)
    assert host.pull_request(view.number) == view
    writes = (
        lambda: host.approve(view.number, view.head),
        lambda: host.merge(view.number, view.head),
        lambda: host.post_status(view.head, StatusState.SUCCESS, "c", "d", None),
        lambda: host.upsert_comment(view.number, "<!-- m -->", "<!-- m -->"),
        lambda: host.create_branch_commit("main", "b", {"x": b"1"}, "m"),
        lambda: host.open_pull_request("main", "ops/x", "t", "b"),
    )
    for write in writes:
        with pytest.raises(RefusedError) as refused:
            write()
        assert refused.value.code == "github.read_only"
    assert [entry for entry in world.seen() if entry[0] != "GET"] == before


def test_opening_again_returns_the_open_one_and_a_closed_one_is_not_reused(
    world: World, host: CodeHost
) -> None:
    view = world.pull()
    assert host.open_pull_request("ops/x", "main", "Other", "other") == view
    world.host()._repository.pull_request(view.number).close()
    again = host.open_pull_request("ops/x", "main", "Change", "why")
    assert (again.number, again.is_open) == (view.number + 1, True)


def test_a_pull_request_without_commits_is_rejected(world: World, host: CodeHost) -> None:
    view = world.pull()
    host.merge(view.number, view.head)
    with pytest.raises(RefusedError) as refused:
        host.open_pull_request("ops/x", "main", "Again", "why")
    assert refused.value.code == "github.rejected"


def test_a_missing_scope_names_the_permission(world: World) -> None:
    with pytest.raises(OutsideError) as refused:
        world.host("t-weak").create_branch_commit("main", "b", {"x": b"1"}, "m")
    assert refused.value.code == "github.forbidden"
    assert "COH_GITHUB_TOKEN" in refused.value.fact


def test_a_fork_is_a_fork_and_its_pusher_unknown(world: World, host: CodeHost) -> None:
    session = world.host("t-bob")._github.session
    assert session.post(f"{world.api_url}/repos/{NAME}/forks", "{}").status_code == 202
    fork = world.host("t-bob")._github.repository("bob", "ops")
    fork.create_file("fork.txt", "From a fork", b"hi", branch="main")
    made = world.host("t-bob")._repository.create_pull("Fork", "main", "bob:main", "why")
    view = host.pull_request(made.number)
    assert (view.from_fork, view.author) == (True, BOB)
    assert host.last_pusher(view.number) == UNKNOWN_ACCOUNT
    # The same branch name in the repository itself is another pull request.
    host.create_branch_commit("main", "other", {"x": b"1"}, "m")
    assert host.open_pull_request("other", "main", "Other", "b").number != view.number
