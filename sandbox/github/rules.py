"""Branch rules: rulesets and classic protection, as they bind pushes and merges."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from sandbox.github.auth import Actor
from sandbox.github.hub import HEADS
from sandbox.github.models import ROLES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandbox.github.call import Json
    from sandbox.github.hub import Hub, Push
    from sandbox.github.models import Pull, Review, Ruleset

ADMIN_ROLE_ID = 5
PASSING = {"success", "neutral", "skipped"}
NOBODY = Actor("", "user", frozenset(), None, "")
"""A caller whom every rule binds."""


def active(hub: Hub, branch: str, actor: Actor | None = None) -> list[Json]:
    """Return the rules that bind a branch, without those the actor may bypass."""
    found = [
        {
            **rule,
            "ruleset_source_type": "Repository",
            "ruleset_source": hub.name,
            "ruleset_id": ruleset.id,
        }
        for ruleset in hub.state.rulesets.all()
        if ruleset.enforcement == "active"
        and _covers(hub, ruleset, branch)
        and (actor is None or not _bypasses(hub, ruleset.bypass_actors, actor))
        for rule in ruleset.rules
    ]
    if actor is not None:
        found += _classic(hub, branch, actor)
    return found


def push_refusal(hub: Hub, push: Push, actor: Actor) -> str | None:
    """Return why the rules refuse a direct push, or None when they don't."""
    if push.repository != hub.name or not push.ref.startswith(HEADS):
        return None
    kinds = {rule["type"] for rule in active(hub, push.ref.removeprefix(HEADS), actor)}
    move = push.activity_type(hub.git(push.repository))
    if move == "branch_deletion":
        return "Cannot delete this branch." if "deletion" in kinds else None
    if move == "force_push" and "non_fast_forward" in kinds:
        return "Cannot force-push to this branch."
    if move != "branch_creation" and "pull_request" in kinds:
        return "Changes must be made through a pull request."
    return None


def unmet(hub: Hub, pull: Pull, actor: Actor | None = None) -> list[str]:
    """Return what the rules still miss before a pull request may be merged."""
    missing: list[str] = []
    for rule in active(hub, pull.base_ref, actor or NOBODY):
        parameters = rule.get("parameters") or {}
        if rule["type"] == "pull_request":
            missing += _unmet_reviews(hub, pull, parameters)
        elif rule["type"] == "required_status_checks":
            missing += _unmet_checks(hub, pull, parameters)
    return missing


def dismiss_stale(hub: Hub, pull: Pull) -> None:
    """Dismiss approvals of an earlier head where a rule says so."""
    bound = any(
        (rule.get("parameters") or {}).get("dismiss_stale_reviews_on_push")
        for rule in active(hub, pull.base_ref, NOBODY)
        if rule["type"] == "pull_request"
    )
    reviews = hub.state.reviews(pull.number)
    for review in reviews.all() if bound else []:
        if review.state == "APPROVED" and review.commit_id != pull.head_sha:
            reviews.put(review.model_copy(update={"state": "DISMISSED"}))


def deciding(reviews: Iterable[Review]) -> dict[str, Review]:
    """Return each reviewer's latest review that approves, refuses or was dismissed."""
    verdicts = {"APPROVED", "CHANGES_REQUESTED", "DISMISSED"}
    return {review.author.lower(): review for review in reviews if review.state in verdicts}


def _unmet_reviews(hub: Hub, pull: Pull, parameters: Json) -> list[str]:
    latest = deciding(hub.state.reviews(pull.number).all())
    writers = {login: review for login, review in latest.items() if _may_write(hub, login)}
    approving = [r for r in writers.values() if r.state == "APPROVED"]
    needed = int(parameters.get("required_approving_review_count", 0))
    missing = []
    if any(review.state == "CHANGES_REQUESTED" for review in writers.values()):
        missing.append("Changes have been requested.")
    if len(approving) < needed:
        plural = "review is" if needed == 1 else "reviews are"
        missing.append(
            f"At least {needed} approving {plural} required by reviewers with write access."
        )
    if parameters.get("require_last_push_approval"):
        pusher = hub.last_pusher(pull.head_repository, f"{HEADS}{pull.head_ref}")
        others = [r for r in approving if r.author != pusher and r.commit_id == pull.head_sha]
        if pusher is None or not others:
            missing.append("New changes require approval from someone other than the last pusher.")
    return missing


