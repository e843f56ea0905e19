"""``coh doctor``: look at everything a command may need."""

from __future__ import annotations

from typing import Annotated

import typer

from infra.settings.environment import file_of
from ops_actions.cli.options import AsJson, InSandbox
from ops_actions.cli.output import emit_json, emit_table, say
from ops_actions.errors import OutsideError
from ops_actions.wiring import place
from ops_actions.wiring.doctor import State, examine

app = typer.Typer(add_completion=False)


@app.command()
def doctor(
    env: Annotated[
        str, typer.Option("--env", help="Environment whose services are looked at.")
    ] = "production",
    sandbox: InSandbox = False,
    as_json: AsJson = False,
) -> int:
    """Look at git, the engines and every service; exits 3 when one of them fails.

    Example: coh doctor --env staging
    """
    file_of(env, "flags")  # refuses an unknown environment with the known ones
    target = place.target(sandbox=sandbox)
    say(f"Looking at {env} ({target.words}); nothing is written")
    findings = examine(target, env)
    if as_json:
        emit_json(
            "coh.findings/1",
            "findings",
            [
                {"name": f.name, "state": f.state.value, "fact": f.fact, "next": f.next_step}
                for f in findings
            ],
        )
    else:
        rows = [(f.name, f.state.value.replace("_", " "), f.fact, f.next_step) for f in findings]
        emit_table(f"Doctor, {env}", ("what", "state", "fact", "next"), rows)
    failed = any(finding.state is State.FAILED for finding in findings)
    return OutsideError.exit_code if failed else 0
