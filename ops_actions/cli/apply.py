"""``coh apply`` and ``coh reconcile``: carry out what was merged, and finish what a crash left."""

from __future__ import annotations

from typing import Annotated

import typer

from ops_actions.apply.entries import REPOSITORY, settlement
from ops_actions.canonical import Json
from ops_actions.cli.options import AsJson, Checkout, InSandbox, known_environment
from ops_actions.cli.output import console, emit_json, say
from ops_actions.errors import BadRequestError
from ops_actions.flow.apply import apply_upto
from ops_actions.flow.reconcile import next_in_line, settle
from ops_actions.flow.reconcile import reconcile as reconcile_all
from ops_actions.flow.tools import ApplyReport
from ops_actions.wiring import place
from ops_actions.wiring.apply import apply_tools
from ops_actions.wiring.gate import repository

app = typer.Typer(add_completion=False)

_WORDS = {
    "done": "[green]applied[/]",
    "nothing_to_do": "nothing to do",
    "refused": "[bold red]refused[/]",
    "not_done": "[red]not applied[/]",
    "undecidable": "[bold red]needs a human[/]",
    "busy": "[yellow]busy[/]",
    "settled": "[yellow]given up[/]",
}


@app.command()
def apply(
    commit: Annotated[str, typer.Option("--commit", help="Merged commit of main to apply up to.")],
    start_after: Annotated[
        str | None,
        typer.Option("--start-after", help="First use only: the commit the outside shows already."),
    ] = None,
    checkout: Checkout = None,
    sandbox: InSandbox = False,
    as_json: AsJson = False,
) -> int:
    """Apply every merged commit that was not applied yet, up to and with one, in order.

    Example: coh apply --commit "$GITHUB_SHA" --checkout proposal
    """
    target = place.target(sandbox=sandbox)
    say(f"Acting on {target.need('COH_GITHUB_REPOSITORY')} ({target.words})")
    with apply_tools(target, checkout) as tools:
        commits = repository(target, checkout)
        if start_after is not None:
            tools.book.start_cursor(commits.resolve(start_after))
        reports = apply_upto(tools, commits.resolve(commit), place.now())
    return _tell(reports, as_json=as_json)


@app.command()
def reconcile(
    env: Annotated[
        str | None, typer.Option("--env", help="Only this environment; default: all.")
    ] = None,
    checkout: Checkout = None,
    settle_change: Annotated[
        str | None, typer.Option("--settle", help="Change (merged commit) to give up for good.")
    ] = None,
    reason: Annotated[
        str, typer.Option("--reason", help="What you saw; kept in the audit log.")
    ] = "",
    sandbox: InSandbox = False,
    as_json: AsJson = False,
) -> int:
    """Finish runs that a crash left open; with --settle give one up and release its lock.

    Example: coh reconcile --settle 4f2a… --reason "Vercel shows the old deployment, INC-88 closed"
    """
    if env is not None:
        known_environment(env, REPOSITORY)
    target = place.target(sandbox=sandbox)
    say(f"Acting on {target.need('COH_GITHUB_REPOSITORY')} ({target.words})")
    with apply_tools(target, checkout) as tools:
        if settle_change is None:
            only = "" if env == REPOSITORY else env
            return _tell(reconcile_all(tools, place.now(), only), as_json=as_json)
        if not reason.strip():
            raise BadRequestError(
                "reconcile.reason_missing", "giving a change up needs a reason", "add --reason TEXT"
            )
        held = [lock for lock in tools.book.locks() if lock.change_id == settle_change]
        lock = held[0] if held else next_in_line(tools, settle_change)
        if lock is None:
            raise BadRequestError(
                "reconcile.not_open",
                f"{settle_change} holds no lock and is not the next commit to be applied",
                "coh reconcile",
            )
        entry = settlement(lock, tools.host.me().login, reason, place.now())
        return _tell((settle(tools, lock, entry),), as_json=as_json)


def _tell(reports: tuple[ApplyReport, ...], *, as_json: bool) -> int:
    """Print the reports and return the exit code of the worst one."""
    if as_json:
        emit_json("coh.applies/1", "applies", [_document(report) for report in reports])
    elif not reports:
        console().print("Nothing to do.")
    for report in () if as_json else reports:
        out = console()
        out.print(f"{report.commit[:12]} {_WORDS[report.status]}")
        if report.code:
            out.print(f"  {report.code}: {report.fact}\n  next: {report.next_step}", markup=False)
    return max((report.exit_code for report in reports), default=0)


def _document(report: ApplyReport) -> dict[str, Json]:
    return {
        "commit": report.commit,
        "status": report.status,
        "code": report.code,
        "fact": report.fact,
        "next": report.next_step,
    }