def _unmet_checks(hub: Hub, pull: Pull, parameters: Json) -> list[str]:
    missing = [
        f'Required status check "{wanted["context"]}" is expected.'
        for wanted in parameters.get("required_status_checks", [])
        if not _passed(hub, pull.head_sha, wanted["context"], wanted.get("integration_id"))
    ]
    base = hub.tip(hub.name, pull.base_ref)
    strict = parameters.get("strict_required_status_checks_policy")
    if strict and base is not None and not hub.git(hub.name).is_ancestor(base, pull.head_sha):
        missing.append("The head branch is not up to date with the base branch.")
    return missing


def _passed(hub: Hub, sha: str, context: str, app_id: int | None) -> bool:
    runs = [
        run
        for run in hub.state.check_runs.all()
        if (run.head_sha, run.name) == (sha, context) and app_id in {None, run.app_id}
    ]
    if runs:
        return runs[-1].conclusion in PASSING
    statuses = [s for s in hub.state.statuses(sha).all() if s.context == context]
    return app_id is None and bool(statuses) and statuses[-1].state == "success"


def _covers(hub: Hub, ruleset: Ruleset, branch: str) -> bool:
    names = ruleset.conditions.get("ref_name") or {}

    def matches(pattern: str) -> bool:
        default = hub.repository(hub.name).default_branch
        if pattern == "~DEFAULT_BRANCH":
            return branch == default
        return pattern == "~ALL" or fnmatchcase(f"{HEADS}{branch}", pattern)

    included = any(matches(pattern) for pattern in names.get("include", []))
    return included and not any(matches(pattern) for pattern in names.get("exclude", []))


def _bypasses(hub: Hub, bypass: Iterable[Json], actor: Actor) -> bool:
    account = hub.state.account(actor.login)
    admin = actor.kind == "user" and account is not None and account.role == "admin"
    for entry in bypass:
        kind, number = entry["actor_type"], entry.get("actor_id")
        if kind == "Integration" and actor.app_id is not None and number == actor.app_id:
            return True
        if kind == "User" and account is not None and number == account.id:
            return True
        if admin and (
            kind == "OrganizationAdmin" or (kind, number) == ("RepositoryRole", ADMIN_ROLE_ID)
        ):
            return True
    return False


def _classic(hub: Hub, branch: str, actor: Actor) -> list[Json]:
    """Say classic protection of a branch in the words of rulesets."""
    protection = hub.state.protections.get(branch)
    if protection is None:
        return []
    admins = (
        [] if protection.settings.get("enforce_admins") else [{"actor_type": "OrganizationAdmin"}]
    )
    if _bypasses(hub, admins, actor):
        return []
    found: list[Json] = [{"type": "deletion"}, {"type": "non_fast_forward"}]
    reviews = protection.settings.get("required_pull_request_reviews")
    if reviews is not None:
        stale = {"dismiss_stale_reviews_on_push": reviews.get("dismiss_stale_reviews", False)}
        found.append({"type": "pull_request", "parameters": {**reviews, **stale}})
    checks = protection.settings.get("required_status_checks")
    if checks is not None:
        wanted = [{"context": name} for name in checks.get("contexts", [])]
        wanted += [
            {"context": check["context"], "integration_id": check.get("app_id")}
            for check in checks.get("checks", [])
        ]
        strict = {"strict_required_status_checks_policy": checks.get("strict", False)}
        parameters = {"required_status_checks": wanted, **strict}
        found.append({"type": "required_status_checks", "parameters": parameters})
    return found


def _may_write(hub: Hub, login: str) -> bool:
    account = hub.state.visible(login)
    return account is not None and ROLES.index(account.role) >= ROLES.index("write")
