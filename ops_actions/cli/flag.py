"""``coh flag``: list feature flags, or raise a pull request that moves one."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated

import typer
from pydantic import ValidationError

from infra.settings.characters import shown_key
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
        str | None, typer.Option("--owner", help="Team; for a new flag only, with --type.")
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

    A declared flag keeps its owner: --owner without --type is refused.

    Example: coh flag set ops_module_reports --env staging --type release --owner platform
    --expires 2027-03-01 --reason "New reports module"
    """
    path = file_of(env, "flags")
    _refuse_owner_alone(owner, kind, name, path)
    source = source_of(sandbox=sandbox, dry_run=dry_run)
    data = source.read(path)
    given: dict[str, object] = {
        "reason": reason,
        "ticket": ticket,
        "value": value,
        "expires": expires.date() if expires else None,
    }
    if kind is not None:
        flag = _valid({**given, "enabled": False, "type": kind, "owner": owner})
        edited = add_flag(data, name, flag, source=path)
        summary = f"Add flag {name}, off"
    else:
        declared = _declared(parse_flags(data, path).flags, name, env)
        edited = _edited(data, path, name, declared, given)
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
    files = {path: remove_flag(data, name, source=path)}
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
    given = {"enabled": enabled, "reason": reason, "ticket": ticket}
    files = {path: _edited(data, path, name, flag, given)}
    summary = f"Turn {'on' if enabled else 'off'} {name}"
    _raise(source, env, summary, reason, ticket, files, (dry_run, as_json))


def _edited(
    data: bytes, path: str, name: str, declared: Flag, given: Mapping[str, object]
) -> bytes:
    """Return the flags file with what was given in place of what is declared."""
    changed = {field: new for field, new in given.items() if new is not None}
    flag = _valid({**declared.model_dump(), **changed})
    return set_flag(
        data,
        name,
        enabled=flag.enabled,
        reason=flag.reason,
        ticket=flag.ticket,
        value=flag.value,
        expires=flag.expires,
        source=path,
    )


def _valid(fields: dict[str, object]) -> Flag:
    """Check a flag as its file is checked, and name the option that is wrong.

    Raises:
        BadRequestError: ``request.invalid``.
    """
    try:
        return Flag.model_validate(fields)
    except ValidationError as error:
        first, *others = error.errors(include_url=False, include_input=False)
        name = str(first["loc"][0])
        field = Flag.model_fields[name]
        example = shlex.quote(str((field.examples or ["…"])[0]).strip('"'))
        more = f" (and {len(others)} more)" if others else ""
        raise BadRequestError(
            "request.invalid",
            f"--{name}: {first['msg']}{more}",
            f"write --{name} {example}: {str(field.description).rstrip('.')}",
        ) from None


def _refuse_owner_alone(owner: str | None, kind: FlagType | None, name: str, path: str) -> None:
    """Refuse an owner that no flag would get, rather than drop it.

    Raises:
        BadRequestError: ``flag.owner_of_declared``.
    """
    if owner is not None and kind is None:
        raise BadRequestError(
            "flag.owner_of_declared",
            "--owner is for a new flag, and without --type this changes a declared one",
            f"add --type {FlagType.RELEASE} if {name} is new; to hand it to another team, edit "
            f"its owner in {path} in a pull request of your own",
        )


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
        raise BadRequestError("flag.unknown", f"{env} declares no flag '{shown_key(name)}'", hint)
    return flags[name]


def _document(env: str, name: str, flag: Flag) -> dict[str, Json]:
    return {"name": name, "environment": env, **flag.model_dump(mode="json")}


def _day(moment: date | None) -> str:
    return moment.isoformat() if moment else "never"
