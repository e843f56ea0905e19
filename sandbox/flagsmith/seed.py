"""Fill a Flagsmith emulator with one organisation, one project and its environments."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ops_actions.clock import rfc3339
from sandbox.flagsmith.call import secret_key
from sandbox.flagsmith.features import create_feature
from sandbox.flagsmith.model import put_state
from sandbox.flagsmith.versioning import live_states
from sandbox.flagsmith.views.organisations import new_organisation
from sandbox.flagsmith.views.projects import new_environment, new_project

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.emulator import Store

SEEDED_AT = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class EnvironmentSeed:
    """One environment.

    Attributes:
        api_key: its client-side key.
        flags: on or off by flag name; a flag another environment has and this one leaves out
            is off.
        v2: whether it uses v2 feature versioning.
    """

    api_key: str
    flags: Mapping[str, bool] = field(default_factory=dict)
    v2: bool = False


@dataclass(frozen=True)
class Seeded:
    """The numbers that came of it.

    Attributes:
        organisation: of the organisation.
        project: of the project.
        environments: of each environment, by name.
        features: of each flag, by name.
    """

    organisation: int
    project: int
    environments: Mapping[str, int]
    features: Mapping[str, int]


def seed(  # noqa: PLR0913 - what a project consists of
    store: Store,
    *,
    organisation: str,
    project: str,
    environments: Mapping[str, EnvironmentSeed],
    token: str,
    at: datetime = SEEDED_AT,
) -> Seeded:
    """Make an organisation with one project, in one transaction.

    Args:
        store: the emulator's state, empty.
        organisation: its name.
        project: its name.
        environments: by name.
        token: the organisation's key, sent as `Authorization: Api-Key <token>`.
        at: when everything was made, aware.
    """
    time = rfc3339(at)
    with store.transaction():
        owner = new_organisation(store, organisation, time)
        store.put("api_keys", secret_key(token), {"organisation": owner["id"]})
        made = new_project(store, owner["id"], {"name": project})
        places = {
            name: new_environment(store, made["id"], name, wanted.api_key)
            for name, wanted in environments.items()
        }
        for name, wanted in environments.items():
            places[name]["use_v2_feature_versioning"] = wanted.v2
            store.put("environments", places[name]["id"], places[name])
        names = list(dict.fromkeys(flag for one in environments.values() for flag in one.flags))
        features = {name: create_feature(store, made, time, {"name": name})["id"] for name in names}
        for name, wanted in environments.items():
            for flag, enabled in wanted.flags.items():
                for state in live_states(store, places[name]["id"], features[flag], time):
                    put_state(store, {**state, "enabled": enabled})
    numbers = {name: int(place["id"]) for name, place in places.items()}
    return Seeded(int(owner["id"]), int(made["id"]), numbers, features)
