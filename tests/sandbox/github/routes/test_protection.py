from __future__ import annotations

from typing import TYPE_CHECKING, Any

import github3
import pytest

if TYPE_CHECKING:
    from tests.sandbox.github.support import World

REVIEWS = {
    "type": "pull_request",
    "parameters": {
        "required_approving_review_count": 1,
        "dismiss_stale_reviews_on_push": True,
        "require_last_push_approval": True,
    },
}
CHECKS = {
    "type": "required_status_checks",
    "parameters": {
        "required_status_checks": [{"context": "opa", "integration_id": 77}],
        "strict_required_status_checks_policy": True,
    },
}


def protect(world: World, *rules: dict[str, Any], **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    body = {
        "name": "main",
        "target": "branch",
        "enforcement": "active",
        "conditions": {"ref_name": {"include": ["~DEFAULT_BRANCH"], "exclude": []}},
        "rules": list(rules),
        **more,
    }
    answer = world.session("admin").post(world.at("/rulesets"), json=body)
    assert answer.status_code == 201
    shown: dict[str, Any] = answer.json()
    return shown


def merge(world: World, who: str = "carol") -> None:
    pull = world.repo(who).pull_request(1)
    assert pull.merge(sha=pull.head.sha)


def refused(world: World, word: str, who: str = "carol") -> None:
    with pytest.raises(github3.exceptions.MethodNotAllowed) as caught:
        merge(world, who)
    assert word in caught.value.message


def approve(world: World, who: str) -> None:
    world.repo(who).pull_request(1).create_review("", event="APPROVE")


def test_approval_is_needed_and_goes_stale(world: World) -> None:
    protect(world, REVIEWS)
    world.pull("alice", "one", {"a.txt": b"1\n"})
    refused(world, "approving review")
    assert world.repo("bob").pull_request(1).mergeable_state == "blocked"
    approve(world, "bob")
    assert world.repo("bob").pull_request(1).mergeable_state == "clean"
    world.commit("alice", "one", {"a.txt": b"2\n"})
    assert [one.state for one in world.repo("bob").pull_request(1).reviews()] == ["DISMISSED"]
    refused(world, "approving review")
    approve(world, "bob")
    merge(world)


def test_last_pusher_does_not_count_as_approver(world: World) -> None:
    protect(world, REVIEWS)
    world.pull("alice", "one", {"a.txt": b"1\n"})
    world.commit("bob", "one", {"a.txt": b"2\n"})
    approve(world, "bob")
    refused(world, "last pusher")
    approve(world, "carol")
    merge(world)


def test_reader_and_refusal(world: World) -> None:
    protect(world, REVIEWS)
    world.pull("alice", "one", {"a.txt": b"1\n"})
    approve(world, "reader")
    refused(world, "write access")
    approve(world, "bob")
    world.repo("carol").pull_request(1).create_review("no", event="REQUEST_CHANGES")
    refused(world, "Changes have been requested")


def test_check_must_come_from_the_named_app_and_be_up_to_date(world: World) -> None:
    protect(world, CHECKS)
    pull = world.pull("alice", "one", {"a.txt": b"1\n"})
    world.repo("alice").create_status(pull.head.sha, "success", context="opa")
    refused(world, '"opa"')
    body = {"name": "opa", "head_sha": pull.head.sha, "conclusion": "success"}
    world.session("bot").post(world.at("/check-runs"), json=body)
    world.commit("bob", "main", {"b.txt": b"1\n"})
    refused(world, "up to date")


def test_check_of_another_app_does_not_count(world: World) -> None:
    wanted = {"required_status_checks": [{"context": "opa", "integration_id": 78}]}
    protect(world, {"type": "required_status_checks", "parameters": wanted})
    pull = world.pull("alice", "one", {"a.txt": b"1\n"})
    body = {"name": "opa", "head_sha": pull.head.sha, "conclusion": "success"}
    assert world.session("bot").post(world.at("/check-runs"), json=body).status_code == 201
    refused(world, '"opa"')


def test_direct_push_is_refused(world: World) -> None:
    protect(world, REVIEWS, {"type": "non_fast_forward"}, {"type": "deletion"})
    sha = world.commit("alice", "one", {"a.txt": b"1\n"})
    with pytest.raises(github3.exceptions.UnprocessableEntity):
        world.repo("alice").ref("heads/main").update(sha)
    with pytest.raises(github3.exceptions.Conflict):
        world.repo("alice").create_file("x", "x", b"x")
    assert world.repo("alice").branch("main").commit.sha == world.first
    assert world.repo("alice").branch("main").protected is True


def test_named_app_may_bypass(world: World) -> None:
    bypass = [{"actor_type": "Integration", "actor_id": 77, "bypass_mode": "always"}]
    protect(world, REVIEWS, bypass_actors=bypass)
    sha = world.commit("alice", "one", {"a.txt": b"1\n"})
    assert world.repo("bot").ref("heads/main").update(sha)


def test_rules_of_a_branch_can_be_read(world: World) -> None:
    ruleset = protect(world, REVIEWS)
    session = world.session("bob")
    shown = session.get(world.at("/rules/branches/main")).json()
    assert [(one["type"], one["ruleset_id"]) for one in shown] == [("pull_request", ruleset["id"])]
    assert session.get(world.at("/rules/branches/other/branch")).json() == []
    listed = session.get(world.at("/rulesets")).json()
    assert [(one["name"], "rules" in one) for one in listed] == [("main", False)]
    full = session.get(world.at(f"/rulesets/{ruleset['id']}")).json()
    assert full["rules"] == [REVIEWS]
    assert "bypass_actors" not in full
    assert session.delete(world.at(f"/rulesets/{ruleset['id']}")).status_code == 403


def test_disabled_ruleset_does_not_bind(world: World) -> None:
    ruleset = protect(world, REVIEWS)
    url = world.at(f"/rulesets/{ruleset['id']}")
    changed = {"name": "main", "enforcement": "disabled"}
    assert world.session("admin").put(url, json=changed).status_code == 200
    world.pull("alice", "one", {"a.txt": b"1\n"})
    merge(world)


def test_classic_protection(world: World) -> None:
    session, url = world.session("admin"), world.at("/branches/main/protection")
    assert session.get(url).status_code == 404
    body = {
        "required_status_checks": None,
        "enforce_admins": False,
        "required_pull_request_reviews": {"required_approving_review_count": 1},
        "restrictions": None,
    }
    assert session.put(url, json=body).status_code == 200
    reviews = session.get(url).json()["required_pull_request_reviews"]
    assert reviews["required_approving_review_count"] == 1
    protection = world.repo("admin").branch("main").protection()
    assert protection.required_pull_request_reviews.required_approving_review_count == 1
    assert world.session("bob").get(url).status_code == 403
    world.pull("alice", "one", {"a.txt": b"1\n"})
    refused(world, "approving review")
    merge(world, "admin")
    assert session.delete(url).status_code == 204
