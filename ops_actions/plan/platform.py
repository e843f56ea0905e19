"""Changes of the platform file: names of projects, domains and channels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.settings.platform import PlatformFile, parse_platform
from ops_actions.plan.model import Change, Kind, Risk, Verb
from ops_actions.plan.sides import differing, parse_both

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ops_actions.canonical import Json
    from ops_actions.change.model import FileChange


def platform_changes(file: FileChange, environment: str) -> Iterator[Change]:
    """Yield one change for each system whose section differs.

    Like the people list it takes effect by being on main: the next run reads it.
    """
    before, after = parse_both(file, parse_platform)
    for system, old, new in differing(_sections(before), _sections(after)):
        verb = Verb.CREATE if old is None else Verb.DELETE if new is None else Verb.UPDATE
        yield Change(
            verb=verb,
            kind=Kind.PLATFORM,
            risk=Risk.DESTRUCTIVE if verb is Verb.DELETE else Risk.GUARDED,
            environment=environment,
            target=system,
            path=file.path,
            before=old,
            after=new,
            expected_live=None,
            desired_live=None,
            summary=f"The {system} settings of {environment} change",
            inverse="Revert the merge: it restores the settings",
            reversible=True,
        )


def _sections(platform: PlatformFile | None) -> dict[str, Json]:
    if platform is None:
        return {}
    document: dict[str, Json] = platform.model_dump(mode="json")
    return document
