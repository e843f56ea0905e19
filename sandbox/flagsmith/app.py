"""Flagsmith's routes, behind its contract."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response

from sandbox.emulator import Contract, Dialect, Problem, Store, emulator
from sandbox.flagsmith.call import Router, require_caller
from sandbox.flagsmith.errors import (
    FlagsmithError,
    html_failure,
    html_not_found,
    missing,
    validation_body,
)
from sandbox.flagsmith.views import (
    experiments,
    features,
    organisations,
    projects,
    sdk,
    segments,
    states,
    versions,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.routing import Route

CONTRACT = Path(__file__).parent.parent / "contracts" / "flagsmith.yaml"

API = "/api/v1"
ENVIRONMENT = f"{API}/environments/{{api_key:str}}"
PROJECT = f"{API}/projects/{{project_pk:int}}"
FEATURE = f"{PROJECT}/features/{{id:int}}"
VERSIONS = f"{API}/environments/{{environment_pk:int}}/features/{{feature_pk:int}}/versions"
EXPERIMENTS = "/api/experiments/environments/{api_key:str}"
UNGUARDED = ("/api/v1/auth/", "/api/v1/flags/", "/api/v1/identities/", "/api/v1/environment-doc")


def create_app(store: Store, *, clock: Callable[[], datetime], sandbox_key: str) -> Starlette:
    """Build the emulator of Flagsmith's admin and SDK API.

    Args:
        store: keeps everything; give each emulator its own.
        clock: gives the time, aware.
        sandbox_key: opens `/_sandbox/*`.
    """
    router = Router(store, clock)
    routes = [
        *_organisation_routes(router),
        *_project_routes(router),
        *_state_routes(router),
        *_version_routes(router),
        router.open(f"{API}/flags/", get=sdk.flags),
        router.open(f"{API}/identities/", post=sdk.identities),
        router.open(f"{API}/environment-document/", get=sdk.environment_document),
    ]
    return emulator(
        routes, contract=Contract.load(CONTRACT), dialect=_dialect(store), sandbox_key=sandbox_key
    )


def _organisation_routes(router: Router) -> list[Route]:
    base = f"{API}/organisations"
    one = f"{base}/{{organisation_pk:int}}"
    return [
        router.open(f"{API}/auth/users/", post=organisations.register),
        router.open(f"{API}/auth/login/", post=organisations.login),
        router.admin(
            f"{base}/",
            get=organisations.list_organisations,
            post=organisations.create_organisation,
        ),
        router.admin(f"{one}/master-api-keys/", post=organisations.create_api_key),
        router.admin(f"{one}/webhooks/", post=organisations.create_organisation_webhook),
        router.admin(f"{one}/trust-relationships/", post=organisations.create_trust_relationship),
        router.admin(f"{one}/audit/", get=organisations.list_nested_audit),
        router.admin(f"{PROJECT}/audit/", get=organisations.list_nested_audit),
        router.admin(f"{API}/audit/", get=organisations.list_audit),
        router.admin(f"{ENVIRONMENT}/webhooks/", post=organisations.create_environment_webhook),
    ]


def _project_routes(router: Router) -> list[Route]:
    return [
        router.admin(f"{API}/projects/", get=projects.list_projects, post=projects.create_project),
        router.admin(f"{API}/projects/{{id:int}}/", get=projects.get_project),
        router.admin(f"{PROJECT}/tags/", get=projects.list_tags, post=projects.create_tag),
        router.admin(f"{PROJECT}/tags/{{id:int}}/", delete=projects.delete_tag),
        router.admin(f"{PROJECT}/features/", get=features.find, post=features.create),
        router.admin(
            f"{FEATURE}/",
            get=features.get,
            put=features.update,
            patch=features.update,
            delete=features.delete,
        ),
        router.admin(
            f"{PROJECT}/features/{{feature_pk:int}}/mv-options/", post=features.create_variant
        ),
        router.admin(
            f"{PROJECT}/segments/", get=segments.list_segments, post=segments.create_segment
        ),
        router.admin(
            f"{PROJECT}/segments/{{id:int}}/",
            get=segments.get_segment,
            delete=segments.delete_segment,
        ),
        router.admin(
            f"{API}/environments/",
            get=projects.list_environments,
            post=projects.create_environment,
        ),
        router.admin(
            f"{ENVIRONMENT}/", get=projects.get_environment, patch=projects.update_environment
        ),
        router.admin(f"{ENVIRONMENT}/enable-v2-versioning/", post=projects.enable_versioning),
        router.admin(f"{ENVIRONMENT}/api-keys/", post=projects.create_server_key),
    ]


def _state_routes(router: Router) -> list[Route]:
    segment_list = f"{API}/features/feature-segments/"
    override = f"{ENVIRONMENT}/features/{{feature_pk:int}}/create-segment-override/"
    return [
        router.admin(f"{ENVIRONMENT}/featurestates/", get=states.list_states),
        router.admin(
            f"{ENVIRONMENT}/featurestates/{{id:int}}/",
            get=states.get_state,
            put=states.put_whole_state,
            patch=states.patch_state,
        ),
        router.admin(f"{API}/features/featurestates/", get=states.list_typed_states),
        router.admin(f"{API}/features/featurestates/{{id:int}}/", put=states.put_typed_state),
        router.admin(segment_list, get=segments.list_overrides, post=segments.create_override),
        router.admin(f"{segment_list}{{id:int}}/", delete=segments.delete_override),
        router.admin(override, post=segments.create_segment_override),
        router.admin(f"{EXPERIMENTS}/update-flag-v1/", post=experiments.update_flag_v1),
        router.admin(f"{EXPERIMENTS}/update-flag-v2/", post=experiments.update_flag_v2),
        router.admin(
            f"{EXPERIMENTS}/delete-segment-override/", post=experiments.delete_segment_override
        ),
    ]


def _version_routes(router: Router) -> list[Route]:
    inside = f"{VERSIONS}/{{version:str}}/featurestates"
    return [
        router.admin(f"{VERSIONS}/", get=versions.list_versions, post=versions.create_version),
        router.admin(f"{VERSIONS}/{{id:str}}/", delete=versions.delete_version),
        router.admin(f"{VERSIONS}/{{id:str}}/publish/", post=versions.publish_version),
        router.admin(f"{inside}/", get=versions.list_states, post=versions.create_state),
        router.admin(
            f"{inside}/{{id:int}}/",
            put=versions.update_state,
            patch=versions.update_state,
            delete=versions.remove_state,
        ),
    ]


def _dialect(store: Store) -> Dialect:
    def refuse(request: Request, problems: tuple[Problem, ...]) -> Response:
        path = request.url.path
        if not path.startswith(UNGUARDED):
            try:
                require_caller(store, request)
            except FlagsmithError as refusal:
                return refusal.response()
        if any(one.place == "path" for one in problems):
            return missing("object").response()
        # The service looks the organisation up before it checks the body, and falls over.
        no_organisation = any(
            (one.field, one.rule) == ("organisation", "required") for one in problems
        )
        if no_organisation and path == f"{API}/projects/":
            return html_failure(500)
        return JSONResponse(validation_body(problems), 400)

    def failure(status: int) -> Response:
        if status == 429:  # noqa: PLR2004 - Too Many Requests
            return JSONResponse({"detail": "Request was throttled."}, 429)
        if status >= 500:  # noqa: PLR2004 - the server's own failures
            return html_failure(status)
        return JSONResponse({"detail": "As asked by a fault."}, status)

    return Dialect(not_found=lambda _request: html_not_found(), refuse=refuse, failure=failure)
