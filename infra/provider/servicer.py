"""The provider's RPCs (pulumirpc.ResourceProvider): unpack, ask the resource's lifecycle, pack.

Rules that were learned from the engine: `Read` gives the inputs as well as the properties, else
drift is missed without a word; `Create` may be repeated after a crash, so it takes over what it
finds; a value that came in a secret envelope goes back in one.
"""
# ruff: noqa: N802, ARG002 - the RPCs' own names and arguments

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import grpc
import psycopg
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.proto import (
    engine_pb2,
    engine_pb2_grpc,
    plugin_pb2,
    provider_pb2,
    provider_pb2_grpc,
)

from infra.clients.errors import ClientError
from infra.provider.handler import HandlerError
from infra.provider.wire import bag, plain, secret_names

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from infra.provider.lifecycle import Difference, Lifecycle

T = TypeVar("T")

VERSION = "1.0.0"
"""Version of the provider's types; goes up when inputs change their meaning."""

_KINDS = {
    ("add", False): provider_pb2.PropertyDiff.ADD,
    ("add", True): provider_pb2.PropertyDiff.ADD_REPLACE,
    ("delete", False): provider_pb2.PropertyDiff.DELETE,
    ("delete", True): provider_pb2.PropertyDiff.DELETE_REPLACE,
    ("update", False): provider_pb2.PropertyDiff.UPDATE,
    ("update", True): provider_pb2.PropertyDiff.UPDATE_REPLACE,
}


