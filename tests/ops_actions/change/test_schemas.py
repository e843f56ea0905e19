from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from infra.settings.environment import ENVIRONMENTS, file_of
from ops_actions.change.schemas import main, schemas
from tests.infra.settings.test_flags import GOOD as GOOD_FLAGS
from tests.infra.settings.test_flags import REFUSED as BAD_FLAGS
from tests.ops_actions.change.test_request_refusals import GOOD as GOOD_REQUEST
from tests.ops_actions.change.test_request_refusals import REFUSED as BAD_REQUESTS

ROOT = Path(__file__).resolve().parents[3]


class Reader(yaml.SafeLoader):
    """Reads days and moments as text, as an editor does."""


Reader.yaml_implicit_resolvers = {
    first: [each for each in resolvers if "timestamp" not in each[0]]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def errors(name: str, text: str) -> list[str]:
    schema: dict[str, Any] = json.loads(schemas()[f"{name}.schema.json"])
    checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
    validator = jsonschema.Draft202012Validator(schema, format_checker=checker)
    return [error.message for error in validator.iter_errors(yaml.load(text, Loader=Reader))]  # noqa: S506


def test_schemas_in_the_repository_are_fresh(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--check"], ROOT / "schemas") == 0
    assert capsys.readouterr().out == ""


def test_a_stale_or_missing_schema_is_shown_as_a_diff(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([], tmp_path) == 0
    assert main(["--check"], tmp_path) == 0
    file = tmp_path / "flags.schema.json"
    file.write_text(file.read_text().replace("2000", "3000"))
    (tmp_path / "access.schema.json").unlink()
    capsys.readouterr()
    assert main(["--check"], tmp_path) == 1
    shown = capsys.readouterr()
    assert '-          "maxLength": 3000' in shown.out.replace("              ", "          ")
    assert "+++ schemas/access.schema.json (from the models)" in shown.out
    assert "next: scripts/schemas" in shown.err


def test_other_arguments_are_refused(tmp_path: Path) -> None:
    assert main(["--chek"], tmp_path) == 2
    assert list(tmp_path.iterdir()) == []


def test_every_schema_is_a_schema() -> None:
    for text in schemas().values():
        jsonschema.Draft202012Validator.check_schema(json.loads(text))


@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize("what", ["flags", "access", "platform"])
def test_declared_state_matches_its_schema(environment: str, what: str) -> None:
    assert errors(what, (ROOT / file_of(environment, what)).read_text(encoding="utf-8")) == []


def test_an_editor_accepts_what_the_reader_accepts() -> None:
    assert errors("flags", GOOD_FLAGS) == []
    assert errors("request", GOOD_REQUEST) == []


# What a JSON Schema can't see: quotes round a date, and two parameters that must differ.
UNSEEN = {"quoted date", "same deployment", "name newline", "twice"}


@pytest.mark.parametrize("case", [c for c in BAD_FLAGS if c[0] not in UNSEEN], ids=lambda c: c[0])
def test_an_editor_shows_bad_flags(case: tuple[str, str, int, str, str]) -> None:
    assert errors("flags", case[1])


@pytest.mark.parametrize(
    "case", [c for c in BAD_REQUESTS if c[0] not in UNSEEN | {"empty"}], ids=lambda c: c[0]
)
def test_an_editor_shows_bad_requests(case: tuple[str, str, str, int, str, str]) -> None:
    unseen_moment = case[4].startswith("Z or") and case[0] != "number"
    assert errors("request", case[1]) or unseen_moment
