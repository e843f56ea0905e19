"""Whether a change stays in its environment's own place in the outside.

What belongs to an environment is in its platform file. It is read at the commit that judges, so a
request can't bring along the file that lets it through.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from infra.settings.document import read_document
from infra.settings.environment import ENVIRONMENTS, file_of, load_platforms
from infra.settings.errors import SettingsError
from ops_actions.catalogue.registry import find
from ops_actions.change.request import declared_error, parse_request
from ops_actions.errors import BadRequestError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infra.settings.platform import PlatformFile
    from ops_actions.change.model import ChangeSet, FileChange

ReadBase = Callable[[str], bytes | None]
"""Gives a file of the commit that judges by its path, None when it is not there."""

_PLATFORM_FILES = frozenset(file_of(environment, "platform") for environment in ENVIRONMENTS)


def refuse_foreign_target(file: FileChange, environment: str, read: ReadBase) -> None:
    """Refuse a request for what its environment does not have.

    A request that is taken out again moves nothing; the policies refuse that.

    Raises:
        BadRequestError: ``request.wrong_target``; ``declared.invalid``, the platform files can't be
            read or two environments share a project, so nobody knows whose a target is.
    """
    if file.after is None:
        return
    request = parse_request(file.after, file.path)
    spec = find(request.action)
    own = spec.target_in(_platforms(read)[environment])
    if request.target == own:
        return
    line = read_document(file.after, file.path).line(("target",))
    raise BadRequestError(
        "request.wrong_target",
        f"{file.path}:{line}: {request.target} is not the {spec.target_kind} of {environment}; "
        f"{file_of(environment, 'platform')} names {own} at the commit that judges this",
        f"write target: {own}, or ask in the folder of the environment that has {request.target}",
    )


def refuse_shared_places(change_set: ChangeSet, read: ReadBase) -> None:
    """Refuse platform files after which two environments would have one project or domain.

    Raises:
        BadRequestError: ``declared.invalid`` with file and line.
    """
    after = {file.path: file.after for file in change_set.files if file.path in _PLATFORM_FILES}
    if after:
        _platforms(lambda path: after[path] if path in after else read(path))


def _platforms(read: ReadBase) -> Mapping[str, PlatformFile]:
    try:
        return load_platforms(read)
    except SettingsError as error:
        raise declared_error(error) from error
