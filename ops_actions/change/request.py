"""Action requests: one new file each, which says what shall be done once, to what, and why."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from infra.settings.document import Document, read_document
from infra.settings.errors import SettingsError
from infra.settings.flags import TICKET
from infra.settings.scalars import render_scalar
from infra.settings.validation import validate
from ops_actions.catalogue.model import ParamValue
from ops_actions.catalogue.registry import find
from ops_actions.change.classify import REQUEST_FOLDER
from ops_actions.clock import rfc3339
from ops_actions.errors import BadRequestError

if TYPE_CHECKING:
    from ops_actions.canonical import Json

_FILE_NAME = re.compile(r"([0-9]{8})-[a-z0-9]+(?:-[a-z0-9]+)*\.yaml")
_LONGEST_NAME = 100  # characters
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?"
    r"(Z|[+-][0-9]{2}:[0-9]{2})"
)
_NAME = r"^[!-?A-~]{1,200}$"
_SCHEMA_LINE = "# yaml-language-server: $schema=../../../schemas/request.schema.json\n"
_MOMENT_EXAMPLE = "2026-11-23T18:00:00Z"


def _moment(value: object) -> datetime:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC)
    if isinstance(value, str) and _MOMENT.fullmatch(value):
        try:
            return datetime.fromisoformat(value).astimezone(UTC)
        except (ValueError, OverflowError):
            pass  # a form that is right with a day or hour that is not: the same refusal
    raise PydanticCustomError(
        "moment",
        "should be a date and time with Z or an offset from UTC",
        {"write": f"not_after: {_MOMENT_EXAMPLE}"},
    )


def _param(value: object) -> object:
    items = value if isinstance(value, list | tuple) else (value,)
    if all(item is None or isinstance(item, bool | int | float | str) for item in items):
        return tuple(items) if isinstance(value, list | tuple) else value
    raise PydanticCustomError(
        "param",
        "should be text, a number, true, false, null or a flat list of these",
        {"write": 'one value; a date in quotes, such as "2027-02-01"'},
    )


ParamName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,49}$", examples=["to"])]
"""Name of a parameter."""


class ActionRequest(BaseModel, frozen=True, extra="forbid", strict=True):
    """One thing to be done once."""

    action: str = Field(
        pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$",
        max_length=100,
        description="Name of the action, see `coh action list`.",
        examples=["deployment.rollback"],
    )
    target: str = Field(
        pattern=_NAME,
        description="What it is done to: 1 to 200 ASCII characters without space and `@`.",
        examples=["clarivum-web"],
    )
    params: dict[ParamName, Annotated[ParamValue, BeforeValidator(_param)]] = Field(
        default_factory=dict,
        description="Parameters of the action.",
        examples=["{to: dpl_9f2, expect_current: dpl_a17}"],
    )
    reason: str = Field(
        min_length=1,
        max_length=500,
        pattern=r"\S",
        description="Why, 1 to 500 characters.",
        examples=["Error rate 7 % since 14:02"],
    )
    incident: str | None = Field(
        default=None,
        pattern=r"^INC-[0-9]{1,10}$",
        description="Incident it belongs to.",
        examples=["INC-88"],
    )
    ticket: str | None = Field(
        default=None,
        pattern=TICKET,
        max_length=50,
        description="Ticket that tracks the work.",
        examples=["KAIZEN-412"],
    )
    not_after: Annotated[datetime, BeforeValidator(_moment)] = Field(
        description="Moment after which it may not run any more, with Z or an offset.",
        examples=[_MOMENT_EXAMPLE],
    )
    confirm: str | None = Field(
        default=None,
        pattern=_NAME,
        description="The target typed again, for a destructive action.",
        examples=["clarivum-web"],
    )

    def document(self) -> dict[str, Json]:
        """Return the JSON form that plans hash and policies read; times in UTC."""
        return {
            "action": self.action,
            "target": self.target,
            "params": {
                name: list(value) if isinstance(value, tuple) else value
                for name, value in self.params.items()
            },
            "reason": self.reason,
            "incident": self.incident,
            "ticket": self.ticket,
            "not_after": rfc3339(self.not_after),
            "confirm": self.confirm,
        }


def declared_error(error: SettingsError, code: str = "declared.invalid") -> BadRequestError:
    """Turn an error of a settings file into one of the flow.

    Args:
        error: what the reader of settings said.
        code: rule that is broken.
    """
    more = f" (and {len(error.others)} more)" if error.others else ""
    return BadRequestError(
        code, f"{error.source}:{error.line}: {error.what}{more}", f"write {error.write}"
    )


def parse_request(data: bytes, source: str) -> ActionRequest:
    """Read an action request, up to 1 MiB.

    Args:
        data: the file's bytes.
        source: its path; the name must be ``<YYYYMMDD>-<slug>.yaml``.

    Raises:
        BadRequestError: name (`request.file_name`), form (`request.invalid`), action
            (`request.unknown_action`), target (`request.target`) or parameters
            (`request.params`) are wrong; names file and line.
    """
    _check_name(source)
    try:
        document = read_document(data, source)
        request = validate(ActionRequest, document)
    except SettingsError as error:
        raise declared_error(error, "request.invalid") from None
    _check_action(request, document)
    return request


def _check_name(source: str) -> None:
    name = source.rpartition("/")[2]
    match = _FILE_NAME.fullmatch(name)
    if match is not None and len(name) <= _LONGEST_NAME and _is_day(match[1]):
        return
    raise BadRequestError(
        "request.file_name",
        f"{source}:1: the name of a request is <YYYYMMDD>-<slug>.yaml, at most 100 characters",
        "rename it, such as 20261123-rollback-web.yaml; `coh action run` names it for you",
    )


def _is_day(digits: str) -> bool:
    try:
        date.fromisoformat(digits)
    except ValueError:
        return False
    return True


def _check_action(request: ActionRequest, document: Document) -> None:
    try:
        spec = find(request.action)
    except BadRequestError as error:
        raise _placed(error, document, "action") from None
    if not spec.is_target(request.target):
        wrong = BadRequestError(
            "request.target", f"this is not a {spec.target_kind}", f"write {spec.example_target}"
        )
        raise _placed(wrong, document, "target")
    try:
        if "params" in document.data:
            validate(spec.params, document, at=("params",))
        else:
            spec.parse(request.params)
    except SettingsError as error:
        raise declared_error(error, "request.params") from None
    except BadRequestError as error:
        raise _placed(error, document, "params") from None


def _placed(error: BadRequestError, document: Document, key: str) -> BadRequestError:
    """Say in which file and line a fact was found."""
    place = f"{document.source}:{document.line((key,))}"
    return BadRequestError(error.code, f"{place}: {error.fact}", error.next_step)


def request_path(environment: str, day: date, slug: str) -> str:
    """Return the path of a request's file.

    Args:
        environment: environment it acts on.
        day: day it is made, in UTC.
        slug: what it is about, small letters and digits joined by ``-``.
    """
    return f"{REQUEST_FOLDER}/{environment}/{day:%Y%m%d}-{slug}.yaml"


def render_request(request: ActionRequest) -> bytes:
    """Return the file of a request; the same request gives the same bytes.

    Raises:
        ValueError: a parameter can't be written exactly.
    """
    lines = [f"action: {render_scalar(request.action)}", f"target: {render_scalar(request.target)}"]
    if request.params:
        lines.append("params:")
        lines += [
            f"  {render_scalar(name)}: {_param_text(v)}" for name, v in request.params.items()
        ]
    lines.append(f"reason: {render_scalar(request.reason)}")
    for field in ("incident", "ticket"):
        if (text := getattr(request, field)) is not None:
            lines.append(f"{field}: {render_scalar(text)}")
    lines.append(f"not_after: {request.not_after.isoformat().replace('+00:00', 'Z')}")
    if request.confirm is not None:
        lines.append(f"confirm: {render_scalar(request.confirm)}")
    return (_SCHEMA_LINE + "\n".join(lines) + "\n").encode("utf-8")


def _param_text(value: ParamValue) -> str:
    if isinstance(value, tuple):
        return "[" + ", ".join(render_scalar(item, flow=True) for item in value) + "]"
    return render_scalar(value)
