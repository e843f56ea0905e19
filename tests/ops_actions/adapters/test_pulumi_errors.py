"""What the engine's failures say, and what they never say."""

from __future__ import annotations

import pytest
from pulumi.automation import CommandResult
from pulumi.automation.errors import CommandError

from infra.clients.transport import redact
from ops_actions.adapters.pulumi_errors import LockedError, LockOwner, failed
from ops_actions.adapters.pulumi_secrets import secrets_of
from ops_actions.errors import OutsideError, RefusedError
from tests.support.files import ROOT

BACKEND = "https://states:pa%2Fss-canary@states.example/coh"
DATABASE = "postgresql://ops:d%40b-canary@db.example:5432/ops?sslmode=require"
FOLDER = "file:///var/lib/coh/state"


def test_a_lock_of_another_machine_says_how_it_is_taken_away() -> None:
    error = LockedError("staging", (LockOwner("ann", "runner-7", 41, "2026-11-24T09:00:00Z"),))
    assert "process 41 on runner-7" in error.fact
    over, cancel, again = error.next_step.split("; ")
    assert over == "make sure that this run is over"
    assert cancel.endswith(
        "with PULUMI_BACKEND_URL set to what COH_PULUMI_BACKEND holds, "
        "pulumi cancel --stack organization/clarivum-ops/staging"
    )
    assert again == "then coh reconcile --env staging"
    page = (ROOT / "docs" / "recovery.md").read_text(encoding="utf-8")
    assert "infra.locked" in page
    assert "pulumi cancel --stack organization/clarivum-ops/" in page


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("infra.database_locked", OutsideError),
        ("infra.database_slow", OutsideError),
        ("infra.migration_edited", RefusedError),
    ],
)
def test_a_busy_database_is_not_the_settings_fault(code: str, kind: type[Exception]) -> None:
    said = failed("staging", none_said(), [f"{code}: a fact; next: a step"], ())
    assert type(said) is kind
    assert (said.code, said.fact, said.next_step) == (code, "a fact", "a step")


def none_said() -> CommandError:
    return CommandError(CommandResult("", "", 1))


@pytest.mark.parametrize(
    "text",
    [
        f"can't open {BACKEND}",
        "user states:pa%2Fss-canary",
        "user states:pa/ss-canary",
        "password pa%2Fss-canary",
        "password pa/ss-canary",
        f"can't open {DATABASE}",
        "ops:d%40b-canary",
        "password d%40b-canary",
        'password "d@b-canary"',
        "token canary-token",
    ],
)
def test_credentials_in_addresses_are_not_shown(text: str) -> None:
    secrets = secrets_of(BACKEND, DATABASE, "canary-token")
    assert "canary" not in redact(text, secrets)
    shown = failed("staging", none_said(), [text], secrets)
    assert "canary" not in shown.fact


@pytest.mark.parametrize(
    "database",
    [
        "host=db.example user=ops password='d@b-canary'",
        "postgresql://db.example/ops?user=ops&password=d%40b-canary",
    ],
)
def test_other_ways_to_write_a_password_are_known(database: str) -> None:
    secrets = secrets_of(FOLDER, database)
    for text in (database, "d@b-canary", database.rpartition("password=")[2]):
        assert "canary" not in redact(text, secrets)


def test_a_plain_folder_is_no_secret() -> None:
    secrets = secrets_of(FOLDER, "postgresql:///ops", "")
    text = f"no such file: {FOLDER}/.pulumi of ops"
    assert redact(text, secrets) == text
    assert "" not in secrets
    assert FOLDER not in secrets
    other = "file://ann:canary@host/state"
    assert "canary" not in redact(f"can't open {other}", secrets_of(other, "dbname=ops"))


def test_a_bucket_may_hold_credentials_anywhere() -> None:
    bucket = "s3://states?key=canary"
    assert redact(f"open {bucket}", secrets_of(bucket, "dbname=ops")) == "open [secret]"
