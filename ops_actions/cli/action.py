"""``coh action``: list ops actions, or raise a pull request that asks for one."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from infra.settings.characters import shown_key
from infra.settings.environment import file_of
from ops_actions.canonical import Json
from ops_actions.catalogue.model import ActionRisk, ActionSpec
from ops_actions.catalogue.registry import CATALOGUE, find
from ops_actions.change.model import FileChange, FileStatus
from ops_actions.change.request import (
    ActionRequest,
    parse_request,
    render_request,
    request_path,
)
from ops_actions.cli.options import AsJson, DryRun, Env, InSandbox, Reason
from ops_actions.cli.output import emit_json, emit_table
from ops_actions.cli.raising import raise_edit, source_of
from ops_actions.errors import BadRequestError
from ops_actions.plan.place import refuse_foreign_target
from ops_actions.pull_request.raise_request import Edit
from ops_actions.wiring import place

app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False)

VALID_FOR = timedelta(hours=4)
"""How long a request may wait for approval and apply when nothing else is said."""


@app.command("list")
def list_actions(as_json: AsJson = False) -> None:
    """List the actions of the catalogue.

    Example: coh action list
    """
    if as_json:
        emit_json("coh.actions/1", "actions", [_document(spec) for spec in CATALOGUE.values()])
        return
    rows = [(s.name, s.risk.value, s.gate or "none", s.summary) for s in CATALOGUE.values()]
    emit_table("Ops actions", ("action", "risk", "gate", "what it does"), rows)


@app.command()
def show(name: Annotated[str, typer.Argument(help="Action.")], as_json: AsJson = False) -> None:
    """Show one action with its parameters and an example.

    Example: coh action show deployment.rollback
    """
    document = _document(find(name))
    if as_json:
        emit_json("coh.actions/1", "actions", [document])
        return
    emit_table(name, ("field", "value"), [(key, str(value)) for key, value in document.items()])


@app.command()
def run(
    name: Annotated[str, typer.Argument(help="Action, such as deployment.rollback.")],
    env: Env,
    reason: Reason,
    target: Annotated[str, typer.Option("--target", help="What it acts on.", show_default=False)],
    param: Annotated[
        list[str] | None, typer.Option("--param", "-p", help="Parameter as name=value; repeatable.")
    ] = None,
    confirm: Annotated[
        str | None, typer.Option("--confirm", help="The target typed again, for destructive ones.")
    ] = None,
    incident: Annotated[str | None, typer.Option("--incident", help="Such as INC-88.")] = None,
    ticket: Annotated[str | None, typer.Option("--ticket", help="Such as KAIZEN-412.")] = None,
    not_after: Annotated[
        datetime | None,
        typer.Option(
            "--not-after",
            formats=["%Y-%m-%dT%H:%M:%S%z"],
            help="Last moment it may run, with offset; default: four hours from now.",
        ),
    ] = None,
    dry_run: DryRun = False,
    sandbox: InSandbox = False,
    as_json: AsJson = False,
) -> None:
    """Raise a pull request with one new action request.

    Example: coh action run deployment.rollback --env production --target clarivum-web
    -p to=dpl_9f2 -p expect_current=dpl_a17 --confirm clarivum-web --reason "Error rate 7 %"
    """
    file_of(env, "flags")  # refuses an unknown environment with the known ones
    spec = find(name)
    now = place.now()
    moment = not_after or (now + VALID_FOR).replace(microsecond=0)
    request = _request(
        {
            "action": name,
            "target": target,
            "params": _params(param or []),
            "reason": reason,
            "incident": incident,
            "ticket": ticket,
            "not_after": moment,
            "confirm": confirm,
        }
    )
    params = spec.parse(request.params)
    _typed_again(spec, target, confirm)
    content = render_request(request)
    slug = f"{name.replace('.', '-').replace('_', '-')}-{hashlib.sha256(content).hexdigest()[:8]}"
    path = request_path(env, now.date(), slug)
    parse_request(content, path)  # the same checks that the file meets in its pull request
    source = source_of(sandbox=sandbox, dry_run=dry_run)
    asked = FileChange(path, FileStatus.ADDED, None, content)
    refuse_foreign_target(asked, env, source.read)
    edit = Edit(
        environment=env,
        summary=spec.describe(target, params),
        reason=reason,
        ticket=incident or ticket,
        files={path: content},
        check="coh audit tail",
    )
    raise_edit(source, edit, dry_run=dry_run, as_json=as_json)


def _typed_again(spec: ActionSpec[Any], target: str, confirm: str | None) -> None:
    """Say at once what the policies would say on the pull request."""
    if spec.risk is ActionRisk.DESTRUCTIVE and confirm != target:
        said = "nothing" if confirm is None else repr(confirm)
        raise BadRequestError(
            "request.confirm",
            f"{spec.name} is destructive and acts on {target!r}; --confirm says {said}",
            f"type the target again: --confirm {target}",
        )


def _request(fields: dict[str, object]) -> ActionRequest:
    try:
        return ActionRequest.model_validate(fields)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = ".".join(map(str, first["loc"]))
        raise BadRequestError(
            "request.invalid", f"{name}: {first['msg']}", "coh action run --help"
        ) from None


def _params(pairs: list[str]) -> dict[str, str]:
    params: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name or name in params:
            raise BadRequestError(
                "request.params",
                f"'{shown_key(pair)}' is not a new name=value",
                "write -p name=value once each",
            )
        params[name] = value
    return params


def _document(spec: ActionSpec[Any]) -> dict[str, Json]:
    return {
        "name": spec.name,
        "summary": spec.summary,
        "risk": spec.risk.value,
        "gate": spec.gate,
        "target": spec.target_kind,
        "example": f"target: {spec.example_target}, {spec.example_text()}",
    }
