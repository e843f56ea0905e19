"""Flagsmith: feature flags of one environment, by the admin API and by the SDK API.

How the service behaves where its description is silent, seen on a running 2.265: an unknown
environment answers 403 and not 404; a second feature of the same name answers 400; an environment
with versioning answers 400 to the plain way of changing a state.
"""

from __future__ import annotations

import time
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from infra.clients.errors import (
    BadRequestError,
    InvalidAnswerError,
    NotFoundError,
    UnauthorisedError,
    UnknownOutcomeError,
)
from infra.clients.flagsmith_models import (
    ENVIRONMENT,
    FEATURE,
    FEATURE_STATES,
    FEATURES,
    PROJECT,
    SDK_FLAGS,
    Environment,
    Feature,
    FeatureState,
    FlagState,
    Page,
    Project,
)
from infra.clients.transport import Call, Json, Sleep, Transport

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic import TypeAdapter

SERVICE = "flagsmith"
PAGE_SIZE = 100
MAX_PAGES = 1000

T = TypeVar("T")


def flagsmith_client(  # noqa: PLR0913 - an address, two keys and three limits
    url: str,
    token: str,
    environment_key: str,
    *,
    timeout: float = 10.0,
    read_only: bool = False,
    sleep: Sleep = time.sleep,
) -> FlagsmithClient:
    """Return a client of the admin API.

    Args:
        url: address of the service, without ``/api/v1``.
        token: organisation API key.
        environment_key: client-side key of the environment it works on.
        timeout: seconds; a key check alone takes the service a quarter of one.
        read_only: refuse writes before they are sent.
        sleep: waits between two attempts, in seconds.
    """
    headers = {"Authorization": f"Api-Key {token}"}
    transport = Transport(SERVICE, url, headers, timeout=timeout, read_only=read_only, sleep=sleep)
    return FlagsmithClient(transport, environment_key)


def sdk_flags(
    url: str, environment_key: str, *, timeout: float = 10.0, sleep: Sleep = time.sleep
) -> Mapping[str, FlagState]:
    """Return what applications get: every flag of the environment by name.

    Raises:
        UnauthorisedError: the environment key is unknown.
        ClientError: any other failure.
    """
    headers = {"X-Environment-Key": environment_key}
    transport = Transport(SERVICE, url, headers, timeout=timeout, read_only=True, sleep=sleep)
    try:
        flags = transport.fetch(Call("sdkFlags", "GET", "/api/v1/flags/"), SDK_FLAGS)
    finally:
        transport.close()
    return {one.feature.name: FlagState(one.enabled, one.feature_state_value) for one in flags}


