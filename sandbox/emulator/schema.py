"""An OpenAPI 3.1 contract as data: which operation a request is, and what its values break.

JSON Schema 2020-12 is checked by `jsonschema`; only the OpenAPI part round it (paths, parameters,
media types, answers by status) is read here. Problems never quote a value, it may be a secret.
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import unquote

import yaml
from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import best_match
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from sandbox.emulator.operation import (
    Operation,
    Parameter,
    Place,
    Problem,
    query_values,
    read_as,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from jsonschema.exceptions import ValidationError

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
BASE = "urn:contract"

FORMATS = FormatChecker(formats=("uuid",))


@FORMATS.checks("date-time", raises=ValueError)
def _is_date_time(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


class Contract:
    """The operations of one service, read from an OpenAPI 3.1 document.

    Args:
        document: the parsed document.
    """

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        resource = DRAFT202012.create_resource(dict(document))
        self._registry = Registry().with_resource(BASE, resource)
        self._validator = cache(self._compile)

    @staticmethod
    @cache
    def load(path: Path) -> Contract:
        """Read a contract file (YAML), once per process: a contract never changes."""
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        return Contract(yaml.load(path.read_text(encoding="utf-8"), Loader=loader))  # noqa: S506 - both are safe

    @cached_property
    def operations(self) -> tuple[Operation, ...]:
        """All operations, the most literal path first, so that `me` beats `{id}`."""
        found = [
            self._operation(template, item, method)
            for template, item in self._document["paths"].items()
            for method in METHODS
            if method in item
        ]
        return tuple(sorted(found, key=lambda operation: _looseness(operation.template)))

    def find(self, method: str, path: str) -> tuple[Operation, Mapping[str, str]] | None:
        """Find the operation of a request.

        Args:
            method: HTTP method.
            path: as it was sent, percent-encoded, without query.
        """
        for operation in self.operations:
            if operation.method == method and (match := operation.pattern.fullmatch(path)):
                names = re.findall(r"{([^}]+)}", operation.template)
                values = [unquote(text) for text in match.groups()]
                return operation, dict(zip(names, values, strict=True))
        return None

    def parameter_problems(
        self, operation: Operation, path: Mapping[str, str], query: Mapping[str, list[str]]
    ) -> list[Problem]:
        """Check the path and query values; a query value the contract does not name is let be."""
        problems: list[Problem] = []
        for one in operation.parameters:
            texts = [path[one.name]] if one.place == "path" else query.get(one.name, [])
            if texts:
                problems += self._problems(one.pointer, one.read(texts), one.place, one.name)
            elif one.required:
                problems.append(Problem(one.place, one.name, "required", ""))
        return problems

    def request_problems(self, operation: Operation, media_type: str, body: bytes) -> list[Problem]:
        """Check a request's body; an operation that names no body takes any."""
        pointer, declared = self._resolve(f"{operation.pointer}/requestBody")
        if declared is None:
            return []
        if not body:
            return [Problem("body", "", "required", "")] if declared.get("required") else []
        return self._body_problems(pointer, declared, media_type, body, "body")

    def answer_problems(
        self, operation: Operation, status: int, media_type: str, body: bytes
    ) -> list[Problem]:
        """Check an answer against what the contract says for its status."""
        pointer, declared = self._resolve(f"{operation.pointer}/responses/{status}")
        by_default = declared is None
        if declared is None:
            pointer, declared = self._resolve(f"{operation.pointer}/responses/default")
        if declared is None:
            return [Problem("answer", "", "status", f"{status} is not in the contract")]
        if not declared.get("content"):
            wrong = bool(body) and not by_default
            return [Problem("answer", "", "media-type", "no body allowed")] if wrong else []
        return self._body_problems(pointer, declared, media_type, body, "answer")

    def _body_problems(
        self, pointer: str, declared: Mapping[str, Any], media_type: str, body: bytes, place: Place
    ) -> list[Problem]:
        content = declared["content"]
        plain = media_type.partition(";")[0].strip().lower() or next(iter(content))
        if plain not in content:
            return [Problem(place, "", "media-type", f"one of {sorted(content)}")]
        schema = f"{pointer}/content/{_escape(plain)}/schema"
        try:
            value = self._decode(plain, schema, body)
        except ValueError:
            return [Problem(place, "", "json", "the body does not parse")]
        return self._problems(schema, value, place, "")

    def _decode(self, media_type: str, schema: str, body: bytes) -> Any:  # noqa: ANN401 - JSON
        text = body.decode("utf-8")
        if media_type == "application/json":
            return json.loads(text)
        if media_type != "application/x-www-form-urlencoded":
            return text
        fields = self._resolve(schema)[1] or {}
        kinds = {name: _kind(one) for name, one in fields.get("properties", {}).items()}
        return {
            name: read_as(kinds.get(name, "string"), texts)
            for name, texts in query_values(text).items()
        }

    def _problems(self, pointer: str, value: object, place: Place, prefix: str) -> list[Problem]:
        found = {
            problem: None
            for error in self._validator(pointer).iter_errors(value)
            for problem in _explain(best_match([error]) or error, place, prefix)
        }
        return list(found)

    def _compile(self, pointer: str) -> Draft202012Validator:
        return Draft202012Validator(
            {"$ref": f"{BASE}{pointer}"}, registry=self._registry, format_checker=FORMATS
        )

    def _operation(self, template: str, item: Mapping[str, Any], method: str) -> Operation:
        pointer = f"#/paths/{_escape(template)}"
        own = f"{pointer}/{method}"
        parameters = tuple(
            one
            for place, holder in ((pointer, item), (own, item[method]))
            for index in range(len(holder.get("parameters", ())))
            for one in self._parameter(f"{place}/parameters/{index}")
        )
        wide = {one.name for one in parameters if one.wide}
        pattern = re.sub(
            r"\\{([^}]+)\\}",
            lambda match: "(.+)" if match[1] in wide else "([^/]+)",
            re.escape(template),
        )
        return Operation(method.upper(), template, re.compile(pattern), own, parameters)

    def _parameter(self, pointer: str) -> Iterator[Parameter]:
        where, declared = self._resolve(pointer)
        if declared is not None and declared["in"] in {"path", "query"}:
            kind = _kind(self._resolve(f"{where}/schema")[1] or {})
            required = bool(declared.get("required"))
            wide = bool(declared.get("x-multi-segment"))
            name, place = declared["name"], declared["in"]
            yield Parameter(name, place, required, f"{where}/schema", kind, wide)

    def _resolve(self, pointer: str) -> tuple[str, Mapping[str, Any] | None]:
        """Follow a pointer and the `$ref` that stands there; tell where it ended."""
        value: Any = self._document
        for part in pointer.removeprefix("#/").split("/"):
            key = part.replace("~1", "/").replace("~0", "~")
            try:
                value = value[int(key)] if isinstance(value, list) else value[key]
            except KeyError:
                return pointer, None
        return self._resolve(value["$ref"]) if "$ref" in value else (pointer, value)


def _looseness(template: str) -> tuple[int, int]:
    """Rank a path: more literal segments first, then fewer parameters."""
    parts = template.split("/")
    parameters = sum(part.startswith("{") for part in parts)
    return parameters - len(parts), parameters


def _kind(schema: Mapping[str, Any]) -> str:
    kind = schema.get("type", "string")
    return str(kind if isinstance(kind, str) else next(one for one in kind if one != "null"))


def _escape(part: str) -> str:
    return part.replace("~", "~0").replace("/", "~1")


def _explain(error: ValidationError, place: Place, prefix: str) -> Iterator[Problem]:
    field = "/".join(
        [prefix, *map(str, error.absolute_path)]
        if prefix
        else [str(part) for part in error.absolute_path]
    )
    if error.validator == "required" and isinstance(error.instance, dict):
        for name in cast("list[str]", error.validator_value):
            if name not in error.instance:
                yield Problem(place, f"{field}/{name}".lstrip("/"), "required", "")
        return
    wanted = json.dumps(error.validator_value, ensure_ascii=False)
    yield Problem(place, field, str(error.validator), wanted[:200])
