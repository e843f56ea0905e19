"""Changes of feature flags."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.settings.flags import Flag, parse_flags
from ops_actions.plan.model import Change, Kind, Risk, Verb
from ops_actions.plan.sides import differing, parse_both

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ops_actions.canonical import Json
    from ops_actions.change.model import FileChange

_REHEARSAL = frozenset({"sandbox", "staging"})

ABSENT: Json = {"enabled": False, "value": None}
"""A flag nobody declared. Flagsmith gives a feature of another environment the same state here,
so a missing feature and an untouched one are one and the same."""


def flag_changes(file: FileChange, environment: str) -> Iterator[Change]:
    """Yield one change for each flag that differs between the two sides of a flags file."""
    before, after = parse_both(file, parse_flags)
    old_flags = before.flags if before else {}
    new_flags = after.flags if after else {}
    for name, old, new in differing(old_flags, new_flags):
        yield _flag_change(file.path, environment, name, old, new)


def _flag_change(
    path: str, environment: str, name: str, old: Flag | None, new: Flag | None
) -> Change:
    verb = Verb.CREATE if old is None else Verb.DELETE if new is None else Verb.UPDATE
    return Change(
        verb=verb,
        kind=Kind.FLAG,
        risk=_risk(environment, verb, old, new),
        environment=environment,
        target=name,
        path=path,
        before=_document(old),
        after=_document(new),
        expected_live=live_state(old) if old else ABSENT,
        # A feature belongs to all environments of the project, so taking it out of one file makes
        # it there what it was before it was declared, as `infra.provider.flag` does it.
        desired_live=live_state(new) if new else ABSENT,
        summary=_summary(environment, name, old, new),
        inverse=_inverse(environment, name, old, new),
        reversible=True,
    )


def live_state(flag: Flag) -> Json:
    """Return what Flagsmith must show for a declared flag."""
    return {"enabled": flag.enabled, "value": flag.value}


def _risk(environment: str, verb: Verb, old: Flag | None, new: Flag | None) -> Risk:
    if verb is Verb.DELETE:
        return Risk.DESTRUCTIVE
    if any(flag is not None and flag.type == "destructive_gate" for flag in (old, new)):
        return Risk.GUARDED
    return Risk.SAFE if environment in _REHEARSAL else Risk.GUARDED


def _document(flag: Flag | None) -> Json:
    if flag is None:
        return None
    return {
        "enabled": flag.enabled,
        "type": str(flag.type),
        "owner": flag.owner,
        "expires": flag.expires.isoformat() if flag.expires else None,
        "reason": flag.reason,
        "ticket": flag.ticket,
        "value": flag.value,
        "description": flag.description,
    }


def _word(enabled: bool) -> str:  # noqa: FBT001 - the flag's own state, not a switch
    return "on" if enabled else "off"


def _summary(environment: str, name: str, old: Flag | None, new: Flag | None) -> str:
    if new is None:
        return f"Flag {name} leaves {environment} and is switched off there"
    if old is None:
        return f"Flag {name} is added to {environment}, {_word(new.enabled)}"
    if old.enabled is not new.enabled:
        return f"Flag {name} goes {_word(new.enabled)} in {environment}"
    if old.value != new.value:
        return f"Flag {name} gets another value in {environment} and stays {_word(new.enabled)}"
    return f"The record of flag {name} changes in {environment}; it stays {_word(new.enabled)}"


def _inverse(environment: str, name: str, old: Flag | None, new: Flag | None) -> str:
    if old is None:
        return f"coh flag archive {name} --env {environment} --reason …"
    if new is None:
        return f"Revert the merge: it puts {name} back {_word(old.enabled)}"
    if old.enabled is not new.enabled:
        verb = "enable" if old.enabled else "disable"
        return f"coh flag {verb} {name} --env {environment} --reason …"
    return f"Revert the merge: it restores the record of {name}"
