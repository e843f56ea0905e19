"""What judging needs: git, the policy engine and, for pull requests, GitHub."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ops_actions.adapters.bundles import GitBundles
from ops_actions.adapters.git import GitRepository
from ops_actions.adapters.opa_eval import OpaEval
from ops_actions.adapters.opa_inspect import read_rules
from ops_actions.errors import BadRequestError
from ops_actions.flow.judge import Judge

if TYPE_CHECKING:
    from ops_actions.adapters.target import Target
    from ops_actions.decision.rules import Rule


def repository(place: Target, checkout: Path | None) -> GitRepository:
    """Return the git repository that commits are read from."""
    if checkout is None:
        named = place.get("COH_CHECKOUT")
        checkout = Path(named) if named else place.root
    return GitRepository(checkout)


def checking_judge(place: Target, commits: GitRepository) -> Judge:
    """Return a judge without credentials: what a pull request's check may use."""
    return Judge(commits, GitBundles(commits), policy_engine(place), live_gate=None, recent=None)


def rules(place: Target) -> dict[str, Rule]:
    """Return this checkout's rules in words."""
    return read_rules(Path(place.need("COH_OPA")), place.root / "policies")


def policy_engine(place: Target) -> OpaEval:
    """Return the policy engine.

    Raises:
        BadRequestError: ``engine.missing``, nothing names it.
    """
    named = place.get("COH_OPA")
    if named is None:
        raise BadRequestError(
            "engine.missing",
            "COH_OPA does not name the OPA engine",
            "scripts/setup, or scripts/coh",
        )
    return OpaEval(Path(named))
