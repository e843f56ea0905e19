"""One merged commit on its way: judged, permitted or refused. Nothing outside is changed here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ops_actions.apply.classify import Standing, classify
from ops_actions.apply.entries import refusal, refusal_told
from ops_actions.apply.permit import Evidence, Permit, grant
from ops_actions.apply.protocol import Closing, LockState, RunContext
from ops_actions.decision.model import Decision, Facts, Outcome, Phase
from ops_actions.errors import OpsError, OutsideError, RefusedError, UndecidableError
from ops_actions.flow.judge import decide_on, people_of, plan_between
from ops_actions.flow.policies import refuse_broken_policies
from ops_actions.flow.tools import ApplyReport, ApplyTools
from ops_actions.flow.trust import judging_files, trusted_before
from ops_actions.pull_request.facts import collect

if TYPE_CHECKING:
    from datetime import datetime

    from ops_actions.apply.protocol import Message, OpenRun
    from ops_actions.audit.entry import AuditEntry
    from ops_actions.canonical import Json
    from ops_actions.plan.model import Plan
    from ops_actions.pull_request.model import CodeHost, PullRequestView


@dataclass(slots=True)
class Judged:
    """What is known of a commit once it is judged."""

    view: PullRequestView
    approved: Plan
    now: Plan
    decision: Decision
    facts: Facts


@dataclass(slots=True)
class Case:
    """One commit on its way; filled as far as it got.

    Attributes:
        cursor: where the cursor stood when this began; another run was faster when it moved.
        previous: the cursor's place that this commit moves it on from; None when the cursor has
            passed the commit already.
    """

    commit: str
    cursor: str
    previous: str | None
    attempt: str
    judged: Judged | None = None
    lock: LockState | None = None

    @property
    def environment(self) -> str:
        """The environment it touches; empty for none, and while nothing is known of it."""
        if self.lock is not None:
            return self.lock.environment
        return next(iter(self.judged.now.environments), "") if self.judged else ""


def judge_commit(tools: ApplyTools, commit: str, now: datetime) -> Judged:
    """Plan a merged commit twice, as approved and as it is now, and ask the policies before it.

    Raises:
        RefusedError: no single merged pull request stands behind it, or a precondition fails.
        BadRequestError: what it asks for can't be read.
        OutsideError: the policy engine or the code host failed.
    """
    judge, repository = tools.judge, tools.judge.repository
    parent, refused = repository.first_parent(commit), tools.book.refused()
    trusted = trusted_before(repository, refused, parent)
    _tool_is_trusted(tools, trusted)
    view = _pull_request(tools.host, commit)
    cut = repository.merge_base(parent, view.head)
    approved = plan_between(judge, cut, view.head, trusted_before(repository, refused, cut))
    plan = plan_between(judge, parent, commit, trusted)
    request = collect(
        view,
        tools.host.reviews(view.number),
        tools.host.last_pusher(view.number),
        people_of(judge, plan, trusted),
        now,
    )
    decision, facts = decide_on(
        judge,
        plan,
        phase=Phase.APPLY,
        commit=trusted,
        request=request,
        now=now,
        change_id=commit,
    )
    _engine_answered(decision)
    if decision.outcome is Outcome.ALLOW:
        refuse_broken_policies(judge, parent, commit)
    return Judged(view, approved, plan, decision, facts)


def _engine_answered(decision: Decision) -> None:
    """Stop the line when nothing could be asked: no change may be refused for that.

    An answer of which no decision can be made is another matter: it may be odd for this change
    only, and waiting would not mend it.
    """
    for violation in decision.violations:
        if violation.code in {"engine.unavailable", "engine.bundle"}:
            raise OutsideError(violation.code, violation.message, violation.solution)


def _tool_is_trusted(tools: ApplyTools, trusted: str) -> None:
    """Refuse to judge a commit with code that came with it or after it (invariant 2).

    A tool of a later commit is as good when nothing that judges changed on the way to it.
    """
    tool, repository = tools.tool_commit, tools.judge.repository
    if tool is None or repository.is_ancestor(tool, trusted):
        return
    newer = judging_files(repository, trusted, tool)
    if newer:
        raise RefusedError(
            "lock.tool_too_new",
            f"this code is of commit {tool}, which brings {newer[0]}; the change must be judged by "
            f"the code of {trusted}",
            f"run the apply workflow by hand with tool {trusted}",
        )


def _pull_request(host: CodeHost, commit: str) -> PullRequestView:
    branch = host.default_branch_tip().name
    behind = [
        view
        for view in host.pull_requests_of_commit(commit)
        if view.merged and view.merge_commit == commit and view.base_branch == branch
    ]
    if len(behind) != 1:
        raise RefusedError(
            "gate.no_pull_request",
            f"{len(behind)} pull requests merged into {branch} stand behind {commit}; there must "
            "be exactly one",
            "revert the push and raise the change as a pull request",
        )
    return behind[0]


def attempt_of(tools: ApplyTools, commit: str) -> str:
    """Name the next attempt at a commit; it is free for whoever holds the commit's lock."""
    return f"{commit}#{tools.durable.attempts(commit) + 1}"


