from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from sandbox.emulator import Contract, Dialect, emulator
from tests.sandbox.emulator.served import CONTROL, KEY, serving

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request

THING = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "name": {"type": "string", "maxLength": 5},
        "made": {"type": "string", "format": "date-time"},
    },
}
DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "paths": {
        "/things/{id}": {
            "parameters": [
                {"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}
            ],
            "get": {
                "parameters": [{"$ref": "#/components/parameters/Deep"}],
                "responses": {
                    "200": {
                        "content": {
                            "application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}
                        }
                    },
                    "204": {"description": "nothing"},
                },
            },
            "put": {
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/json": {"schema": {"$ref": "#/components/schemas/Thing"}},
                        "application/x-www-form-urlencoded": {
                            "schema": {
                                "type": "object",
                                "properties": {"size": {"type": "integer"}},
                            }
                        },
                    },
                },
                "responses": {"200": {"description": "ok"}},
            },
        },
        "/things/first": {"get": {"responses": {"200": {"description": "ok"}}}},
        "/files/{path}/raw": {
            "parameters": [
                {
                    "name": "path",
                    "in": "path",
                    "required": True,
                    "x-multi-segment": True,
                    "schema": {"type": "string"},
                }
            ],
            "get": {"responses": {"200": {"description": "ok"}}},
        },
    },
    "components": {
        "schemas": {"Thing": THING},
        "parameters": {"Deep": {"name": "deep", "in": "query", "schema": {"type": "boolean"}}},
    },
}


class Probe:
    """An application that answers what the test wants and counts what reaches it."""

    def __init__(self, answer: Response | None = None) -> None:
        self.answer = answer or JSONResponse({"name": "a", "more": "is allowed"})
        self.reached = 0

    async def __call__(self, _request: Request) -> Response:
        self.reached += 1
        return self.answer

    def app(self, dialect: Dialect | None = None) -> Starlette:
        methods = ["GET", "PUT"]
        routes = [Route("/{rest:path}", self.__call__, methods=methods)]
        return emulator(
            routes,
            contract=Contract(DOCUMENT),
            dialect=dialect or Dialect(),
            sandbox_key=KEY,
        )


def test_a_good_request_and_answer_pass_untouched() -> None:
    probe = Probe()
    with serving(probe.app()) as client:
        answer = client.get("/things/1", params={"deep": "true", "unheard": "of"})
    assert answer.json() == {"name": "a", "more": "is allowed"}
    assert probe.reached == 1


@pytest.mark.parametrize(
    ("content", "media_type", "problem"),
    [
        (b"{}", "application/json", "body name: required"),
        (b'{"name": 7}', "application/json", 'body name: type "string"'),
        (b'{"name": "secret-value"}', "application/json", "body name: maxLength 5"),
        (b'{"name": "a", "made": "now"}', "application/json", 'body made: format "date-time"'),
        (b'{"name"', "application/json", "body: json the body does not parse"),
        (b"", "application/json", "body: required"),
        (b"size=big", "application/x-www-form-urlencoded", 'body size: type "integer"'),
        (b"a,b", "text/csv", "body: media-type one of"),
    ],
)
def test_a_bad_body_is_refused_before_the_emulator_sees_it_and_not_quoted(
    content: bytes, media_type: str, problem: str
) -> None:
    probe = Probe()
    app = probe.app()
    with serving(app) as client:
        headers = {"Content-Type": media_type}
        answer = client.put("/things/1", content=content, headers=headers)
        listed = client.get("/_sandbox/contract", headers=CONTROL).json()["violations"]
    assert answer.status_code == 400
    assert answer.json()["errors"][0].startswith(problem)
    assert probe.reached == 0
    assert listed[0]["kind"] == "request"
    assert listed[0]["problems"][0].startswith(problem)
    assert "secret-value" not in str(listed) + answer.text


def test_bad_path_and_query_values_are_refused() -> None:
    probe = Probe()
    app = probe.app(Dialect(refuse=lambda _request, _problems: Response(status_code=204)))
    with serving(app) as client:
        assert client.get("/things/one").status_code == 204
        assert client.get("/things/1", params={"deep": "perhaps"}).status_code == 204
    problems = [entry.problems for entry in app.state.contract_log.of("request")]
    assert problems == [('path id: type "integer"',), ('query deep: type "boolean"',)]
    assert probe.reached == 0


def test_an_unknown_path_or_method_is_the_services_not_found_and_written_down() -> None:
    probe = Probe()
    app = probe.app(Dialect(not_found=lambda _request: PlainTextResponse("gone", 404)))
    with serving(app) as client:
        assert client.get("/other").text == "gone"
        assert client.delete("/things/1").text == "gone"
    kinds = [(entry.kind, entry.method, entry.path) for entry in app.state.contract_log.of()]
    assert kinds == [("unknown", "GET", "/other"), ("unknown", "DELETE", "/things/1")]
    assert probe.reached == 0


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (JSONResponse({"names": "a"}), "answer name: required"),
        (JSONResponse({"name": "a"}, 201), "answer: status 201 is not in the contract"),
        (PlainTextResponse("a"), "answer: media-type one of"),
        (JSONResponse({"name": "a"}, 204), "answer: media-type no body allowed"),
    ],
)
def test_an_answer_that_breaks_the_contract_is_an_emulators_bug(
    answer: Response, problem: str
) -> None:
    if answer.status_code == 204:
        # h11 itself refuses a body here, so the application is called without a server.
        contract = Contract(DOCUMENT)
        found = contract.find("GET", "/things/1")
        assert found is not None
        problems = contract.answer_problems(found[0], 204, "application/json", b"{}")
        assert [str(one) for one in problems] == [problem]
        return
    app = Probe(answer).app()
    with pytest.raises(AssertionError), serving(app) as client:
        shown = client.get("/things/1")
    assert shown.status_code == 500
    assert shown.json()["message"] == "The emulator broke its contract in GET /things/{id}"
    assert app.state.contract_log.of("answer")[0].problems[0].startswith(problem)


def test_a_literal_path_wins_over_a_parameter_and_a_wide_one_takes_slashes() -> None:
    contract = Contract(DOCUMENT)
    found = [
        contract.find("GET", "/things/first"),
        contract.find("GET", "/things/1"),
        contract.find("GET", "/files/a/b%20c/raw"),
        contract.find("GET", "/things/1/2"),
    ]
    assert [one and (one[0].template, one[1]) for one in found] == [
        ("/things/first", {}),
        ("/things/{id}", {"id": "1"}),
        ("/files/{path}/raw", {"path": "a/b c"}),
        None,
    ]
