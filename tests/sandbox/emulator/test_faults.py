from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from pydantic import ValidationError
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.emulator import Contract, Dialect, Fault, FaultKind, ServiceServer, Store, emulator
from tests.sandbox.emulator.served import CONTROL, KEY, TLS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from starlette.requests import Request

OK = {"200": {"description": "ok", "content": {"application/json": {"schema": {}}}}}
CONTRACT = Contract({"paths": {"/orders": {"get": {"responses": OK}, "post": {"responses": OK}}}})


class Shop:
    """Counts orders: its effect can be looked at from outside."""

    def __init__(self, store: Store, server: ServiceServer) -> None:
        self.store = store
        self.server = server
        self.client = httpx.Client(base_url=server.urls["shop"], verify=TLS)

    def order(self) -> httpx.Response:
        return self.client.post("/orders", json={"token": "canary-secret"})

    def fault(self, **fields: Any) -> None:  # noqa: ANN401 - the fields of a fault
        answer = self.client.post("/_sandbox/faults", json=fields, headers=CONTROL)
        assert answer.status_code == 201, answer.text

    def seen(self) -> list[tuple[Any, ...]]:
        answer = self.client.get("/_sandbox/requests", headers=CONTROL)
        return [(one["status"], one["handled"]) for one in answer.json()["requests"]]

    @property
    def orders(self) -> int:
        return len(self.store.all("orders"))


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    store = Store(tmp_path / "state.sqlite")

    async def order(request: Request) -> Response:
        if request.method == "POST":
            store.put("orders", store.next_id("orders"), {"body": await request.json()})
        return JSONResponse({"orders": len(store.all("orders"))})

    app = emulator(
        [Route("/orders", order, methods=["GET", "POST"])],
        contract=CONTRACT,
        dialect=Dialect(),
        sandbox_key=KEY,
    )
    server = ServiceServer({"shop": app})
    server.start()
    made = Shop(store, server)
    yield made
    server.stop()
    made.client.close()
    store.close()


def test_without_a_fault_all_is_well(shop: Shop) -> None:
    assert shop.order().json() == {"orders": 1}
    assert shop.seen() == [(200, 1)]


@pytest.mark.parametrize("status", [401, 403, 429, 500, 503])
def test_a_status_is_answered_and_nothing_happens(shop: Shop, status: int) -> None:
    shop.fault(kind="status", status=status, retry_after=7)
    answer = shop.order()
    assert (answer.status_code, answer.headers["Retry-After"]) == (status, "7")
    assert shop.orders == 0
    assert shop.order().status_code == 200
    assert shop.seen() == [(status, 0), (200, 1)]


def test_a_slow_answer_is_late_but_right(shop: Shop) -> None:
    shop.fault(kind="slow", seconds=0.3)
    with pytest.raises(httpx.ReadTimeout):
        shop.client.post("/orders", json={}, timeout=0.05)
    shop.fault(kind="slow", seconds=0.05)
    assert shop.order().status_code == 200


def test_a_hanging_request_never_gets_an_answer_and_has_no_effect(shop: Shop) -> None:
    shop.fault(kind="hang")
    with pytest.raises(httpx.ReadTimeout):
        shop.client.post("/orders", json={}, timeout=0.1)
    assert shop.orders == 0
    assert shop.order().json() == {"orders": 1}


def test_clearing_the_faults_lets_a_hanging_request_go(shop: Shop) -> None:
    shop.fault(kind="hang")
    failures: list[Exception] = []

    def hang() -> None:
        try:
            shop.order()
        except httpx.TransportError as failure:
            failures.append(failure)

    waiting = threading.Thread(target=hang)
    waiting.start()
    # The fault is used up as soon as the request has reached it.
    while shop.client.get("/_sandbox/faults", headers=CONTROL).json()["faults"]:
        pass
    shop.client.delete("/_sandbox/faults", headers=CONTROL)
    waiting.join(10)
    assert not waiting.is_alive()
    assert isinstance(failures[0], httpx.RemoteProtocolError | httpx.ReadError)
    assert shop.orders == 0


@pytest.mark.parametrize(("kind", "effects"), [("drop_before_effect", 0), ("drop_after_effect", 1)])
def test_a_dropped_connection_gives_no_answer(shop: Shop, kind: str, effects: int) -> None:
    shop.fault(kind=kind)
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        shop.order()
    assert shop.orders == effects
    assert shop.seen() == [(None, effects)]


def test_a_duplicate_is_handled_twice_and_answered_once(shop: Shop) -> None:
    shop.fault(kind="duplicate")
    assert shop.order().json() == {"orders": 2}
    assert shop.seen() == [(200, 2)]


def test_a_fault_hits_only_what_it_matches_and_only_so_often(shop: Shop) -> None:
    shop.fault(kind="status", status=503, method="post", path_regex="^/ord", times=2, skip=1)
    answers = [shop.client.get("/orders").status_code]
    answers += [shop.order().status_code for _ in range(4)]
    assert answers == [200, 200, 503, 503, 200]
    shop.fault(kind="status", status=503, times=None)
    assert [shop.order().status_code for _ in range(3)] == [503] * 3
    shop.client.delete("/_sandbox/faults", headers=CONTROL)
    assert shop.order().status_code == 200


def test_the_record_holds_no_body_and_no_header_and_can_be_forgotten(shop: Shop) -> None:
    shop.client.post("/orders?token=canary", json={"token": "canary"}, headers={"A": "canary"})
    text = shop.client.get("/_sandbox/requests", headers=CONTROL).text
    assert "canary" not in text
    shop.client.delete("/_sandbox/requests", headers=CONTROL)
    assert shop.seen() == []


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
@pytest.mark.parametrize("headers", [{}, {"X-Sandbox-Key": "wrong"}])
def test_the_control_routes_need_the_key(shop: Shop, method: str, headers: dict[str, str]) -> None:
    assert shop.client.request(method, "/_sandbox/faults", headers=headers).status_code == 403


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "explode"},
        {"kind": "status"},
        {"kind": "slow"},
        {"kind": "hang", "status": 500},
        {"kind": "hang", "path_regex": "("},
        {"kind": "hang", "times": 0},
        {"kind": "hang", "unknown": 1},
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(shop: Shop, fields: dict[str, Any]) -> None:
    answer = shop.client.post("/_sandbox/faults", json=fields, headers=CONTROL)
    assert answer.status_code == 400
    assert shop.client.get("/_sandbox/faults", headers=CONTROL).json() == {"faults": []}


def test_a_fault_checks_itself() -> None:
    with pytest.raises(ValidationError):
        Fault(kind=FaultKind.STATUS)
    assert Fault(kind=FaultKind.HANG, method="get").matches("GET", "/x")
