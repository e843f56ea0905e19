"""``coh access``: who may do what."""

from __future__ import annotations

import typer

from ops_actions.cli.options import AsJson, Env
from ops_actions.cli.output import emit_json, emit_table
from ops_actions.wiring import place

app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False)


@app.callback()
def access() -> None:
    """List who may do what, as this checkout declares it."""


@app.command("list")
def list_people(env: Env, as_json: AsJson = False) -> None:
    """List the people of an environment and the roles they have today.

    Example: coh access list --env production
    """
    people, now = place.local_settings(env).access, place.now()
    if as_json:
        emit_json(
            "coh.people/1",
            "people",
            [
                {
                    "sub": person.sub,
                    "github": person.github,
                    "roles": list(people.roles_at(person.github, now)),
                }
                for person in people.people
            ],
        )
        return
    rows = [
        (person.github, person.sub, ", ".join(people.roles_at(person.github, now)) or "none now")
        for person in people.people
    ]
    emit_table(f"People of {env}", ("github", "sub", "roles today"), rows)
