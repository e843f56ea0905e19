from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_actions.audit.masking import MASK, mask, mask_text
from ops_actions.canonical import Json, canonical_text

CANARIES = (
    "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhdXRoMHw2NWYwIn0.c2lnbmF0dXJl",
    "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
    "github_pat_11ABCDEFG0abcdefghijkl_mnopqrstuvwxyz",
    "xoxb-1234567890-abcdefghijkl",
    "sk_live_4eC39HqLyjWDarjtT1zdp7dc",
    "AKIAIOSFODNN7EXAMPLE",
    "glsa_abcdefghijklmnopqrstuvwx_12345678",
    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "https://hooks.slack.com/services/T000/B000/XXXXXXXX",
    "mara.lind@clarivum.example",
    "+351 912 345 678",
    "+49-30-901820",
    "4111 1111 1111 1111",
    "5500-0000-0000-0004",
    "378282246310005",
    "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg\n-----END PRIVATE KEY-----",
)

INNOCENT = (
    "ops_module_webhooks",
    "auth0|65f0c1a2b3d4e5f601020304",
    "google-oauth2|113412341234123412341",
    "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "2026-11-24T09:00:00.000000Z",
    "2026-11-24T09:00:00+01:00",
    "dpl_9f2Kx3",
    "1764000000000",
    "4111 1111 1111 1112",
    "Roll out webhook retries to operators (KAIZEN-412)",
    "infra/environments/production/flags.yaml",
    "https://ops.clarivum.example/overview",
)

json_values: st.SearchStrategy[Json] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(CANARIES + INNOCENT),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text(max_size=12)
            | st.sampled_from(("token", "apiKey", "note", "email", *CANARIES[:3], MASK)),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@pytest.mark.parametrize("canary", CANARIES)
def test_a_secret_is_masked_wherever_it_stands(canary: str) -> None:
    assert canary not in mask_text(canary)
    for value in (canary, f"before {canary} after", [canary], {"note": canary}, {canary: 1}):
        assert canary not in canonical_text(mask(value))
        assert MASK in canonical_text(mask(value))


@pytest.mark.parametrize("text", INNOCENT)
def test_what_is_no_secret_stays_readable(text: str) -> None:
    assert mask_text(text) == text


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Authorization: Bearer abcdefghijklmnop", "abcdefghijklmnop"),
        ("password=hunter2&user=x", "hunter2"),
        ('{"token": "opaque-value-1"}', "opaque-value-1"),
        ("postgresql://ops:s3cr3t@db.example/ops", "s3cr3t"),
        ("https://ops:s3cr3t@grafana.example", "s3cr3t"),
    ],
)
def test_a_credential_in_a_sentence_is_masked(text: str, kept: str) -> None:
    assert kept not in mask_text(text)


@pytest.mark.parametrize(
    "key",
    [
        "token", "access_token", "accessToken", "API_KEY", "apiKey", "x-api-key", "client_secret",
        "clientSecret", "password", "Authorization", "Set-Cookie", "database_url", "email",
        "e-mail", "userEmail", "phone", "phoneNumber", "first_name", "familyName", "ip_address",
        "dateOfBirth", "private_key", "serviceRoleKey",
    ],
)  # fmt: skip
def test_a_secret_key_hides_whatever_it_holds(key: str) -> None:
    assert mask({key: "plain"}) == {key: MASK}
    assert mask({key: {"inner": ["plain"]}}) == {key: MASK}
    assert mask({key: 12345}) == {key: MASK}
    assert mask({key: None}) == {key: None}
    assert mask({key: True}) == {key: True}


@pytest.mark.parametrize(
    "key", ["idempotency_key", "key", "name", "tokenize", "zip", "description"]
)
def test_a_harmless_key_hides_nothing(key: str) -> None:
    assert mask({key: "plain"}) == {key: "plain"}


def test_a_card_number_stored_as_a_number_is_masked() -> None:
    assert mask(4111111111111111) == MASK


def test_keys_that_become_equal_stay_apart() -> None:
    masked = mask({"a@clarivum.example": 1, "b@clarivum.example": 2})
    assert isinstance(masked, dict)
    assert sorted(masked.values(), key=str) == [1, 2]


def test_a_long_text_takes_time_in_proportion_to_its_length() -> None:
    assert mask_text("a" * 200_000) == "a" * 200_000
    assert mask_text("a." * 100_000 + "@") == "a." * 100_000 + "@"


@given(json_values)
def test_masking_twice_is_masking_once(value: Json) -> None:
    once = mask(value)
    assert canonical_text(mask(once)) == canonical_text(once)


@given(json_values)
def test_what_is_masked_can_always_be_stored(value: Json) -> None:
    text = canonical_text(mask(value))
    assert text.encode("utf-8")
    assert "\\u0000" not in text.replace("\\\\", "")


@given(st.sampled_from(CANARIES), st.text(max_size=20), st.text(max_size=20))
def test_a_secret_between_spaces_never_survives(canary: str, before: str, after: str) -> None:
    assert canary not in mask_text(f"{before} {canary} {after}")
