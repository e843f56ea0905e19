"""The contract files themselves."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

import sandbox
from sandbox.emulator import Contract

if TYPE_CHECKING:
    from collections.abc import Iterator

FILES = sorted((Path(sandbox.__file__).parent / "contracts").glob("*.yaml"))


def references(value: object) -> Iterator[str]:
    match value:
        case {"$ref": str(target)}:
            yield target
        case dict():
            for inner in value.values():
                yield from references(inner)
        case list():
            for inner in value:
                yield from references(inner)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_operation_is_found_by_its_own_address_and_its_schemas_can_be_used(
    path: Path,
) -> None:
    contract = Contract.load(path)
    assert contract.operations
    for operation in contract.operations:
        address = re.sub(r"{[^}]+}", "1", operation.template)
        found = contract.find(operation.method, address)
        assert found is not None
        assert found[0] is operation
        # Whatever these find, each schema it names was compiled and followed to its end.
        contract.parameter_problems(operation, found[1], {})
        contract.request_problems(operation, "application/json", b"{}")
        for status in (200, 201, 400, 404, 500):
            contract.answer_problems(operation, status, "application/json", b"{}")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_reference_leads_somewhere(path: Path) -> None:
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    for target in set(references(document)):
        place = document
        for part in target.removeprefix("#/").split("/"):
            place = place[part]
