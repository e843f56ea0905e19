from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests

from sandbox.emulator.serve import running
from sandbox.emulator.store import Store
from sandbox.github import Hooks, create_app
from sandbox.github.app import ENDPOINTS
from sandbox.github.contract import load
from tests.sandbox.github.support import NAME, TOKENS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.github.support import World


def test_every_endpoint_is_in_the_contract() -> None:
    contract = load()
    unknown = [
        f"{one.method} {one.path}"
        for one in ENDPOINTS
        if contract.find(
            one.method, one.path.replace(":path", "").replace("{", "").replace("}", "")
        )
        is None
    ]
    assert unknown == []


def test_unknown_path_has_githubs_shape(world: World) -> None:
    answer = world.session("alice").get(world.api("/nothing/here"))
    assert (answer.status_code, answer.json()["message"]) == (404, "Not Found")


def test_state_survives_a_restart(world: World) -> None:
    world.pull("alice", "keep", {"a.txt": b"1\n"})
    again = Store(world.directory.parent / "state.sqlite")
    app = create_app(
        again,
        repository_dir=world.directory,
        full_name=NAME,
        clock=world.clock,
        tokens=TOKENS,
        sandbox_key="key",
    )
    headers = {"Authorization": "token t-bob"}
    with running({"github": app}) as urls:
        url = f"{urls['github']}/api/v3/repos/{NAME}"
        shown = requests.get(f"{url}/pulls/1", headers=headers, timeout=5).json()
        log = requests.get(f"{url}/activity?ref=keep", headers=headers, timeout=5).json()
    again.close()
    assert (shown["title"], shown["mergeable"]) == ("Change keep", True)
    assert [one["actor"]["login"] for one in log] == ["alice"]


def test_refused_request_leaves_nothing_behind(world: World) -> None:
    world.pull("alice", "one", {"a.txt": b"1\n"})
    before = (list(world.pushes), list(world.actions), world.store.all("pulls"))
    answer = world.session("bob").put(world.at("/pulls/1/merge"), json={"sha": "1" * 40})
    assert answer.status_code == 409
    assert (world.pushes, world.actions, world.store.all("pulls")) == before


def test_hook_may_call_back(make_world: Callable[..., World]) -> None:
    seen: list[str] = []

    def look(number: int, _action: str) -> None:
        seen.append(world.repo("bot").pull_request(number).title)

    world = make_world(hooks=Hooks(on_pull_request=look))
    world.pull("alice", "one", {"a.txt": b"1\n"})
    assert seen == ["Change one"]


@pytest.mark.parametrize("body", [b"{", b"[]"])
def test_body_that_is_no_object(world: World, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    answer = world.session("alice").post(world.at("/git/refs"), data=body, headers=headers)
    assert answer.status_code in {400, 422}


def test_faults_work_here_too(world: World) -> None:
    fault = '{"path_regex": "/pulls$", "kind": "status", "status": 503, "times": 1}'
    armed = requests.post(
        f"{world.url}/_sandbox/faults", data=fault, headers={"X-Sandbox-Key": "key"}, timeout=5
    )
    assert armed.status_code == 201
    session = world.session("alice")
    assert session.get(world.at("/pulls")).status_code == 503
    assert session.get(world.at("/pulls")).status_code == 200
