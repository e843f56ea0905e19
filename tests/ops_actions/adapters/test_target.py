from __future__ import annotations

import json
from pathlib import Path

import pytest

from ops_actions.adapters.target import CONNECTIONS, Target, read_target, state_folder
from ops_actions.errors import BadRequestError, OutsideError

STORED = {
    "pid": 1,
    "urls": {},
    "key": "k",
    "values": {"COH_DATABASE_URL": "sandbox-db", "COH_GITHUB_TOKEN": "bot", "COH_X": "sandbox"},
    "tokens": {"mara-lind": "token-of-mara", "coh-bot": "bot"},
}


@pytest.fixture
def sandbox(tmp_path: Path) -> dict[str, str]:
    """The environment of a process that may talk to a running sandbox."""
    (tmp_path / CONNECTIONS).write_text(json.dumps(STORED), encoding="utf-8")
    return {"COH_STATE_DIR": str(tmp_path), "COH_X": "outer", "PATH": "/bin"}


def live(**environment: str) -> Target:
    return read_target(sandbox=False, root=Path(), environment=environment)


def test_the_live_services_are_what_the_process_environment_says() -> None:
    target = live(COH_X="1", COH_EMPTY="")
    assert target.need("COH_X") == "1"
    assert (target.sandbox, target.words) == (None, "the live services")
    assert target.get("COH_EMPTY") is None


@pytest.mark.parametrize("environment", [{}, {"COH_DATABASE_URL": ""}])
def test_a_missing_address_stops_with_its_name(environment: dict[str, str]) -> None:
    with pytest.raises(BadRequestError) as caught:
        live(**environment).need("COH_DATABASE_URL")
    assert caught.value.code == "target.missing"
    assert "COH_DATABASE_URL" in caught.value.fact
    assert "--sandbox" in caught.value.next_step


def test_github_actions_own_names_do_and_ours_win() -> None:
    names = {"GITHUB_API_URL": "https://theirs", "GITHUB_TOKEN": "t", "COH_GITHUB_TOKEN": "ours"}
    target = live(**names)
    assert target.need("COH_GITHUB_API") == "https://theirs"
    assert target.need("COH_GITHUB_TOKEN") == "ours"
    assert target.get("COH_GITHUB_REPOSITORY") is None


def test_a_running_sandbox_is_never_taken_without_being_asked_for(sandbox: dict[str, str]) -> None:
    target = read_target(sandbox=False, root=Path(), environment=sandbox)
    assert target.get("COH_DATABASE_URL") is None


def test_a_sandbox_takes_the_place_of_everything_it_has(sandbox: dict[str, str]) -> None:
    target = read_target(sandbox=True, root=Path(), environment=sandbox)
    assert target.need("COH_DATABASE_URL") == "sandbox-db"
    assert target.need("COH_X") == "sandbox"
    assert target.need("PATH") == "/bin"
    assert target.need("COH_GITHUB_TOKEN") == "bot"
    assert target.words == f"the sandbox in {sandbox['COH_STATE_DIR']}"


def test_a_person_may_act_in_the_sandbox_by_a_token_of_theirs(sandbox: dict[str, str]) -> None:
    environment = {**sandbox, "COH_GITHUB_TOKEN": "token-of-mara"}
    target = read_target(sandbox=True, root=Path(), environment=environment)
    assert target.need("COH_GITHUB_TOKEN") == "token-of-mara"
    assert target.need("COH_GITHUB_ACCOUNT") == "mara-lind"
    unknown = {**sandbox, "COH_GITHUB_TOKEN": "other"}
    assert (
        read_target(sandbox=True, root=Path(), environment=unknown).get("COH_GITHUB_ACCOUNT")
        is None
    )


@pytest.mark.parametrize("content", [None, "", "{", "not json"])
def test_a_sandbox_that_is_down_says_how_to_start_it(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / CONNECTIONS).write_text(content, encoding="utf-8")
    with pytest.raises(OutsideError) as caught:
        read_target(sandbox=True, root=Path(), environment={"COH_STATE_DIR": str(tmp_path)})
    assert caught.value.code == "sandbox.down"
    assert "coh sandbox up" in caught.value.next_step


@pytest.mark.parametrize(
    "content",
    [
        [],
        {},
        {**STORED, "pid": "none"},
        {**STORED, "tokens": []},
        {**STORED, "values": {"COH_GITHUB_TOKEN": 1}},
    ],
)
def test_what_no_sandbox_wrote_is_refused_with_the_file(tmp_path: Path, content: object) -> None:
    (tmp_path / CONNECTIONS).write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(BadRequestError) as caught:
        read_target(sandbox=True, root=Path(), environment={"COH_STATE_DIR": str(tmp_path)})
    assert caught.value.code == "sandbox.bad_connections"
    assert str(tmp_path / CONNECTIONS) in caught.value.fact
    assert "then coh sandbox up" in caught.value.next_step


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("COH_FLAGSMITH_TOKEN", "t\u00f6ken"),
        ("COH_GITHUB_TOKEN", "token\n"),
        ("COH_SLACK_TOKEN", " token"),
        ("COH_FLAGSMITH_KEY_PRODUCTION", "k\udcffey"),
        ("COH_FLAGSMITH_URL", "http://[::1"),
        ("COH_VERCEL_URL", "https://host:port"),
        ("COH_SLACK_URL", "slack.com"),
        ("COH_GITHUB_API", "ftp://host"),
        ("COH_DATABASE_URL", "postgresql://user:p\udcff@host/ops"),
    ],
)
def test_a_value_that_no_client_could_send_is_refused_by_its_name(name: str, value: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        live(**{name: value}).get(name)
    assert caught.value.code == "target.invalid"
    assert name in caught.value.fact
    assert f"set {name}: write " in caught.value.next_step
    assert value not in str(caught.value)


def test_the_refused_name_is_the_one_that_was_set() -> None:
    with pytest.raises(BadRequestError) as caught:
        live(GITHUB_TOKEN="t\u00f6ken").need("COH_GITHUB_TOKEN")
    assert caught.value.fact.startswith("GITHUB_TOKEN ")


def test_a_folder_and_a_password_may_hold_any_letter() -> None:
    values = {
        "COH_PULUMI_HOME": "/home/j\u00f6rg",
        "COH_DATABASE_URL": "host=h password=p\u00e4ss",
        "COH_FLAGSMITH_URL": "http://[::1]:8000/flags",
    }
    assert {name: live(**values).need(name) for name in values} == values


def test_credentials_are_not_in_a_target_s_text() -> None:
    assert "canary" not in repr(live(COH_GITHUB_TOKEN="canary"))


def test_the_state_folder_has_a_name_or_a_place_of_its_own(tmp_path: Path) -> None:
    assert state_folder({"COH_STATE_DIR": str(tmp_path)}) == tmp_path.resolve()
    assert state_folder({}).parts[-2:] == ("clarivum-ops", "sandbox")
