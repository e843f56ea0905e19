"""Finds the actions: each module of this package that is not part of the frame is one."""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ops_actions import catalogue
from ops_actions.catalogue.model import ActionSpec
from ops_actions.errors import BadRequestError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_FRAME = frozenset({"model", "registry", "services"})


def discover(package_path: Iterable[str], package: str) -> Mapping[str, ActionSpec[Any]]:
    """Load all actions of a package.

    Args:
        package_path: folders of the package.
        package: its dotted name.

    Raises:
        TypeError: a module holds no `ACTION`, or two have the same name: a bug of ours.
    """
    actions: dict[str, ActionSpec[Any]] = {}
    for module in pkgutil.iter_modules(package_path):
        if module.name in _FRAME:
            continue
        action = getattr(importlib.import_module(f"{package}.{module.name}"), "ACTION", None)
        if not isinstance(action, ActionSpec):
            raise TypeError(f"{package}.{module.name} holds no ACTION")
        if action.name in actions:
            raise TypeError(f"{package}.{module.name} repeats the action {action.name}")
        actions[action.name] = action
    return MappingProxyType(dict(sorted(actions.items())))


CATALOGUE = discover(catalogue.__path__, catalogue.__name__)
"""Every action by name. Adding one is adding its file."""


def find(name: str) -> ActionSpec[Any]:
    """Return an action.

    Args:
        name: its dotted name.

    Raises:
        BadRequestError: there is no such action; names the nearest ones.
    """
    if name in CATALOGUE:
        return CATALOGUE[name]
    near = difflib.get_close_matches(name[:100], CATALOGUE, n=3) or list(CATALOGUE)
    raise BadRequestError(
        "request.unknown_action",
        f"there is no action `{name[:100]}`",
        f"write {' or '.join(near)}; `coh action list` lists all",
    )
