"""``coh sandbox``: the cloud on one machine, for trying, testing and rehearsing."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import httpx
import typer

from infra.settings.characters import shown_key
from ops_actions.adapters.github import GitHubHost
from ops_actions.canonical import Json
from ops_actions.cli.options import AsJson
from ops_actions.cli.output import console, emit_json, emit_table, say
from ops_actions.errors import BadRequestError, OutsideError
from ops_actions.wiring.place import ROOT
from sandbox import control
from sandbox.home import home
from sandbox.seed import seed as fill

app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False)

Number = Annotated[int, typer.Argument(help="Number of the pull request.")]
Login = Annotated[str, typer.Argument(help="GitHub login of somebody in access.yaml.")]
As = Annotated[str, typer.Option("--as", help="GitHub login of the person.", show_default=False)]


@app.command()
def up(as_json: AsJson = False) -> None:
    """Start Postgres and the emulated services; a sandbox that runs is left as it is.

    Example: COH_STATE_DIR=/tmp/hub coh sandbox up
    """
    with console(errors=True).status("Starting Postgres and the emulated services …"):
        control.up()
    _show(as_json=as_json)


@app.command()
def down() -> None:
    """Stop everything; the state stays and `up` brings it back.

    Example: coh sandbox down
    """
    was_up = control.down()
    console().print("The sandbox is down." if was_up else "There was no sandbox to stop.")


@app.command()
def status(as_json: AsJson = False) -> None:
    """Say whether the sandbox runs and where.

    Example: coh sandbox status --json
    """
    _show(as_json=as_json)


@app.command()
def seed(
    source: Annotated[
        Path,
        typer.Option("--from", help="Environment folder whose declared state is brought up."),
    ] = Path("infra/environments/production"),
) -> None:
    """Fill the sandbox with this checkout: repository, people, services and declared state.

    Example: coh sandbox seed --from infra/environments/production
    """
    folder = source if source.is_absolute() else ROOT / source
    root = folder.parent.parent.parent
    if folder.parent != root / "infra" / "environments" or not folder.is_dir():
        raise BadRequestError(
            "sandbox.no_environment",
            f"{source} is not an environment folder",
            "write --from infra/environments/production",
        )
    with console(errors=True).status("Filling the sandbox; the Pulumi engine brings it up …"):
        commit = fill(root, folder.name)
    console().print(f"Filled from {folder.name}; main is at {commit[:12]}.")


@app.command()
def fault(
    service: Annotated[str, typer.Argument(help="github, flagsmith, vercel or slack.")],
    kind: Annotated[
        str,
        typer.Option(help="status, slow, hang, drop_before_effect, drop_after_effect, duplicate."),
    ] = "status",
    status_code: Annotated[
        int | None, typer.Option("--status", help="Answer of kind status.")
    ] = None,
    path: Annotated[str, typer.Option(help="Regular expression on the path.")] = "",
    times: Annotated[int, typer.Option(min=1, help="How many requests it hits.")] = 1,
    seconds: Annotated[float | None, typer.Option(help="Delay of kind slow.")] = None,
    clear: Annotated[bool, typer.Option("--clear", help="Take all faults away.")] = False,
) -> None:
    """Make an emulated service misbehave.

    Example: coh sandbox fault flagsmith --status 500 --times 2
    """
    running = _running()
    if service not in running.urls:
        raise BadRequestError(
            "sandbox.unknown_service",
            f"there is no service {shown_key(service)}",
            f"one of {', '.join(running.urls)}",
        )
    address = f"{running.urls[service]}/_sandbox/faults"
    headers = {"X-Sandbox-Key": running.key}
    if clear:
        answer = httpx.delete(address, headers=headers)
    else:
        wanted = {
            "kind": kind,
            "status": status_code,
            "path_regex": path,
            "times": times,
            "seconds": seconds,
        }
        fields = {name: value for name, value in wanted.items() if value is not None}
        answer = httpx.post(address, headers=headers, json=fields)
    if answer.is_error:
        raise BadRequestError("sandbox.bad_fault", answer.text[:500], "coh sandbox fault --help")
    say(f"{service}: {'no faults' if clear else kind}")


@app.command()
def token(login: Login) -> None:
    """Print a person's throw-away GitHub token, to act as that person.

    Example: COH_GITHUB_TOKEN=$(coh sandbox token tariq-noor) coh flag enable … --sandbox
    """
    console().print(_token(_running(), login), markup=False)


@app.command()
def approve(number: Number, login: As) -> None:
    """Approve a pull request of the sandbox at its present head, as a person.

    Example: coh sandbox approve 1 --as mara-lind
    """
    host = _host(login)
    view = host.pull_request(number)
    host.approve(number, view.head)
    console().print(f"{login} approved #{number} at {view.head[:12]}.", markup=False)


@app.command()
def merge(number: Number, login: As) -> None:
    """Merge a pull request of the sandbox, as a person.

    Example: coh sandbox merge 1 --as mara-lind
    """
    host = _host(login)
    commit = host.merge(number, host.pull_request(number).head)
    console().print(f"Merged #{number}. Next: coh apply --commit {commit} --sandbox", markup=False)


def _running() -> control.Running:
    running = control.status()
    if running is None:
        raise _down()
    return running


def _token(running: control.Running, login: str) -> str:
    if login not in running.tokens:
        raise BadRequestError(
            "sandbox.unknown_person",
            f"nobody in the sandbox is called {shown_key(login)}",
            f"one of {', '.join(running.tokens)}",
        )
    return running.tokens[login]


def _host(login: str) -> GitHubHost:
    running = _running()
    values = running.values
    return GitHubHost(
        values["COH_GITHUB_API"], values["COH_GITHUB_REPOSITORY"], _token(running, login)
    )


def _down() -> OutsideError:
    return OutsideError(
        "sandbox.down",
        f"no sandbox runs in {home().folder}",
        "coh sandbox up, then coh sandbox seed",
    )


def _show(*, as_json: bool) -> None:
    running = control.status()
    if as_json:
        found: list[Json] = []
        if running is not None:
            found = [{"folder": str(home().folder), "pid": running.pid, "urls": dict(running.urls)}]
        emit_json("coh.sandboxes/1", "sandboxes", found)
        return
    if running is None:
        raise _down()
    rows = [*running.urls.items(), ("postgres", running.values["COH_DATABASE_URL"])]
    emit_table(f"Sandbox in {home().folder}", ("service", "address"), rows)
    console().print("Add --sandbox to a command to act on it; coh sandbox down stops it.")
