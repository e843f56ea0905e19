from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.settings.document import read_document
from infra.settings.errors import SettingsError
from infra.settings.validation import validate
from ops_actions.canonical import canonical_text
from ops_actions.catalogue.deployment_rollback import ACTION
from ops_actions.change.classify import REQUEST_FOLDER, classify, environment_of
from ops_actions.change.model import PathKind
from ops_actions.change.request import (
    ActionRequest,
    declared_error,
    parse_request,
    render_request,
    request_path,
)
from ops_actions.errors import BadRequestError
from tests.infra.settings.test_scalars import TEXTS
from tests.ops_actions.change.test_request_refusals import GOOD, SOURCE, without


def test_a_request_over_1_mib_is_refused() -> None:
    with pytest.raises(BadRequestError, match="the limit is 1048576"):
        parse_request(GOOD.encode() + b"#" * 1_048_576, SOURCE)


def test_a_good_request() -> None:
    request = parse_request(GOOD.encode(), SOURCE)
    assert request == ActionRequest(
        action="deployment.rollback",
        target="clarivum-web",
        params={"to": "dpl_9f2", "expect_current": "dpl_a17"},
        reason="Error rate 7 % since 14:02, incident INC-88",
        incident="INC-88",
        ticket="KAIZEN-412",
        not_after=datetime(2026, 11, 23, 18, tzinfo=UTC),
        confirm="clarivum-web",
    )
    assert request.document() == {
        "action": "deployment.rollback",
        "target": "clarivum-web",
        "params": {"to": "dpl_9f2", "expect_current": "dpl_a17"},
        "reason": "Error rate 7 % since 14:02, incident INC-88",
        "incident": "INC-88",
        "ticket": "KAIZEN-412",
        "not_after": "2026-11-23T18:00:00.000000Z",
        "confirm": "clarivum-web",
    }


@pytest.mark.parametrize("moment", ["2026-11-23T20:00:00+02:00", "2026-11-23T13:00:00.0-05:00"])
def test_the_same_moment_is_the_same_document(moment: str) -> None:
    text = GOOD.replace("2026-11-23T18:00:00Z", moment)
    here, there = (parse_request(t.encode(), SOURCE).document() for t in (GOOD, text))
    assert here == there


def test_confirmation_is_kept_for_the_policies_to_judge() -> None:
    text = GOOD.replace("confirm: clarivum-web", "confirm: other")
    assert parse_request(text.encode(), SOURCE).confirm == "other"
    assert parse_request(without("confirm").encode(), SOURCE).confirm is None


def test_a_request_without_time_zone_can_not_be_made() -> None:
    naive = datetime(2026, 11, 23, 18)  # noqa: DTZ001
    with pytest.raises(ValueError, match="Z or an offset"):
        ActionRequest(action="a.b", target="x", reason="r", not_after=naive)


PARAM = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(min_value=-(2**53) + 1, max_value=2**53 - 1),
    st.floats(min_value=-1e9, max_value=1e9).filter(lambda x: x == 0 or abs(x) > 1e-9),
    TEXTS.filter(lambda text: "\t" not in text),
)
REQUESTS = st.builds(
    ActionRequest,
    action=st.just(ACTION.name),
    target=st.from_regex(r"\A[a-z0-9][a-z0-9._-]{0,20}\Z"),
    params=st.dictionaries(
        st.from_regex(r"\A[a-z][a-z0-9_]{0,9}\Z"), PARAM | st.lists(PARAM, max_size=3).map(tuple)
    ),
    reason=TEXTS.filter(lambda text: text.strip() and "\t" not in text),
    incident=st.sampled_from([None, "INC-1"]),
    ticket=st.sampled_from([None, "K-1"]),
    not_after=st.datetimes(timezones=st.just(UTC), min_value=datetime(1000, 1, 1)),  # noqa: DTZ001
    confirm=st.none() | st.from_regex(r"\A[!-?A-~]{1,20}\Z"),
)


@given(REQUESTS)
def test_what_is_written_is_read_back(request: ActionRequest) -> None:
    # Any parameters, not only those of one action, hence without the action's own check.
    read = validate(ActionRequest, read_document(render_request(request), "f"))
    assert read == request
    # == takes True for 1, and the mark of a clock set back is not written.
    assert repr(read.params) == repr(request.params)


@given(REQUESTS)
def test_a_document_is_canonical_json(request: ActionRequest) -> None:
    document = request.document()
    assert json.loads(canonical_text(document)) == document


def test_the_same_request_gives_the_same_bytes() -> None:
    request = parse_request(GOOD.encode(), SOURCE)
    data = render_request(request)
    assert render_request(parse_request(data, SOURCE)) == data
    assert data.decode() == (
        "# yaml-language-server: $schema=../../../schemas/request.schema.json\n"
        "action: deployment.rollback\n"
        "target: clarivum-web\n"
        "params:\n"
        "  to: dpl_9f2\n"
        "  expect_current: dpl_a17\n"
        "reason: Error rate 7 % since 14:02, incident INC-88\n"
        "incident: INC-88\n"
        "ticket: KAIZEN-412\n"
        "not_after: 2026-11-23T18:00:00Z\n"
        "confirm: clarivum-web\n"
    )


def test_the_path_of_a_request_is_one_that_is_read() -> None:
    path = request_path("production", date(2026, 11, 23), "rollback-web")
    assert path == SOURCE
    assert classify(path) is PathKind.REQUEST
    assert environment_of(path) == "production"


def test_an_error_of_declared_state_keeps_place_and_remedy() -> None:
    second = SettingsError("f.yaml", 9, "b", "d")
    error = declared_error(SettingsError("f.yaml", 3, "a tab character", "spaces", (second,)))
    assert error.code == "declared.invalid"
    assert error.fact == "f.yaml:3: a tab character (and 1 more)"
    assert error.next_step == "write spaces"


def test_the_example_of_the_request_folder_is_a_request() -> None:
    readme = Path(__file__).resolve().parents[3] / REQUEST_FOLDER / "README.md"
    example = readme.read_text(encoding="utf-8").split("```yaml\n")[1].split("```")[0]
    request = parse_request(example.encode(), SOURCE)
    assert render_request(request).decode() == example
