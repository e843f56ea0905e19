"""The provider over its real RPCs."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import grpc
import pytest
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from infra.provider.server import OpshubBackends, backends_from, serving
from infra.provider.wire import bag, plain, secret_names
from tests.support.pulumi_shim.world import ROOT, World, flagsmith_world

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from infra.clients.transport import Json

URN = "urn:pulumi:production::clarivum-ops::opshub:components:Any$"
SQL = "create table one (id int);"
FLAG: dict[str, Json] = {
    "project": "Clarivum Operations Hub",
    "environment": "Production",
    "feature": "ops_module_one",
    "enabled": True,
    "value": "hush",
}
MIGRATION: dict[str, Json] = {
    "version": 1,
    "name": "one",
    "sha256": hashlib.sha256(SQL.encode()).hexdigest(),
    "sql": SQL,
}
TYPES = {"opshub:flagsmith:Flag": FLAG, "opshub:supabase:Migration": MIGRATION}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with flagsmith_world(tmp_path) as made:
        yield made


@pytest.fixture
def provider(
    world: World, empty_database_url: str
) -> Iterator[provider_pb2_grpc.ResourceProviderStub]:
    with (
        serving(OpshubBackends(world.client, empty_database_url)) as port,
        grpc.insecure_channel(f"127.0.0.1:{port}") as channel,
    ):
        yield provider_pb2_grpc.ResourceProviderStub(channel)


@pytest.mark.parametrize("token", TYPES)
def test_read_gives_inputs_as_well_as_properties(
    provider: provider_pb2_grpc.ResourceProviderStub, token: str
) -> None:
    urn, inputs = f"{URN}{token}::one", bag(TYPES[token])
    made = provider.Create(provider_pb2.CreateRequest(urn=urn, properties=inputs))
    assert made.id
    found = provider.Read(
        provider_pb2.ReadRequest(id=made.id, urn=urn, properties=made.properties, inputs=inputs)
    )
    assert found.id == made.id
    assert plain(found.inputs) == TYPES[token]
    assert plain(found.properties) == TYPES[token]
    nothing = provider.Diff(provider_pb2.DiffRequest(urn=urn, old_inputs=found.inputs, news=inputs))
    assert nothing.changes == provider_pb2.DiffResponse.DIFF_NONE


def test_a_secret_comes_back_as_a_secret(
    provider: provider_pb2_grpc.ResourceProviderStub,
) -> None:
    urn = f"{URN}opshub:flagsmith:Flag::one"
    inputs = bag(FLAG, frozenset({"value"}))
    made = provider.Create(provider_pb2.CreateRequest(urn=urn, properties=inputs))
    assert secret_names(made.properties) == {"value"}
    found = provider.Read(
        provider_pb2.ReadRequest(id=made.id, urn=urn, properties=made.properties, inputs=inputs)
    )
    assert secret_names(found.properties, found.inputs) == {"value"}
    assert plain(found.inputs)["value"] == "hush"


def test_a_preview_of_a_creation_creates_nothing(
    provider: provider_pb2_grpc.ResourceProviderStub, world: World
) -> None:
    urn = f"{URN}opshub:flagsmith:Flag::one"
    made = provider.Create(provider_pb2.CreateRequest(urn=urn, properties=bag(FLAG), preview=True))
    assert made.id == ""
    assert world.faults.recorded() == []


def test_differences_are_detailed(provider: provider_pb2_grpc.ResourceProviderStub) -> None:
    urn = f"{URN}opshub:flagsmith:Flag::one"
    news = bag({**FLAG, "enabled": False, "feature": "ops_module_two", "value": None})
    found = provider.Diff(provider_pb2.DiffRequest(urn=urn, old_inputs=bag(FLAG), news=news))
    kinds = provider_pb2.PropertyDiff
    assert {name: one.kind for name, one in found.detailedDiff.items()} == {
        "enabled": kinds.UPDATE,
        "feature": kinds.UPDATE_REPLACE,
        "value": kinds.DELETE,
    }
    assert list(found.replaces) == ["feature"]


def test_an_unknown_type_and_stack_configuration_are_refused(
    provider: provider_pb2_grpc.ResourceProviderStub,
) -> None:
    with pytest.raises(grpc.RpcError, match="no resource type opshub:other:Thing"):
        provider.Check(provider_pb2.CheckRequest(urn=f"{URN}opshub:other:Thing::one"))
    answer = provider.CheckConfig(provider_pb2.CheckRequest(news=bag({"token": "canary"})))
    assert [failure.property for failure in answer.failures] == ["token"]


def test_the_plugin_prints_its_port_serves_and_ends_by_a_signal() -> None:
    plugin = subprocess.Popen(
        [str(ROOT / "scripts" / "pulumi-resource-opshub"), "127.0.0.1:1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={"PATH": os.environ["PATH"], "COH_PYTHON": sys.executable},
    )
    assert plugin.stdout is not None
    port = int(plugin.stdout.readline())
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        info = provider_pb2_grpc.ResourceProviderStub(channel).GetPluginInfo(Empty())
    assert info.version == "1.0.0"
    plugin.send_signal(signal.SIGINT)
    _, errors = plugin.communicate(timeout=20)
    assert (plugin.returncode, errors) == (0, "")


def test_half_of_the_access_is_no_access() -> None:
    assert backends_from({}) == OpshubBackends(None, None)
    with pytest.raises(ValueError, match="COH_FLAGSMITH_TOKEN"):
        backends_from({"COH_FLAGSMITH_URL": "http://x", "COH_FLAGSMITH_ENVIRONMENT_KEY": "k"})
