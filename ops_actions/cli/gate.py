"""``coh plan``, ``coh check`` and ``coh explain``: what a change will do, and who must say yes."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated

import typer

from infra.settings.characters import shown_key
from ops_actions.adapters.git import GitRepository
from ops_actions.adapters.target import Target
from ops_actions.canonical import Json
from ops_actions.cli.options import AsJson, Checkout, InSandbox
from ops_actions.cli.output import console, emit_json, emit_table, say
from ops_actions.decision.model import Decision, Outcome
from ops_actions.decision.rules import explain as explain_rule
from ops_actions.errors import BadRequestError, RefusedError
from ops_actions.flow.check import CheckReport, check_commits, check_pull_request
from ops_actions.flow.judge import Judge, plan_between
from ops_actions.plan.model import Plan
from ops_actions.wiring import gate as wiring
from ops_actions.wiring import place

app = typer.Typer(add_completion=False)

Base = Annotated[
    str | None,
    typer.Option("--base", help="Commit or branch to compare with; default: origin/main or HEAD^."),
]
Head = Annotated[str, typer.Option("--head", help="Commit or branch that asks for the change.")]
Number = Annotated[int | None, typer.Option("--pr", help="Pull request to judge.")]


@app.command()
def plan(
    base: Base = None,
    head: Head = "HEAD",
    checkout: Checkout = None,
    sandbox: InSandbox = False,
    as_json: AsJson = False,
) -> None:
    """Show what the commits of a branch will do; reads git only and writes nothing.

    Example: coh plan --base main --head my-branch --json
    """
    target = place.target(sandbox=sandbox)
    commits = wiring.repository(target, checkout)
    judge = wiring.checking_judge(target, commits)
    left, right = _ends(commits, base, head)
    found = plan_between(judge, commits.merge_base(left, right), right, left)
    if as_json:
        emit_json("coh.plans/1", "plans", [_plan(found)])
        return
    _print_plan(found)


@app.command()
def check(
    number: Number = None,
    base: Base = None,
    head: Head = "HEAD",
    login: Annotated[
        str | None, typer.Option("--as", help="GitHub login of the person who would raise it.")
    ] = None,
    waiting_ok: Annotated[
        bool, typer.Option("--waiting-ok", help="Exit 0 while only approvals are missing.")
    ] = False,
    checkout: Checkout = None,
    sandbox: InSandbox = False,
    as_json: AsJson = False,
) -> int:
    """Judge a pull request and post status and card; or judge local commits, posting nothing.

    Example: coh check --pr 42 --sandbox
    """
    target = place.target(sandbox=sandbox)
    commits = wiring.repository(target, checkout)
    judge = wiring.checking_judge(target, commits)
    report = (
        _check_local(judge, commits, base, head, login)
        if number is None
        else _check_pull_request(target, judge, number)
    )
    if as_json:
        emit_json("coh.checks/1", "checks", [_check(report)])
    else:
        _print_check(report)
    if report.decision.outcome is Outcome.NEEDS_APPROVAL and waiting_ok:
        return 0
    return 0 if report.decision.outcome is Outcome.ALLOW else RefusedError.exit_code


@app.command()
def explain(
    code: Annotated[str, typer.Argument(help="Code of a rule, such as change.approvals.")],
    as_json: AsJson = False,
) -> None:
    """Explain a rule: what it looks at and what to do about it.

    Example: coh explain change.approvals
    """
    target = place.target(sandbox=False)
    rule = explain_rule(wiring.rules(target), shown_key(code))
    if as_json:
        emit_json("coh.rules/1", "rules", [rule.document()])
        return
    emit_table(rule.code, ("field", "value"), [(k, str(v)) for k, v in rule.document().items()])


def _check_local(
    judge: Judge, commits: GitRepository, base: str | None, head: str, login: str | None
) -> CheckReport:
    left, right = _ends(commits, base, head)
    return check_commits(judge, left, right, login, place.now())


def _check_pull_request(target: Target, judge: Judge, number: int) -> CheckReport:
    say(f"Acting on {target.need('COH_GITHUB_REPOSITORY')} ({target.words})")
    # GitHub's client is slow to import, and judging local commits must not wait for it.
    from ops_actions.wiring.host import code_host  # noqa: PLC0415

    return check_pull_request(judge, code_host(target), number, place.now())


def _ends(commits: GitRepository, base: str | None, head: str) -> tuple[str, str]:
    """Resolve both ends; without a base it is main as the remote has it, else the parent."""
    right = commits.resolve(head)
    if base is not None:
        return commits.resolve(base), right
    for name in ("origin/main", f"{right}^"):
        with suppress(BadRequestError):
            return commits.resolve(name), right
    return right, right


def _plan(found: Plan) -> dict[str, Json]:
    return {
        "digest": found.digest,
        "base": found.base,
        "head": found.head,
        "policy_digest": found.policy_digest,
        "risk": found.risk.value,
        "changes": [change.document() for change in found.changes],
    }


def _check(report: CheckReport) -> dict[str, Json]:
    decision = report.decision
    return {
        "outcome": decision.outcome.value,
        "plan": _plan(report.plan),
        "violations": [
            {
                "code": one.code,
                "message": one.message,
                "solution": one.solution,
                "target": one.target,
            }
            for one in decision.violations
        ],
        "approvals": [
            {"code": n.code, "count": n.count, "role": n.role, "have": n.have, "why": n.why}
            for n in decision.approvals
        ],
        "card": report.card_url,
    }


def _print_plan(found: Plan) -> None:
    if not found.changes:
        console().print("Nothing changes.")
        return
    rows = [(c.verb.value, c.risk.value, c.environment, c.summary) for c in found.changes]
    emit_table(f"Plan {found.digest[7:19]}", ("verb", "risk", "environment", "what"), rows)


def _print_check(report: CheckReport) -> None:
    _print_plan(report.plan)
    decision: Decision = report.decision
    words = {
        Outcome.ALLOW: "[green]Allowed[/]",
        Outcome.DENY: "[bold red]Refused[/]",
        Outcome.NEEDS_APPROVAL: "[yellow]Waiting for approval[/]",
    }
    out = console()
    out.print(words[decision.outcome])
    for one in decision.distinct_violations:
        out.print(f"  {one.code}: {one.message}\n    next: {one.solution}", markup=False)
    for need in decision.distinct_approvals:
        out.print(f"  {need.have} of {need.count} by {need.role}: {need.why}", markup=False)
    if report.card_url:
        out.print(f"Review card: {report.card_url}", markup=False)
