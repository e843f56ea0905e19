"""From two commits and what the code host knows to a decision. Used alike by check and apply."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from infra.settings.access import AccessFile, parse_access
from infra.settings.environment import load_environment
from infra.settings.errors import SettingsError
from infra.settings.flags import parse_flags
from ops_actions.change.request import declared_error
from ops_actions.decision.interpret import decide
from ops_actions.decision.model import (
    Bundles,
    Decision,
    Facts,
    GateState,
    Phase,
    PolicyEngine,
    PullRequestFacts,
    RecentActions,
)
from ops_actions.errors import RefusedError
from ops_actions.plan.build import build_plan
from ops_actions.plan.model import Kind
from ops_actions.plan.sides import parse_side

if TYPE_CHECKING:
    from ops_actions.change.model import Repository
    from ops_actions.plan.model import Plan

BUDGET_WINDOW = timedelta(hours=1)
"""How far back destructive actions count."""

_PEOPLE_OF_THE_REPOSITORY = "production"
"""Guardrails and documents belong to no environment; the strictest people list judges them."""


LiveGate = Callable[[str, str], bool | None]
"""Reads a gate flag of an environment from the outside; None when it can't be known."""

Recent = Callable[[str, str, datetime, str], RecentActions]
"""Counts recent destructive actions of an environment and of a person's sub, besides a change's."""


@dataclass(frozen=True, slots=True)
class Judge:
    """What judging needs.

    Attributes:
        live_gate: None while checking without credentials.
        recent: None while checking without a database.
    """

    repository: Repository
    bundles: Bundles
    engine: PolicyEngine
    live_gate: LiveGate | None
    recent: Recent | None


def plan_between(judge: Judge, base: str, head: str, policies_of: str) -> Plan:
    """Plan what a commit changes against another one, under the policies of a third.

    Raises:
        BadRequestError: what it asks for, or the state it would be carried out with, can't be read.
    """
    bundle = judge.bundles.at(policies_of)
    read = partial(judge.repository.read, policies_of)
    plan = build_plan(judge.repository.diff(base, head), bundle.digest, read)
    _reads_well(judge, plan, head)
    return plan


def _reads_well(judge: Judge, plan: Plan, commit: str) -> None:
    """Refuse early what the engine could not carry out: it needs every file of an environment."""
    for environment in {c.environment for c in plan.changes if c.kind in (Kind.FLAG, Kind.ACTION)}:
        try:
            load_environment(environment, partial(judge.repository.read, commit))
        except SettingsError as error:
            raise declared_error(error) from error


def people_of(judge: Judge, plan: Plan, commit: str) -> AccessFile:
    """Read the people list that judges a plan.

    Raises:
        RefusedError: the commit has no people list for the environment.
    """
    # The empty name among them stands for what rules over all environments.
    names = {change.environment for change in plan.changes}
    (environment,) = names if len(names) == 1 else {""}
    environment = environment or _PEOPLE_OF_THE_REPOSITORY
    path = f"infra/environments/{environment}/access.yaml"
    people = parse_side(judge.repository.read(commit, path), path, parse_access)
    if people is None:
        raise RefusedError(
            "gate.no_people",
            f"{path} is missing at {commit}",
            "restore the people list; without it nobody may change anything",
        )
    return people


def decide_on(  # noqa: PLR0913 - the question and who is asked
    judge: Judge,
    plan: Plan,
    *,
    phase: Phase,
    commit: str,
    request: PullRequestFacts,
    now: datetime,
    change_id: str = "",
) -> tuple[Decision, Facts]:
    """Ask the policies of a commit about a plan.

    Args:
        judge: repository, policies and engine.
        plan: what will happen.
        phase: check or apply; apply demands every live fact.
        commit: the commit before the change, whose policies, gates and people count.
        request: what the code host knows.
        now: the moment of the decision.
        change_id: what is applied; its own earlier attempts do not use up its budget.
    """
    facts = Facts(
        phase=phase,
        now=now,
        pull_request=request,
        gates=_gates(judge, plan, commit),
        recent=_recent(judge, plan, request, now, change_id),
    )
    return decide(judge.engine, judge.bundles.at(commit).folder, plan, facts), facts


def _gates(judge: Judge, plan: Plan, commit: str) -> Mapping[str, GateState]:
    gates: dict[str, GateState] = {}
    for change in plan.changes:
        if change.gate is None:
            continue
        declared = _declared(judge, change.environment, change.gate, commit)
        live = judge.live_gate(change.environment, change.gate) if judge.live_gate else None
        gates[change.gate] = GateState(declared=declared, live=live)
    return gates


def _declared(judge: Judge, environment: str, gate: str, commit: str) -> bool | None:
    path = f"infra/environments/{environment}/flags.yaml"
    flags = parse_side(judge.repository.read(commit, path), path, parse_flags)
    flag = flags.flags.get(gate) if flags else None
    # A flag of another type by the gate's name is not a gate: only a declared gate opens.
    return flag.enabled if flag is not None and flag.type == "destructive_gate" else None


def _recent(
    judge: Judge, plan: Plan, request: PullRequestFacts, now: datetime, change_id: str
) -> Mapping[str, RecentActions] | None:
    if judge.recent is None:
        return None
    author = request.author.sub or ""
    return {
        environment: judge.recent(environment, author, now - BUDGET_WINDOW, change_id)
        for environment in plan.environments
    }
