"""Changes of the people list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.settings.access import Person, parse_access
from ops_actions.plan.model import Change, Kind, Risk, Verb
from ops_actions.plan.sides import differing, parse_both

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ops_actions.canonical import Json
    from ops_actions.change.model import FileChange


def access_changes(file: FileChange, environment: str) -> Iterator[Change]:
    """Yield one change for each person whose roles or login differ.

    The people list takes effect by being on main: the next change is judged by it. So there is
    no outside state to expect or to reach.
    """
    before, after = parse_both(file, parse_access)
    old_people = {person.sub: person for person in before.people} if before else {}
    new_people = {person.sub: person for person in after.people} if after else {}
    for sub, old, new in differing(old_people, new_people):
        verb = Verb.CREATE if old is None else Verb.DELETE if new is None else Verb.UPDATE
        yield Change(
            verb=verb,
            kind=Kind.ACCESS,
            risk=Risk.GUARDED,
            environment=environment,
            target=sub,
            path=file.path,
            before=_document(old),
            after=_document(new),
            expected_live=None,
            desired_live=None,
            summary=_summary(environment, old, new),
            inverse="Revert the merge: it restores the person's roles",
            reversible=True,
        )


def _document(person: Person | None) -> Json:
    if person is None:
        return None
    return {
        "github": person.github,
        "roles": [
            {"role": str(grant.role), "until": grant.until.isoformat() if grant.until else None}
            for grant in person.roles
        ],
    }


def _roles(person: Person) -> str:
    return ", ".join(
        f"{grant.role} until {grant.until.isoformat()}" if grant.until else str(grant.role)
        for grant in person.roles
    )


def _summary(environment: str, old: Person | None, new: Person | None) -> str:
    if new is None:
        login = old.github if old else ""
        return f"{login} loses every role in {environment}"
    if old is None:
        return f"{new.github} gets {_roles(new)} in {environment}"
    return f"{new.github} goes from {_roles(old)} to {_roles(new)} in {environment}"
