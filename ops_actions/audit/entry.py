"""One entry of the record book, and the text of it that is hashed."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from ops_actions.audit.masking import mask, mask_text
from ops_actions.canonical import Json, canonical_text, digest
from ops_actions.errors import BadRequestError

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMA = "coh.audit/1"
"""Name of the body's form; it is in every body and in every hash."""

MAX_BODY_BYTES = 65_535
"""Longest body in UTF-8 bytes: the entry limit of C2SP tlog-tiles (a uint16 length)."""

MAX_FIELD_CHARACTERS = 1_000
"""Longest single field; the detail takes what is long."""


class Phase(StrEnum):
    """Where in an action's life the entry belongs."""

    INTENT = "intent"
    OUTCOME = "outcome"
    REFUSAL = "refusal"
    SETTLE = "settle"
    SYSTEM = "system"


class Audience(StrEnum):
    """Who may read an entry besides admins: its own people, or the finance role only."""

    OPERATIONS = "operations"
    FINANCE = "finance"


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """What a writer says; number, time and hashes are added by the log.

    Attributes:
        environment: environment it is about.
        actor_sub: Auth0 subject of the person, or ``system:<name>`` for the software itself.
        actor_login: GitHub login, None when it is not known.
        on_behalf_of: Auth0 subject of the person for whom the actor acted.
        action: dotted name of what was done, such as ``flag.enable``.
        target: name of what it was done to; masked, cut and made printable when the body is made.
        risk: ``safe``, ``guarded`` or ``destructive``.
        result: how it went, one word or a rule's code; treated like the target.
        change_id: the change it belongs to.
        plan_digest: digest of the plan that was permitted.
        policy_digest: digest of the policies that judged it.
        commit: merged commit, 40 hex digits.
        key: idempotency key; an entry is recorded once for each key.
        detail: anything else worth keeping; masked when the body is made.
        audience: who may read it.

    Raises:
        BadRequestError: ``audit.field``, a field is empty, too long, or not text that can be kept.
    """

    environment: str
    actor_sub: str
    action: str
    target: str
    risk: str
    phase: Phase
    result: str
    key: str
    actor_login: str | None = None
    on_behalf_of: str | None = None
    change_id: str | None = None
    plan_digest: str | None = None
    policy_digest: str | None = None
    commit: str | None = None
    detail: Mapping[str, Json] = field(default_factory=dict)
    audience: Audience = Audience.OPERATIONS

    def __post_init__(self) -> None:
        """Refuse what the log could not keep or a reader could not trust."""
        values = _STRICT_VALUES(self)
        together = "".join(filter(None, values))
        if len(together) > MAX_FIELD_CHARACTERS or not _is_plain(together):
            for name, value in zip(_STRICT, values, strict=True):
                _check_strict(name, value or "")
        for name in _REQUIRED:
            if not getattr(self, name):
                raise _refused(name, "is empty")
        for name in _PEOPLE:
            if not _is_subject(getattr(self, name) or ""):
                raise _refused(name, "looks like an e-mail address, a telephone number or a secret")

    def body(self) -> str:
        """Return the entry as canonical JSON (RFC 8785): what is stored and hashed.

        A detail that would make the body longer than ``MAX_BODY_BYTES`` is left out and its digest
        kept, since an entry is worth more than its detail.
        """
        detail = mask(self.detail)
        text = self._text(_canonical(detail))
        if len(text) * 4 <= MAX_BODY_BYTES or len(text.encode("utf-8")) <= MAX_BODY_BYTES:
            return text
        size = len(text.encode("utf-8"))
        return self._text(
            canonical_text({"left_out_bytes": size, "left_out_digest": digest(detail)})
        )

    def _text(self, detail: str) -> str:
        """Put the canonical text of the detail between the fields that sort before and after it.

        Target and result come from outside and are evidence even when they are odd: they are
        masked and cut, never refused. What is not quoted here holds nothing that JSON escapes.
        """
        return (
            f'{{"action":"{self.action}","actor_login":{_or_null(self.actor_login)},'
            f'"actor_sub":"{self.actor_sub}","audience":"{self.audience.value}",'
            f'"change_id":{_or_null(self.change_id)},"commit_sha":{_or_null(self.commit)},'
            f'"detail":{detail},"environment":"{self.environment}",'
            f'"idempotency_key":{_QUOTE(self.key)},"on_behalf_of":{_or_null(self.on_behalf_of)},'
            f'"phase":"{self.phase.value}","plan_digest":{_or_null(self.plan_digest)},'
            f'"policy_digest":{_or_null(self.policy_digest)},"result":{_QUOTE(_tidy(self.result))},'
            f'"risk":"{self.risk}","schema":"{SCHEMA}","target":{_QUOTE(_tidy(self.target))}}}'
        )


