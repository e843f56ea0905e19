"""``coh infra``: preview or bring up the infrastructure of an environment with the real engine."""

from __future__ import annotations

from collections.abc import Sequence

import typer

from infra.settings.migrations import read_migrations
from ops_actions.adapters.pulumi_steps import Step
from ops_actions.canonical import Json
from ops_actions.cli.options import AsJson, Env, InSandbox
from ops_actions.cli.output import console, emit_json, emit_table, say
from ops_actions.wiring import place
from ops_actions.wiring.infrastructure import bring_up, bring_up_live, pulumi

app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False)


@app.command()
def preview(env: Env, sandbox: InSandbox = False, as_json: AsJson = False) -> None:
    """Show what the engine would do to make this checkout's declared state true.

    Example: coh infra preview --env production --sandbox
    """
    target = place.target(sandbox=sandbox)
    say(f"Acting on {env} ({target.words}); nothing is written")
    settings = place.local_settings(env)
    steps = pulumi(target, env).preview(settings, read_migrations(place.MIGRATIONS))
    _print(env, steps, as_json=as_json)


@app.command()
def up(env: Env, sandbox: InSandbox = False, as_json: AsJson = False) -> None:
    """Bring up an environment for the first time, or after its program changed.

    Outside a sandbox it takes a clean checkout of the commit that was applied last.

    Example: coh infra up --env production --sandbox
    """
    target = place.target(sandbox=sandbox)
    say(f"Acting on {env} ({target.words})")
    if target.sandbox is None:
        steps = bring_up_live(target, env, place.now(), say)
    else:
        steps = bring_up(target, place.local_settings(env))
    _print(env, steps, as_json=as_json)


def _print(env: str, steps: Sequence[Step], *, as_json: bool) -> None:
    if as_json:
        documents: list[Json] = [
            {"urn": step.urn, "op": step.op, "type": step.type, "name": step.name} for step in steps
        ]
        emit_json("coh.infra_steps/1", "steps", documents)
    elif steps:
        rows = [(step.op, step.type, step.name) for step in steps]
        emit_table(f"Steps of {env}", ("op", "type", "name"), rows)
    else:
        console().print(f"{env} is as declared.")
