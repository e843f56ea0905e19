"""`coh doctor` tells what is well, what is not, and what was not looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.support.hub import Hub

SERVICES = ["github", "postgres", "flagsmith", "vercel", "slack"]
EVERYTHING = ["platforms", "git", "opa", "pulumi", *SERVICES]


def test_all_is_well_then_one_service_fails(shared_hub: Hub) -> None:
    well = shared_hub.quietly("doctor", "--json")
    assert well.code == 0, well.out + well.err
    assert [one["name"] for one in well.items("findings")] == EVERYTHING
    assert {one["state"] for one in well.items("findings")} == {"ok"}

    shared_hub.fault("flagsmith", kind="status", status=401, times=10)
    ill = shared_hub.quietly("doctor", "--json")
    shared_hub.clear_faults("flagsmith")
    states = {one["name"]: one["state"] for one in ill.items("findings")}
    assert ill.code == 3
    assert states.pop("flagsmith") == "failed"
    assert set(states.values()) == {"ok"}