def parse_body(body: str) -> AuditEntry:
    """Read a body back.

    Raises:
        BadRequestError: ``audit.body``, the text is not a body of this schema.
    """
    try:
        document: Any = json.loads(body)
    except ValueError as error:
        raise _not_a_body("it is not JSON") from error
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise _not_a_body(f"its schema is not {SCHEMA}")
    if set(document) != {*_COLUMN_OF.values(), "detail", "schema"}:
        raise _not_a_body("its fields are not those of the schema")
    if not isinstance(document["detail"], dict) or not all(
        value is None or isinstance(value, str)
        for column, value in document.items()
        if column != "detail"
    ):
        raise _not_a_body("a field has the wrong type")
    values = {name: document[column] for name, column in _COLUMN_OF.items()}
    try:
        values["phase"] = Phase(values["phase"])
        values["audience"] = Audience(values["audience"])
    except ValueError as error:
        raise _not_a_body("its phase or audience is unknown") from error
    return AuditEntry(**values, detail=document["detail"])


_COLUMN_OF = {
    "action": "action",
    "actor_login": "actor_login",
    "actor_sub": "actor_sub",
    "audience": "audience",
    "change_id": "change_id",
    "commit": "commit_sha",
    "environment": "environment",
    "key": "idempotency_key",
    "on_behalf_of": "on_behalf_of",
    "phase": "phase",
    "plan_digest": "plan_digest",
    "policy_digest": "policy_digest",
    "result": "result",
    "risk": "risk",
    "target": "target",
}

COLUMNS: tuple[str, ...] = tuple(_COLUMN_OF.values())
"""The columns that repeat fields of the body, in the body's own (sorted) order."""

_REQUIRED = ("environment", "actor_sub", "action", "risk", "key")
_PEOPLE = ("actor_sub", "actor_login", "on_behalf_of")
_STRICT = tuple(name for name in _COLUMN_OF if name not in {"result", "target"})
_STRICT_VALUES = attrgetter(*_STRICT)

_QUOTE = json.encoder.encode_basestring
_ENCODE = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode
_MAYBE_FLOAT = re.compile(r"[\[:,]-?[0-9]+[.eE]")


def _or_null(text: str | None) -> str:
    """Write a field that may be missing."""
    return "null" if text is None else f'"{text}"'


def _is_plain(text: str) -> bool:
    """Tell whether JSON writes a text as it is."""
    return text.isprintable() and '"' not in text and "\\" not in text


def _check_strict(name: str, value: str) -> None:
    """Refuse a field that is too long or not plain; an idempotency key may hold quotes."""
    if len(value) > MAX_FIELD_CHARACTERS or not value.isprintable():
        raise _refused(name, f"is not printable text of up to {MAX_FIELD_CHARACTERS} characters")
    if name != "key" and not _is_plain(value):
        raise _refused(name, "holds a quotation mark or a backslash")


def _canonical(detail: Json) -> str:
    """Return the RFC 8785 form of a masked detail, quickly where the standard encoder gives it.

    The two differ in how they write floats and in the order of keys beyond ASCII only.
    """
    text = _ENCODE(detail)
    return text if text.isascii() and not _MAYBE_FLOAT.search(text) else canonical_text(detail)


@lru_cache(maxsize=1024)
def _tidy(text: str) -> str:
    """Mask, cut and make printable what came from outside."""
    text = mask_text(text)[:MAX_FIELD_CHARACTERS]
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)


@lru_cache(maxsize=1024)
def _is_subject(text: str) -> bool:
    """Tell whether a subject or login holds nothing personal."""
    return mask_text(text) == text


def _refused(name: str, what: str) -> BadRequestError:
    """Name the field, never its value."""
    return BadRequestError(
        "audit.field", f"the audit entry's {name} {what}", f"give another {name} and run it again"
    )


def _not_a_body(why: str) -> BadRequestError:
    """Say why a stored text can't be read as an entry."""
    return BadRequestError(
        "audit.body", f"a text is not the body of an audit entry: {why}", "coh audit verify"
    )
