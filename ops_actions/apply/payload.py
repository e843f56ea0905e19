"""What a durable run carries: everything it needs to go on in another process, and no secret."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from ops_actions.apply.protocol import RunContext
from ops_actions.errors import UndecidableError
from ops_actions.plan.model import Change, Kind, Risk, Verb

if TYPE_CHECKING:
    from ops_actions.apply.permit import Permit
    from ops_actions.canonical import Json

SCHEMA = "coh.apply-run/1"
"""Version of the payload; a run written by another version is never guessed at."""


@dataclass(frozen=True, slots=True)
class Run:
    """One applied plan as the workflow sees it.

    Attributes:
        previous: commit the cursor moves on from; None when it has passed this one already.
    """

    context: RunContext
    previous: str | None
    plan_digest: str
    policy_digest: str
    pull_request: int
    author: str
    author_sub: str
    approvers: tuple[str, ...]
    changes: tuple[Change, ...]


def run_of(permit: Permit, previous: str | None) -> Run:
    """Return the run that a permit gives leave to."""
    return Run(
        context=permit.context,
        previous=previous,
        plan_digest=permit.plan.digest,
        policy_digest=permit.plan.policy_digest,
        pull_request=permit.pull_request,
        author=permit.author,
        author_sub=permit.author_sub,
        approvers=permit.approvers,
        changes=permit.plan.changes,
    )


def dump(run: Run) -> dict[str, Json]:
    """Return the JSON document of a run."""
    return {
        "schema": SCHEMA,
        "change_id": run.context.change_id,
        "commit": run.context.commit,
        "environment": run.context.environment,
        "previous": run.previous,
        "plan_digest": run.plan_digest,
        "policy_digest": run.policy_digest,
        "pull_request": run.pull_request,
        "author": run.author,
        "author_sub": run.author_sub,
        "approvers": list(run.approvers),
        "changes": [change.document() for change in run.changes],
    }


def load(document: Json) -> Run:
    """Read a run back.

    Raises:
        UndecidableError: another version wrote it.
    """
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise UndecidableError(
            "apply.unknown_run",
            f"an open run was not written as {SCHEMA}",
            "finish it with the version of coh that started it, then upgrade",
        )
    fields = cast("dict[str, str]", document)
    return Run(
        context=RunContext(
            change_id=fields["change_id"],
            commit=fields["commit"],
            environment=fields["environment"],
        ),
        previous=fields["previous"],
        plan_digest=fields["plan_digest"],
        policy_digest=fields["policy_digest"],
        pull_request=int(fields["pull_request"]),
        author=fields["author"],
        author_sub=fields["author_sub"],
        approvers=tuple(fields["approvers"]),
        changes=tuple(_change(item) for item in cast("list[dict[str, Json]]", fields["changes"])),
    )


def _change(document: dict[str, Json]) -> Change:
    fields = cast("dict[str, str]", document)
    return Change(
        verb=Verb(fields["verb"]),
        kind=Kind(fields["kind"]),
        risk=Risk(fields["risk"]),
        environment=fields["environment"],
        target=fields["target"],
        path=fields["path"],
        before=document["before"],
        after=document["after"],
        expected_live=document["expected_live"],
        desired_live=document["desired_live"],
        summary=fields["summary"],
        inverse=fields["inverse"],
        reversible=bool(document["reversible"]),
        action=fields["action"],
        gate=fields["gate"],
    )
