"""Play the recorded session of a real Flagsmith 2.265 and compare every answer, word for word."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from sandbox.emulator import Store, running
from sandbox.flagsmith import create_app

SAMPLES = Path(__file__).parents[1] / "samples" / "flagsmith"
SESSION = sorted(SAMPLES.glob("[0-9]*.json"))

USED_BEFORE = {
    "users": 2,
    "organisations": 2,
    "webhooks": 2,
    "projects": 2,
    "environments": 4,
    "features": 4,
    "states": 10,
    "segments": 2,
    "segment_rules": 4,
    "segment_conditions": 2,
    "feature_segments": 2,
}
"""How many numbers the recorded server had given before, so that ours are the same."""

TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+(Z|\+00:00)")
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass
class Session:
    """What the recorded words are called in this run."""

    words: dict[str, str] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)

    def here(self, text: str) -> str:
        for recorded, ours in self.words.items():
            text = text.replace(recorded, ours)
        return text

    def learn(self, recorded: object, ours: object) -> None:
        match recorded, ours:
            case dict(), dict():
                for name in recorded.keys() & ours.keys():
                    self._learn_word(name, recorded[name], ours[name])
                    self.learn(recorded[name], ours[name])
            case list(), list():
                for one, other in zip(recorded, ours, strict=False):
                    self.learn(one, other)

    def _learn_word(self, name: str, recorded: object, ours: object) -> None:
        if name in {"uuid", "api_key"} and isinstance(recorded, str):
            self.words[recorded] = str(ours)


def normal(value: Any, name: str = "") -> Any:  # noqa: ANN401 - any JSON
    match value:
        case dict():
            return {key: normal(inner, key) for key, inner in value.items()}
        case list():
            return [normal(inner) for inner in value]
        case str() if name in {"key", "api_key", "prefix"} or (name == "id"):
            return "<key>"
        case str():
            return UUID.sub("<uuid>", TIME.sub(lambda match: f"<time{match[1]}>", value))
    return value


def headers(auth: str, session: Session, name: str) -> dict[str, str]:
    match auth:
        case "none":
            return {}
        case "X-Environment-Key":
            kind = {"28": "bad", "39": "server"}.get(name[:2], "client")
            return {auth: session.keys.get(kind, "nonsense")}
    return {"Authorization": f"{auth} {session.keys[auth]}"}


def body_of(text: str) -> Any:  # noqa: ANN401 - any JSON
    try:
        return json.loads(text) if text else None
    except json.JSONDecodeError:
        return text


def remember_keys(name: str, body: Any, session: Session) -> None:  # noqa: ANN401 - any JSON
    number = name[:2]
    if number == "02":
        session.keys["Token"] = body["key"]
    elif number == "06":
        session.keys["Api-Key"] = body["key"]
    elif number == "12":
        session.keys["client"] = body["api_key"]
    elif number == "38":
        session.keys["server"] = body["key"]
    elif number == "40":
        staging = "i3bAEDxKd7GACej5DSNdFy"
        session.keys["client"] = session.words[staging]


def test_the_emulator_answers_the_recorded_session_as_the_real_service_did(
    tmp_path: Path,
) -> None:
    assert len(SESSION) == 63
    store = Store(tmp_path / "state.sqlite")
    for collection, used in USED_BEFORE.items():
        for _ in range(used):
            store.next_id(collection)
    app = create_app(store, clock=lambda: datetime.now(UTC), sandbox_key="k")
    session = Session()
    differences: dict[str, object] = {}
    with running({"flagsmith": app}) as urls, httpx.Client(base_url=urls["flagsmith"]) as client:
        for sample in SESSION:
            recorded = json.loads(sample.read_text())
            asked, answered = recorded["request"], recorded["response"]
            text = session.here(json.dumps(asked["body"])) if asked["body"] is not None else ""
            answer = client.request(
                asked["method"],
                session.here(asked["path"]),
                content=text.encode(),
                headers={
                    "Content-Type": "application/json",
                    **headers(asked["auth"], session, sample.name),
                },
            )
            body = body_of(answer.text)
            session.learn(answered["body"], body)
            remember_keys(sample.name, body, session)
            ours = (answer.status_code, normal(body))
            theirs = (answered["status"], normal(answered["body"]))
            if ours != theirs:
                differences[sample.name] = {"ours": ours, "theirs": theirs}
    assert differences == {}, json.dumps(differences, indent=1)
    assert app.state.contract_log.of("answer") == []