def run_left_open(tools: ApplyTools, commit: str) -> OpenRun | None:
    """Return the run of a commit that has not ended."""
    runs = tools.durable.open_runs()
    return next((run for run in runs if run.run_id.partition("#")[0] == commit), None)


def permit_for(tools: ApplyTools, case: Case) -> Permit:
    """Take the lock, read the outside, and let the gate compare.

    Raises:
        RefusedError: as `permit.grant`; ``lock.held``; ``lock.overtaken``.
        UndecidableError: the lock waits for a human.
        OutsideError: the outside can't be read.
    """
    judged = case.judged
    if judged is None:
        raise RefusedError("gate.not_judged", f"{case.commit} was not judged", "coh apply")
    case.lock = tools.book.take_lock(case.environment, case.commit)
    _nobody_was_faster(tools, case)
    case.attempt = attempt_of(tools, case.commit)
    live: dict[str, Json] = {}
    # What the policies turned down is not looked up: it may be nothing that there could be.
    allowed = judged.decision.outcome is Outcome.ALLOW
    for change in judged.now.changes if allowed else ():
        effect = tools.effects.get(change.kind)
        if effect is not None:
            live[change.key] = effect.observe(change)
    return grant(
        Evidence(
            approved=judged.approved,
            now=judged.now,
            decision=judged.decision,
            facts=judged.facts,
            context=RunContext(case.commit, case.commit, case.environment),
            lock=case.lock,
            live=live,
            attempted=tools.book.attempted(case.commit),
        )
    )


def _nobody_was_faster(tools: ApplyTools, case: Case) -> None:
    """Look again at what was read before the lock was ours: another process may have been here."""
    if run_left_open(tools, case.commit) is not None:
        raise RefusedError(
            "lock.overtaken",
            f"another process began to apply {case.commit} and died",
            "coh reconcile",  # it finds the lock with us, dead, and the run open
        )
    if tools.book.cursor() != case.cursor:
        tools.book.close(Closing((), case.environment, case.commit, advance=None, undecidable=None))
        raise RefusedError(
            "lock.overtaken",
            f"another process was faster with {case.commit}",
            "coh apply again; it goes on from where the other one ended",
        )


def let_go(tools: ApplyTools, case: Case) -> None:
    """Give the lock back when an outside system failed before anything was started.

    An earlier attempt that is in doubt keeps it: only reading the outside can settle that one.
    """
    if case.lock is not None and not tools.book.attempted(case.commit):
        tools.book.close(Closing((), case.environment, case.commit, advance=None, undecidable=None))


def nothing_to_do(tools: ApplyTools, case: Case) -> ApplyReport:
    """Pass a commit that changes nothing."""
    tools.book.close(_closing(case))
    return ApplyReport(case.commit, "nothing_to_do", "", "the commit changes nothing", "", 0)


def refuse(tools: ApplyTools, case: Case, error: OpsError) -> ApplyReport:
    """Record a refusal and pass on, or keep the lock when an earlier attempt is in doubt."""
    _take_up_lock(tools, case)
    doubt = _in_doubt(tools, case)
    author = case.judged.facts.pull_request.author if case.judged else None
    entry = refusal(
        commit=case.commit,
        environment=case.environment,
        actor=(author.login, author.sub or "") if author else ("", ""),
        attempt=case.attempt,
        error=error,
        digests=(case.judged.now.digest, case.judged.now.policy_digest)
        if case.judged
        else ("", ""),
    )
    closing = _closing(
        case,
        entries=(entry,),
        undecidable=error.fact if doubt else None,
        messages=(refusal_told(case.attempt, case.commit, error),),
    )
    tools.book.close(closing)
    status = "undecidable" if doubt else "refused"
    code = UndecidableError.exit_code if doubt else error.exit_code
    return ApplyReport(case.commit, status, error.code, error.fact, error.next_step, code)


def _take_up_lock(tools: ApplyTools, case: Case) -> None:
    """Take the lock that an attempt left which died before it got here."""
    if case.lock is None:
        for lock in tools.book.locks():
            if lock.change_id == case.commit:
                case.lock = tools.book.take_lock(lock.environment, case.commit)


def _in_doubt(tools: ApplyTools, case: Case) -> bool:
    """Tell whether an earlier attempt may have left something that must not be passed by.

    Only an outside that is as if nothing had begun lets a refused commit go. What an attempt that
    never ended has done, or half done, is for a human once it may not go on.
    """
    if case.lock is None or not tools.book.attempted(case.commit):
        return False  # nothing was begun, or that attempt ended and its outcome is in the book
    if case.judged is None:
        return True
    return any(
        classify(change, effect.observe(change)) is not Standing.NOT_DONE
        for change in case.judged.now.changes
        if (effect := tools.effects.get(change.kind)) is not None
    )


def _closing(
    case: Case,
    entries: tuple[AuditEntry, ...] = (),
    undecidable: str | None = None,
    messages: tuple[Message, ...] = (),
) -> Closing:
    return Closing(
        entries=entries,
        environment=case.environment,
        change_id=case.commit,
        advance=None if undecidable or case.previous is None else (case.previous, case.commit),
        undecidable=undecidable,
        messages=messages,
        holding=case.lock is not None,
    )
