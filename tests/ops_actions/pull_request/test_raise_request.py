"""From an edit to the texts of its pull request."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_actions.errors import BadRequestError
from ops_actions.pull_request.raise_request import Draft, Edit, draft

PATH = "infra/environments/production/flags.yaml"
EDIT = Edit(
    environment="production",
    summary="Turn on ops_module_webhooks",
    reason="Roll out webhook retries to operators",
    ticket="KAIZEN-412",
    files={PATH: b"flags: {}\n", "ops_actions/requests/production/old.yaml": None},
    check="coh flag show ops_module_webhooks --env production",
)


def test_the_texts_of_a_request() -> None:
    made = draft(EDIT)
    assert re.fullmatch(r"ops/production/turn-on-ops-module-webhooks-[0-9a-f]{10}", made.branch)
    assert made.title == "production: Turn on ops_module_webhooks"
    assert made.message == (
        "production: Turn on ops_module_webhooks\n\n"
        "Reason: Roll out webhook retries to operators\nTicket: KAIZEN-412\n"
    )
    assert made.body == (
        "Turn on ops\\_module\\_webhooks in `production`.\n\n"
        "**Reason:** Roll out webhook retries to operators\n\n"
        "**Ticket:** `KAIZEN-412`\n\n"
        "**Files**\n\n"
        f"- `{PATH}`\n- `ops_actions/requests/production/old.yaml` (removed)\n\n"
        "**How to check**\n\n"
        "- Before the merge: the review card below says what will happen and who must approve.\n"
        "- After the merge: `coh flag show ops_module_webhooks --env production`\n"
    )
    assert made.files == EDIT.files


def test_equal_edits_give_equal_drafts_and_any_difference_another_branch() -> None:
    same = replace(EDIT, files=dict(reversed(list(EDIT.files.items()))))
    assert draft(same) == draft(EDIT)
    others = [
        replace(EDIT, reason="Another"),
        replace(EDIT, ticket=None),
        replace(EDIT, environment="staging"),
        replace(EDIT, files={PATH: b"flags: {} \n"}),
        replace(EDIT, files={PATH: None}),
    ]
    assert len({draft(edit).branch for edit in [EDIT, *others]}) == len(others) + 1


@pytest.mark.parametrize(
    ("edit", "code"),
    [
        (replace(EDIT, files={}), "request.no_change"),
        (replace(EDIT, environment="prod/../x"), "request.bad_environment"),
        (replace(EDIT, environment=""), "request.bad_environment"),
        (replace(EDIT, summary=" "), "request.summary_missing"),
        (replace(EDIT, reason="\n"), "request.reason_missing"),
        (replace(EDIT, reason="for jane.doe@clarivum.example"), "request.personal_data"),
        (replace(EDIT, summary="Grant x@y.example"), "request.personal_data"),
        (replace(EDIT, ticket="x@y.example"), "request.personal_data"),
    ],
)
def test_what_is_refused(edit: Edit, code: str) -> None:
    with pytest.raises(BadRequestError) as refused:
        draft(edit)
    assert refused.value.code == code
    assert "@" not in str(refused.value)


def test_a_reason_neither_mentions_nor_closes_nor_links() -> None:
    made = draft(
        replace(EDIT, reason="Fixes #12 @mara-lind https://evil.example <img src=x>\n## x")
    )
    for text in (made.message, made.body, made.title):
        assert "#12" not in text
        assert "@mara" not in text
        assert "://evil" not in text
        assert "\n## " not in text
    assert "<img" not in made.body


@given(st.text(min_size=1).filter(lambda text: text.strip() and "@" not in text))
def test_the_branch_is_always_one_that_git_takes(summary: str) -> None:
    made: Draft = draft(replace(EDIT, summary=summary))
    assert re.fullmatch(r"ops/production/[a-z0-9]([a-z0-9-]*[a-z0-9])?-[0-9a-f]{10}", made.branch)
    assert "--" not in made.branch
    assert "\n" not in made.title
    assert len(made.title.replace("\u2060", "")) <= 100
