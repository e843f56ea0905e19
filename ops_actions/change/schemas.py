"""Writes the JSON Schemas of all files a person edits, from the models that check them.

Editors complete and check with them (`# yaml-language-server: $schema=...`). `scripts/schemas`
writes them; `scripts/schemas --check` fails with a diff when one is stale.
"""

from __future__ import annotations

import difflib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infra.settings.access import AccessFile
from infra.settings.flags import FlagsFile
from infra.settings.platform import PlatformFile
from ops_actions.catalogue.registry import CATALOGUE
from ops_actions.change.request import ActionRequest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic import BaseModel

_DRAFT = "https://json-schema.org/draft/2020-12/schema"


def schemas() -> Mapping[str, str]:
    """Return the text of every schema by file name."""
    return {
        "access.schema.json": _text(_schema(AccessFile)),
        "flags.schema.json": _text(_schema(FlagsFile)),
        "platform.schema.json": _text(_schema(PlatformFile)),
        "request.schema.json": _text(_request_schema()),
    }


def _schema(model: type[BaseModel]) -> dict[str, Any]:
    schema = {"$schema": _DRAFT, **model.model_json_schema()}
    _close(schema)
    return schema


def _close(node: object) -> None:
    """Refuse keys that match no pattern; pydantic leaves them open in the schema only."""
    if isinstance(node, dict):
        if "patternProperties" in node:
            node.setdefault("additionalProperties", False)
        for child in node.values():
            _close(child)
    elif isinstance(node, list):
        for child in node:
            _close(child)


def _request_schema() -> dict[str, Any]:
    """Add what each action asks of target and parameters."""
    schema = _schema(ActionRequest)
    schema["properties"]["action"]["enum"] = list(CATALOGUE)
    definitions = schema.setdefault("$defs", {})
    rules = []
    for name, spec in CATALOGUE.items():
        params = spec.params.model_json_schema(ref_template="#/$defs/{model}")
        definitions.update(params.pop("$defs", {}))
        definitions[spec.params.__name__] = params
        rules.append(
            {
                "if": {"properties": {"action": {"const": name}}, "required": ["action"]},
                "then": {
                    "properties": {
                        "target": {"pattern": f"^(?:{spec.target_pattern})$"},
                        "params": {"$ref": f"#/$defs/{spec.params.__name__}"},
                    }
                }
                | ({"required": ["params"]} if params.get("required") else {}),
            }
        )
    schema["allOf"] = rules
    return schema


def _text(schema: Mapping[str, Any]) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def main(arguments: Sequence[str], folder: Path) -> int:
    """Write the schemas, or with ``--check`` compare them.

    Args:
        arguments: nothing, or ``--check``.
        folder: where the schemas are kept.

    Returns:
        0 when they are written or fresh, 1 when one is stale, 2 for other arguments.
    """
    if list(arguments) not in ([], ["--check"]):
        sys.stderr.write("usage: scripts/schemas [--check]\n")
        return 2
    stale = False
    for name, text in schemas().items():
        file = folder / name
        if not arguments:
            file.write_text(text, encoding="utf-8")
            continue
        kept = file.read_text(encoding="utf-8") if file.is_file() else ""
        if kept != text:
            stale = True
            diff = difflib.unified_diff(
                kept.splitlines(keepends=True),
                text.splitlines(keepends=True),
                f"schemas/{name}",
                f"schemas/{name} (from the models)",
            )
            sys.stdout.writelines(diff)
    if stale:
        sys.stderr.write("schemas are stale\n  next: scripts/schemas\n")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], Path(__file__).resolve().parents[2] / "schemas"))
