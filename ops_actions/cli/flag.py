"""``coh flag``: list feature flags, or raise a pull request that moves one."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

import typer

from infra.settings.edit import add_flag, remove_flag, set_flag
from infra.settings.environment import file_of
from infra.settings.flags import Flag, FlagType, parse_flags
from ops_actions.canonical import Json
from ops_actions.cli.options import AsJson, DryRun, Env, InSandbox, Reason
from ops_actions.cli.output import emit_json, emit_table
from ops_actions.cli.raising import Source, raise_edit, source_of
from ops_actions.errors import BadRequestError
from ops_actions.pull_request.raise_request import Edit
from ops_actions.wiring import place

app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False)

Name = Annotated[str, typer.Argument(help="Name of the flag, such as ops_module_webhooks.")]
Ticket = Annotated[str | None, typer.Option("--ticket", help="Ticket, such as KAIZEN-412.")]


@app.command("list")
def list_flags(env: Env, as_json: AsJson = False) -> None:
    """List the flags that this checkout declares for an environment.

    Example: coh flag list --env production --json
    """
    flags = place.local_settings(env).flags.flags
    if as_json:
        emit_json(
            "coh.flags/1", "flags", [_document(env, name, flags[name]) for name in sorted(flags)]
        )
        return
    rows = [
        (
            name,
            "on" if flag.enabled else "off",
            flag.type.value,
            flag.owner or "",
            _day(flag.expires),
        )
        for name, flag in sorted(flags.items())
    ]
    emit_table(f"Flags of {env}", ("flag", "state", "type", "owner", "expires"), rows)


@app.command()
def show(name: Name, env: Env, as_json: AsJson = False) -> None:
    """Show one flag with its reason.

    Example: coh flag show ops_module_webhooks --env production
    """
    flag = _declared(place.local_settings(env).flags.flags, name, env)
    document = _document(env, name, flag)
    if as_json:
        emit_json("coh.flags/1", "flags", [document])
        return
    emit_table(name, ("field", "value"), [(key, str(value)) for key, value in document.items()])


@app.command()
def enable(
    name: Name,
    env: Env,
    reason: Reason,
    ticket: Ticket = None,
    dry_run: DryRun = False,
    sandbox: InSandbox = False,
    as_json: AsJson = False,
) -> None:
    """Raise a pull request that switches a flag on.

    Example: coh flag enable ops_module_webhooks --env staging --reason "Roll out retries"
    """
    _toggle(name, env, reason, ticket, (dry_run, sandbox, as_json), enabled=True)


@app.command()
def disable(
    name: Name,
    env: Env,
    reason: Reason,
    ticket: Ticket = None,
    dry_run: DryRun = False,
    sandbox: InSandbox = False,
    as_json: AsJson = False,
) -> None:
    """Raise a pull request that switches a flag off.

    Example: coh flag disable ops_module_webhooks --env staging --reason "Retries loop" --dry-run
    """
    _toggle(name, env, reason, ticket, (dry_run, sandbox, as_json), enabled=False)


@app.command("set")
def set_value(
    name: Name,
    env: Env,
    reason: Reason,
    value: Annotated[
        str | None, typer.Option("--value", help="Text that Flagsmith serves.")
    ] = None,
    expires: Annotated[
        datetime | None, typer.Option("--expires", formats=["%Y-%m-%d"], help="Last day.")
    ] = None,
    owner: Annotated[
        str | None, typer.Option("--owner", help="Team; needed for a new flag.")
    ] = None,
    kind: Annotated[
        FlagType | None, typer.Option("--type", help="Type; given for a new flag only.")
    ] = None,
    ticket: Ticket = None,
    dry_run: DryRun = False,
    sandbox: InSandbox = False,
    as_json: AsJson = False,
) -> None:
    """Raise a pull request that changes a flag's record, or adds a new flag, off, with --type.

    Example: coh flag set ops_module_reports --env staging --type release --owner platform
    --expires 2027-03-01 --reason "New reports module"
    """
    source = source_of(sandbox=sandbox, dry_run=dry_run)
    path = file_of(env, "flags")
    data = source.read(path)
    day = expires.date() if expires else None
    if kind is not None:
        flag = Flag(
            enabled=False,
            type=kind,
            owner=owner,
            expires=day,
            reason=reason,
            ticket=ticket,
            value=value,
        )
        edited, summary = add_flag(data, name, flag), f"Add flag {name}, off"
    else:
        _declared(parse_flags(data, path).flags, name, env)
        edited = set_flag(data, name, reason=reason, value=value, expires=day, ticket=ticket)
        summary = f"Change the record of {name}"
    _raise(source, env, summary, reason, ticket, {path: edited}, (dry_run, as_json))


@app.command()
def archive(
    name: Name,
    env: Env,
    reason: Reason,
    ticket: Ticket = None,
    dry_run: DryRun = False,
    sandbox: InSandbox = False,
    as_json: AsJson = False,
) -> None:
    """Raise a pull request that takes a flag out of an environment and switches it off there.

    Example: coh flag archive ops_module_old --env staging --reason "Module is everywhere"
    """
    source = source_of(sandbox=sandbox, dry_run=dry_run)
    path = file_of(env, "flags")
    data = source.read(path)
    _declared(parse_flags(data, path).flags, name, env)
    files = {path: remove_flag(data, name)}
    _raise(source, env, f"Archive {name}", reason, ticket, files, (dry_run, as_json))


def _toggle(
    name: str,
    env: str,
    reason: str,
    ticket: str | None,
    switches: tuple[bool, bool, bool],
    *,
    enabled: bool,
) -> None:
    dry_run, sandbox, as_json = switches
    source = source_of(sandbox=sandbox, dry_run=dry_run)
    path = file_of(env, "flags")
    data = source.read(path)
    flag = _declared(parse_flags(data, path).flags, name, env)
    if flag.enabled is enabled:
        raise BadRequestError(
            "flag.no_change",
            f"{name} is {'on' if enabled else 'off'} in {env} already",
            f"coh flag show {name} --env {env}",
        )
    files = {path: set_flag(data, name, enabled=enabled, reason=reason, ticket=ticket)}
    summary = f"Turn {'on' if enabled else 'off'} {name}"
    _raise(source, env, summary, reason, ticket, files, (dry_run, as_json))


def _raise(
    source: Source,
    env: str,
    summary: str,
    reason: str,
    ticket: str | None,
    files: dict[str, bytes | None] | dict[str, bytes],
    switches: tuple[bool, bool],
) -> None:
    edit = Edit(env, summary, reason, ticket, dict(files), f"coh flag list --env {env}")
    raise_edit(source, edit, dry_run=switches[0], as_json=switches[1])


def _declared(flags: dict[str, Flag], name: str, env: str) -> Flag:
    from difflib import get_close_matches  # noqa: PLC0415 - only needed for a refusal

    if name not in flags:
        near = get_close_matches(name, flags, n=3)
        hint = f"did you mean {', '.join(near)}?" if near else f"coh flag list --env {env}"
        raise BadRequestError("flag.unknown", f"{env} declares no flag {name!r}", hint)
    return flags[name]


def _document(env: str, name: str, flag: Flag) -> dict[str, Json]:
    return {"name": name, "environment": env, **flag.model_dump(mode="json")}


def _day(moment: date | None) -> str:
    return moment.isoformat() if moment else "never"