class OpshubServicer(provider_pb2_grpc.ResourceProviderServicer):
    """Serves the resource types it is given.

    Args:
        lifecycles: by type token.
        engine_address: where notes to the person at the update go; None until the engine attaches.
    """

    def __init__(
        self, lifecycles: Mapping[str, Lifecycle[Any]], engine_address: str | None = None
    ) -> None:
        self._lifecycles = lifecycles
        self._engine_address = engine_address

    def Handshake(
        self, request: provider_pb2.ProviderHandshakeRequest, context: grpc.ServicerContext
    ) -> provider_pb2.ProviderHandshakeResponse:
        """Agree on what both sides understand."""
        self._engine_address = request.engine_address
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True, accept_resources=True)

    def Attach(self, request: plugin_pb2.PluginAttach, context: grpc.ServicerContext) -> Empty:
        """Serve an engine that did not start this process."""
        self._engine_address = request.address
        return Empty()

    def GetPluginInfo(self, request: Empty, context: grpc.ServicerContext) -> plugin_pb2.PluginInfo:
        """Tell the version."""
        return plugin_pb2.PluginInfo(version=VERSION)

    def CheckConfig(
        self, request: provider_pb2.CheckRequest, context: grpc.ServicerContext
    ) -> provider_pb2.CheckResponse:
        """Refuse configuration: credentials come by the process' environment only."""
        failures = [
            provider_pb2.CheckFailure(
                property=name, reason="this provider takes no configuration; use COH_* variables"
            )
            for name in request.news.fields
            if name not in {"version", "pluginDownloadURL", "__internal"}
        ]
        return provider_pb2.CheckResponse(inputs=request.news, failures=failures)

    def DiffConfig(
        self, request: provider_pb2.DiffRequest, context: grpc.ServicerContext
    ) -> provider_pb2.DiffResponse:
        """Find no difference in a configuration that is always empty."""
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)

    def Configure(
        self, request: provider_pb2.ConfigureRequest, context: grpc.ServicerContext
    ) -> provider_pb2.ConfigureResponse:
        """Accept; nothing is connected before the first resource needs it."""
        return provider_pb2.ConfigureResponse(
            acceptSecrets=True, supportsPreview=True, acceptResources=True
        )

    def Check(
        self, request: provider_pb2.CheckRequest, context: grpc.ServicerContext
    ) -> provider_pb2.CheckResponse:
        """Say why inputs can't be accepted."""
        life = self._life(request.urn, context)
        found = _guarded(context, lambda: life.check(plain(request.olds), plain(request.news)))
        failures = [provider_pb2.CheckFailure(property=f.name, reason=f.reason) for f in found]
        return provider_pb2.CheckResponse(inputs=request.news, failures=failures)

    def Diff(
        self, request: provider_pb2.DiffRequest, context: grpc.ServicerContext
    ) -> provider_pb2.DiffResponse:
        """Compare the inputs, property by property."""
        life = self._life(request.urn, context)
        ignored = frozenset(request.ignoreChanges)
        found = life.differ(plain(request.old_inputs), plain(request.news), ignored)
        response = provider_pb2.DiffResponse
        return response(
            changes=response.DIFF_SOME if found else response.DIFF_NONE,
            diffs=[one.name for one in found],
            replaces=[one.name for one in found if one.replaces],
            hasDetailedDiff=True,
            detailedDiff={one.name: _detail(one) for one in found},
        )

    def Create(
        self, request: provider_pb2.CreateRequest, context: grpc.ServicerContext
    ) -> provider_pb2.CreateResponse:
        """Make the object or take it over; in a preview, tell what it will be."""
        life, new = self._life(request.urn, context), plain(request.properties)
        secrets = secret_names(request.properties)
        if request.preview:
            return provider_pb2.CreateResponse(properties=bag(new, secrets))
        outputs = _guarded(context, lambda: life.create(new))
        identity = _guarded(context, lambda: life.identify(new))
        return provider_pb2.CreateResponse(id=identity, properties=bag(outputs, secrets))

    def Read(
        self, request: provider_pb2.ReadRequest, context: grpc.ServicerContext
    ) -> provider_pb2.ReadResponse:
        """Tell what the object is, as inputs and as properties; no id when it is not there."""
        life = self._life(request.urn, context)
        secrets = secret_names(request.inputs, request.properties)
        managed = plain(request.inputs) or plain(request.properties)
        found = _guarded(context, lambda: life.read(request.id, managed))
        if found is None:
            return provider_pb2.ReadResponse(id="")
        live = bag(found, secrets)
        return provider_pb2.ReadResponse(id=request.id, properties=live, inputs=live)

    def Update(
        self, request: provider_pb2.UpdateRequest, context: grpc.ServicerContext
    ) -> provider_pb2.UpdateResponse:
        """Make the object what the new inputs say; in a preview, tell what it will be."""
        life, new = self._life(request.urn, context), plain(request.news)
        secrets = secret_names(request.news)
        if request.preview:
            return provider_pb2.UpdateResponse(properties=bag(new, secrets))
        outputs = _guarded(context, lambda: life.update(plain(request.old_inputs), new))
        return provider_pb2.UpdateResponse(properties=bag(outputs, secrets))

    def Delete(self, request: provider_pb2.DeleteRequest, context: grpc.ServicerContext) -> Empty:
        """Take the object away, or refuse."""
        life = self._life(request.urn, context)

        def note(message: str) -> None:
            self._tell(request.urn, message)

        _guarded(context, lambda: life.delete(plain(request.old_inputs), note))
        return Empty()

    def Cancel(self, request: Empty, context: grpc.ServicerContext) -> Empty:
        """Let the calls in hand end by themselves; each has its own time limit."""
        return Empty()

    def _life(self, urn: str, context: grpc.ServicerContext) -> Lifecycle[Any]:
        """Return the lifecycle of the type that a URN names."""
        token = urn.split("::")[2].rpartition("$")[2]
        if token not in self._lifecycles:
            _abort(context, grpc.StatusCode.UNIMPLEMENTED, f"opshub has no resource type {token}")
        return self._lifecycles[token]

    def _tell(self, urn: str, message: str) -> None:
        """Show a sentence to the person who watches the update."""
        if not self._engine_address:
            return
        with grpc.insecure_channel(self._engine_address) as channel:
            engine_pb2_grpc.EngineStub(channel).Log(
                engine_pb2.LogRequest(severity=engine_pb2.WARNING, message=message, urn=urn),
                timeout=5,
            )


def _detail(difference: Difference) -> provider_pb2.PropertyDiff:
    kind = _KINDS[difference.verb, difference.replaces]
    return provider_pb2.PropertyDiff(kind=kind, inputDiff=True)


def _guarded(context: grpc.ServicerContext, work: Callable[[], T]) -> T:
    """Do some work and turn its known failures into RPC errors that hold no secret."""
    try:
        return work()
    except HandlerError as error:
        _abort(context, grpc.StatusCode.FAILED_PRECONDITION, str(error))
    except ClientError as error:
        _abort(context, grpc.StatusCode.UNAVAILABLE, str(error))
    except psycopg.Error as error:
        # The driver's own text may quote the address or a row; the server's first line is enough.
        reason = error.diag.message_primary or type(error).__name__
        message = f"database: {error.sqlstate or 'no connection'}: {reason}"
        _abort(context, grpc.StatusCode.UNAVAILABLE, message)


def _abort(context: grpc.ServicerContext, code: grpc.StatusCode, message: str) -> NoReturn:
    context.abort(code, message)
    raise AssertionError("abort raises")
