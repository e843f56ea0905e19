"""Steps of the Pulumi engine as plain values that can be compared, hashed and shown."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pulumi.automation.events import EngineEvent, StepEventStateMetadata

    from ops_actions.canonical import Json

PROJECT = "clarivum-ops"
"""Name of the Pulumi project, as in `Pulumi.yaml`."""

_FLAGSMITH = "opshub:components:Flagsmith"
_SUPABASE = "opshub:components:Supabase"
_FLAG = "opshub:flagsmith:Flag"
_MIGRATION = "opshub:supabase:Migration"

_UNCHANGED = frozenset({"same", "read", "refresh"})
_SIGNATURE = "4dabf18193072939515e22adb298388d"
_HIDDEN = "[secret]"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that the engine will do to one resource.

    Attributes:
        urn: the resource.
        op: the engine's word: create, update, delete, replace, create-replacement, ...
        type: type token of the resource.
        name: logical name of the resource.
        old: inputs before, None when there is no resource; secrets are hidden.
        new: inputs after, None when there will be no resource; secrets are hidden.
    """

    urn: str
    op: str
    type: str
    name: str
    old: Mapping[str, Json] | None
    new: Mapping[str, Json] | None

    def document(self) -> dict[str, Json]:
        """Return the step as a JSON document."""
        return {
            "urn": self.urn,
            "op": self.op,
            "type": self.type,
            "name": self.name,
            "old": self.old,
            "new": self.new,
        }


def flag_urn(environment: str, name: str) -> str:
    """Return the URN of a flag."""
    return _urn(environment, f"{_FLAGSMITH}${_FLAG}", name)


def migration_urn(environment: str, version: int, name: str) -> str:
    """Return the URN of a migration."""
    return _urn(environment, f"{_SUPABASE}${_MIGRATION}", f"{version:04d}_{name}")


def parents_of(environment: str, urns: Sequence[str]) -> tuple[str, ...]:
    """Return the components of resources; a new resource can't be made without its component."""
    parents = ((_FLAGSMITH, "flagsmith"), (_SUPABASE, "supabase"))
    return tuple(
        _urn(environment, token, name)
        for token, name in parents
        if any(f"::{token}$" in urn for urn in urns)
    )


def steps_of(events: Iterable[EngineEvent]) -> tuple[Step, ...]:
    """Return the steps of a preview, unchanged resources left out, sorted by URN and operation."""
    found = [
        Step(
            urn=data.urn,
            op=data.op.value,
            type=data.type,
            name=data.urn.rpartition("::")[2],
            old=_inputs(data.old),
            new=_inputs(data.new),
        )
        for event in events
        if event.resource_pre_event is not None
        for data in (event.resource_pre_event.metadata,)
        if data.op.value not in _UNCHANGED
    ]
    return tuple(sorted(found, key=lambda step: (step.urn, step.op)))


def differing(one: Sequence[Step], other: Sequence[Step]) -> tuple[str, ...]:
    """Return the URNs whose steps are not the same on both sides, sorted."""
    sides = [{(step.urn, step.op): step.document() for step in steps} for steps in (one, other)]
    keys = {*sides[0], *sides[1]}
    return tuple(sorted({key[0] for key in keys if sides[0].get(key) != sides[1].get(key)}))


def _urn(environment: str, types: str, name: str) -> str:
    return f"urn:pulumi:{environment}::{PROJECT}::{types}::{name}"


def _inputs(state: StepEventStateMetadata | None) -> Mapping[str, Json] | None:
    if state is None:
        return None
    inputs = {name: _visible(value) for name, value in (state.inputs or {}).items()}
    return dict(sorted(inputs.items()))


def _visible(value: Json) -> Json:
    """Hide secrets, whose ciphertext differs from run to run, and normalise numbers."""
    if isinstance(value, Mapping):
        if _SIGNATURE in value:
            return _HIDDEN
        return {name: _visible(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_visible(one) for one in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


_COLOUR = re.compile(r"<\{%[^%]*%\}>|\x1b\[[0-9;]*m")


def messages_of(events: Iterable[EngineEvent], severity: str) -> tuple[str, ...]:
    """Return the messages of a run, in order, each once, without colours.

    Args:
        events: of the run.
        severity: ``error`` or ``warning``.
    """
    found = {
        _COLOUR.sub("", event.diagnostic_event.message).strip(): None
        for event in events
        if event.diagnostic_event is not None and event.diagnostic_event.severity == severity
    }
    return tuple(message for message in found if message)