class FlagsmithClient:
    """The flags of one environment. Safe to share between threads.

    Args:
        transport: carries the organisation's key.
        environment_key: client-side key of the environment.
    """

    def __init__(self, transport: Transport, environment_key: str) -> None:
        self._transport = transport
        self._key = environment_key

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    @cached_property
    def environment(self) -> Environment:
        """The environment, read once.

        Raises:
            UnauthorisedError: the service answers the same for an unknown and a foreign one.
        """
        return self._read_environment()

    @cached_property
    def project(self) -> Project:
        """The project of the environment, read once."""
        path = f"/api/v1/projects/{self.environment.project}/"
        return self._transport.fetch(Call("getProject", "GET", path), PROJECT)

    def features(self) -> tuple[Feature, ...]:
        """Return all features of the environment's project."""
        return tuple(self._list_features({}))

    def find_feature(self, name: str) -> Feature | None:
        """Return the feature of a name, without regard to case as the service does it."""
        wanted = name.casefold()
        found = (one for one in self._list_features({"search": name}))
        return next((one for one in found if one.name.casefold() == wanted), None)

    def find_or_create_feature(self, name: str, description: str | None = None) -> Feature:
        """Return the feature of a name; make it, switched off everywhere, when there is none.

        Raises:
            BadRequestError: the service refuses the name.
            UnknownOutcomeError: it was asked for and is not there to be seen.
        """
        if (feature := self.find_feature(name)) is not None:
            return feature
        body: dict[str, Json] = {"name": name, "type": "STANDARD", "default_enabled": False}
        if description is not None:
            body["description"] = description
        path = f"/api/v1/projects/{self.environment.project}/features/"
        try:
            return self._transport.fetch(Call("createFeature", "POST", path, body=body), FEATURE)
        except (BadRequestError, UnknownOutcomeError):
            # Somebody else was faster, or our own request came through after all.
            feature = self.find_feature(name)
            if feature is None:
                raise
            return feature

    def update_feature(
        self, feature: Feature, *, description: str | None = None, archived: bool | None = None
    ) -> Feature:
        """Change what a feature is in all environments; None leaves a part as it is."""
        body: dict[str, Json] = {}
        if description is not None:
            body["description"] = description
        if archived is not None:
            body["is_archived"] = archived
        path = f"/api/v1/projects/{self.environment.project}/features/{feature.id}/"
        call = Call("updateFeature", "PATCH", path, body=body, repeat_safe=True)
        return self._transport.fetch(call, FEATURE)

    def archive(self, name: str) -> None:
        """Archive a feature in all environments; it keeps its states and can be brought back.

        Raises:
            NotFoundError: there is no such feature.
        """
        self.update_feature(self._known(name), archived=True)

    def state(self, feature: Feature) -> FlagState:
        """Return the environment's own state of a feature; overrides don't count."""
        return self._state(feature).state

    def flag(self, name: str) -> FlagState | None:
        """Return the state of a flag by name, None when there is no such feature."""
        feature = self.find_feature(name)
        return None if feature is None else self.state(feature)

    def set_state(self, feature: Feature, desired: FlagState) -> None:
        """Make the environment's own state of a feature what is desired.

        Raises:
            UnknownOutcomeError: the write was sent, and reading back does not show its effect.
            ClientError: any other failure.
        """
        try:
            self._write_state(feature, desired)
        except UnknownOutcomeError:
            if self.state(feature) != desired:
                raise

    def _write_state(self, feature: Feature, desired: FlagState) -> None:
        if self.environment.use_v2_feature_versioning:
            self._publish(feature, desired)
            return
        try:
            self._replace_state(feature, desired)
        except BadRequestError:
            # Versioning can be switched on, once and for good, while we run.
            if not self._read_environment().use_v2_feature_versioning:
                raise
            self._publish(feature, desired)

    def _replace_state(self, feature: Feature, desired: FlagState) -> None:
        state = self._state(feature)
        body: Json = {
            "feature": feature.id,
            "environment": state.environment,
            "enabled": desired.enabled,
            "feature_state_value": desired.value,
        }
        path = f"/api/v1/environments/{self._key}/featurestates/{state.id}/"
        self._transport.send(Call("replaceFeatureState", "PUT", path, body=body, repeat_safe=True))

    def _publish(self, feature: Feature, desired: FlagState) -> None:
        body: Json = {
            "publish_immediately": True,
            "feature_states_to_create": [],
            "feature_states_to_update": [
                {
                    "feature_segment": None,
                    "enabled": desired.enabled,
                    "feature_state_value": _typed(desired.value),
                }
            ],
            "segment_ids_to_delete_overrides": [],
        }
        path = f"/api/v1/environments/{self.environment.id}/features/{feature.id}/versions/"
        self._transport.send(Call("createFeatureVersion", "POST", path, body=body))

    def _read_environment(self) -> Environment:
        call = Call("getEnvironment", "GET", f"/api/v1/environments/{self._key}/")
        try:
            return self._transport.fetch(call, ENVIRONMENT)
        except UnauthorisedError as error:
            raise UnauthorisedError(
                SERVICE,
                call.operation,
                f"the environment key is unknown or not allowed for this API key: {error.message}",
                status=error.status,
            ) from None

    def _state(self, feature: Feature) -> FeatureState:
        path = f"/api/v1/environments/{self._key}/featurestates/"
        call = Call("listFeatureStates", "GET", path, {"feature": str(feature.id)})
        own = [one for one in self._pages(call, FEATURE_STATES) if one.of_environment]
        if len(own) != 1:
            raise InvalidAnswerError(
                SERVICE, call.operation, f"{len(own)} states of the environment, expected one"
            )
        return own[0]

    def _known(self, name: str) -> Feature:
        feature = self.find_feature(name)
        if feature is None:
            raise NotFoundError(SERVICE, "listFeatures", f"there is no feature {name}")
        return feature

    def _list_features(self, params: Mapping[str, str]) -> Iterator[Feature]:
        path = f"/api/v1/projects/{self.environment.project}/features/"
        query = {"page_size": str(PAGE_SIZE), **params}
        return self._pages(Call("listFeatures", "GET", path, query), FEATURES)

    def _pages(self, call: Call, adapter: TypeAdapter[Page[T]]) -> Iterator[T]:
        """Give the entries of all pages; by number, since `next` may name another host."""
        for number in range(1, MAX_PAGES + 1):
            params = {**call.params, "page": str(number)}
            page = self._transport.fetch(
                Call(call.operation, call.method, call.path, params), adapter
            )
            yield from page.results
            if page.next is None:
                return
        raise InvalidAnswerError(SERVICE, call.operation, f"more than {MAX_PAGES} pages")


def _typed(value: str | int | bool | None) -> Json:  # noqa: FBT001 - a flag's value may be a truth value
    """Return the form in which versions carry a value."""
    if isinstance(value, bool):
        return {"type": "bool", "boolean_value": value}
    if isinstance(value, int):
        return {"type": "int", "integer_value": value}
    return {"type": "unicode", "string_value": value}
