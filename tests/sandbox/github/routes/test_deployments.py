from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.sandbox.github.support import World


def test_deployment_and_its_statuses(world: World) -> None:
    repo = world.repo("bob")
    deployment = repo.create_deployment("main", payload={"k": 1}, environment="production")
    assert (deployment.sha, deployment.payload) == (world.first, {"k": 1})
    deployment.create_status("in_progress", description="applying")
    deployment.create_status("success")
    assert [one.state for one in deployment.statuses()] == ["success", "in_progress"]
    assert [one.id for one in world.repo("alice").deployments()] == [deployment.id]


def test_new_success_retires_the_earlier_one(world: World) -> None:
    repo = world.repo("bob")
    first, second = (repo.create_deployment("main", environment="staging") for _ in range(2))
    first.create_status("success")
    second.create_status("success")
    assert [one.state for one in first.statuses()] == ["inactive", "success"]


def test_required_context_blocks_a_deployment(world: World) -> None:
    body = {"ref": "main", "required_contexts": ["opa"]}
    session = world.session("bob")
    assert session.post(world.at("/deployments"), json=body).status_code == 409
    world.repo("bot").create_status(world.first, "success", context="opa")
    assert session.post(world.at("/deployments"), json=body).status_code == 201


def test_unknown_ref_is_refused(world: World) -> None:
    answer = world.session("bob").post(world.at("/deployments"), json={"ref": "nowhere"})
    assert answer.status_code == 422


def test_environment_with_reviewers(world: World) -> None:
    session, url = world.session("admin"), world.at("/environments/production")
    assert session.get(url).status_code == 404
    number = world.login("bob").me().id
    body = {
        "wait_timer": 5,
        "prevent_self_review": True,
        "reviewers": [{"type": "User", "id": number}],
        "deployment_branch_policy": {"protected_branches": True, "custom_branch_policies": False},
    }
    assert world.session("bob").put(url, json=body).status_code == 403
    assert session.put(url, json=body).status_code == 200
    shown = world.session("bob").get(url).json()
    rules = {one["type"]: one for one in shown["protection_rules"]}
    assert rules["required_reviewers"]["reviewers"][0]["reviewer"]["login"] == "bob"
    assert rules["required_reviewers"]["prevent_self_review"] is True
    assert rules["wait_timer"]["wait_timer"] == 5
    assert shown["deployment_branch_policy"]["protected_branches"] is True
    listed = session.get(world.at("/environments")).json()
    assert [one["name"] for one in listed["environments"]] == ["production"]
    assert session.delete(url).status_code == 204
    assert session.get(url).status_code == 404
