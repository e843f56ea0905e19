"""The audit entries of a run: one intent and one outcome for each change, and its refusals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ops_actions.apply.protocol import LockState, Message
from ops_actions.audit.entry import AuditEntry, Phase
from ops_actions.audit.masking import mask_text
from ops_actions.canonical import Json, digest
from ops_actions.clock import rfc3339

if TYPE_CHECKING:
    from datetime import datetime

    from ops_actions.apply.payload import Run
    from ops_actions.errors import OpsError
    from ops_actions.plan.model import Change

REPOSITORY = "repository"
"""Environment of entries about files that belong to none."""

_LONGEST_NAME = 300  # characters of a change's name in an entry's key
_SHORT = 12  # hex digits that tell two of a kind apart

NOBODY = "system:unknown"
"""Actor of a refused push that nobody can be named for."""


def _entry(  # noqa: PLR0913, PLR0917 - the parts of an entry that differ
    run: Run, change: Change, phase: Phase, result: str, key: str, detail: dict[str, Json]
) -> AuditEntry:
    return AuditEntry(
        environment=change.environment or REPOSITORY,
        actor_sub=run.author_sub,
        actor_login=run.author,
        on_behalf_of=None,
        action=change.action or f"{change.kind.value}.{change.verb.value}",
        target=change.target,
        risk=change.risk.value,
        phase=phase,
        result=result,
        change_id=run.context.change_id,
        plan_digest=run.plan_digest,
        policy_digest=run.policy_digest,
        commit=run.context.commit,
        key=key,
        detail={"pull_request": run.pull_request, "approvers": list(run.approvers), **detail},
    )


def intent(run: Run, change: Change, attempt: str) -> AuditEntry:
    """Return the entry that is written before a change is carried out, once for each attempt."""
    return _entry(
        run,
        change,
        Phase.INTENT,
        "intended",
        f"{attempt}/{_name(change)}/intent",
        {
            "summary": change.summary,
            "expected": change.expected_live,
            "desired": change.desired_live,
            "inverse": change.inverse,
        },
    )


def outcome(run: Run, change: Change, result: str, attempt: str, live: Json) -> AuditEntry:
    """Return the entry that is written after reading back.

    Args:
        run: the run.
        change: what was carried out.
        result: ``done``, ``not_done`` or ``undecidable``.
        attempt: name of the attempt.
        live: what was read back.
    """
    # What was read is part of the key: a step that runs again after a crash either repeats itself,
    # which writes nothing, or has seen something else, which is worth an entry of its own.
    seen = _short(live)
    return _entry(
        run,
        change,
        Phase.OUTCOME,
        result,
        f"{attempt}/{_name(change)}/{result}/{seen}",
        {"read_back": live},
    )


def _name(change: Change) -> str:
    """Name a change within its run: a path may be longer, and odder, than a key may be."""
    key = change.key
    return key if key.isprintable() and len(key) <= _LONGEST_NAME else _short(key)


def _short(value: Json) -> str:
    return digest(value).removeprefix("sha256:")[:_SHORT]


def refusal(  # noqa: PLR0913 - what is known of a refused commit
    *,
    commit: str,
    environment: str,
    actor: tuple[str, str],
    attempt: str,
    error: OpsError,
    digests: tuple[str, str],
) -> AuditEntry:
    """Return the entry of a merged change that the gate turned down.

    Args:
        commit: the merged commit.
        environment: environment it asked for; empty when it touches none or could not be read.
        actor: login and Auth0 subject of the author; empty strings when unknown.
        attempt: name of the try; it and what was found make the entry's key.
        error: why it was refused.
        digests: plan and policy digest; empty strings when there was no plan.
    """
    login, sub = actor
    plan_digest, policy_digest = digests
    return AuditEntry(
        environment=environment or REPOSITORY,
        actor_sub=sub or NOBODY,
        actor_login=login or None,
        on_behalf_of=None,
        action="change.apply",
        target=commit,
        risk="guarded",
        phase=Phase.REFUSAL,
        result=error.code,
        change_id=commit,
        plan_digest=plan_digest or None,
        policy_digest=policy_digest or None,
        commit=commit,
        # Refused again for the same reason is one entry; for another reason it is another.
        key=f"{attempt}/refusal/{_short([error.code, error.fact, *digests])}",
        detail={"fact": error.fact, "next": error.next_step},
    )


def settlement(lock: LockState, login: str, reason: str, now: datetime) -> AuditEntry:
    """Return the entry of a human's decision to give a change up."""
    return AuditEntry(
        environment=lock.environment or REPOSITORY,
        actor_sub=f"github|{login}" if login else NOBODY,
        actor_login=login or None,
        action="change.settle",
        target=lock.change_id,
        risk="guarded",
        phase=Phase.SETTLE,
        result="given_up",
        change_id=lock.change_id,
        commit=lock.change_id,
        key=f"{lock.change_id}/settle/{rfc3339(now)}",
        detail={"reason": reason, "lock": lock.state, "note": lock.note},
    )


def refusal_told(attempt: str, commit: str, error: OpsError) -> Message:
    """Return what is cross-posted when a merged change is turned down."""
    return _message(f"{attempt}/refused", f"*Refused* {commit}: {_said(error.fact)}")


def told(run: Run, result: str) -> Message:
    """Return what is cross-posted when a run ends."""
    where = run.context.environment or "the repository"
    lines = [
        f"*{result}* in {where}: pull request #{run.pull_request} by {run.author}",
        *(f"• {_said(change.summary)}" for change in run.changes[:10]),
    ]
    if len(run.changes) > 10:  # noqa: PLR2004 - a post must stay readable
        lines.append(f"… and {len(run.changes) - 10} more")
    if run.approvers:
        lines.append(f"Approved by {', '.join(run.approvers)}")
    return _message(f"{run.context.change_id}/{result}", "\n".join(lines))


def _message(key: str, text: str) -> Message:
    return Message(key=key, text=mask_text(text))


def _said(text: str) -> str:
    """Take the markup out of what people wrote: Slack reads `<` as a mention or a link.

    Source: Slack, formatting text for app surfaces, "escaping text".
    """
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
