"""Policies that can't judge must not get onto main: whatever comes after would find no judge."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ops_actions.change.model import FileChange, FileStatus
from ops_actions.decision.bundle import FOLDER, RULE_LIST, read_bundle, rules_of
from ops_actions.decision.document import input_document
from ops_actions.decision.interpret import OF_THE_POLICIES, TIMEOUT, interpret
from ops_actions.decision.model import AccountKind, Facts, Person, Phase, PullRequestFacts
from ops_actions.errors import BadRequestError, OutsideError, RefusedError
from ops_actions.plan.files import guardrail_change
from ops_actions.plan.model import Plan

if TYPE_CHECKING:
    from ops_actions.flow.judge import Judge

_SETTINGS = "facts.config_complete"
"""Rule that refuses everything, the repair too, while the policies lack a setting."""

_FAR_BACK = 50  # commits; each costs a process of the engine, and further back is another project

_NOBODY = Person("", AccountKind.UNKNOWN, None, ())
_ANY_MOMENT = datetime(2000, 1, 1, tzinfo=UTC)
_CHANGE = guardrail_change(FileChange(RULE_LIST, FileStatus.MODIFIED, b"", b""))
_FACTS = Facts(
    phase=Phase.CHECK,
    now=_ANY_MOMENT,
    pull_request=PullRequestFacts(
        number=0,
        author=_NOBODY,
        last_pusher=_NOBODY,
        head="",
        base_branch="",
        from_fork=False,
        draft=False,
        merged=False,
        mergeable=None,
        reviews=(),
    ),
    gates={},
    recent=None,
)
"""Facts of no request: healthy policies say no to them, in the form of a decision."""


def refuse_broken_policies(judge: Judge, base: str, head: str) -> None:
    """Refuse a change of the policies after which nothing could be judged any more.

    The policies of the head are loaded as they would be for the next change, and asked a question.
    What they say to it counts nothing; only that a decision can be made of their answer, and that
    they miss no setting of their own. Does nothing when no file of the policies differs.

    Args:
        judge: repository, policies and engine.
        base: commit that the change starts from.
        head: commit that the change ends in.

    Raises:
        RefusedError: ``gate.broken_policies``, names what is wrong.
        OutsideError: the engine failed, and not for these policies.
    """
    paths = judge.repository.changed_paths(base, head)
    if not any(path.partition("/")[0] == FOLDER for path in paths):
        return
    try:
        fault = _fault(judge, head)
    except OutsideError as error:
        # Late may be the engine or the policies: those of the base tell which.
        if error.code != "engine.late" or _fault(judge, base) is not None:
            raise
        fault = error.fact
    if fault is not None:
        raise RefusedError(
            "gate.broken_policies",
            f"with the policies of {head} nothing could be judged any more: {fault}",
            "run `scripts/policy-check`, mend what it names (with --write it lists the rules) and "
            "push; if it is merged already, revert it and raise it again, mended",
        )


def able_to_judge(judge: Judge, commit: str) -> str:
    """Return the nearest commit back, or the commit itself, whose policies are not broken.

    An apply refuses a commit that breaks them, and what it refused judges nobody. So a check passes
    it by too; else the branch that mends main could not be checked.

    Args:
        judge: repository, policies and engine.
        commit: commit of main that something would come on top of.

    Returns:
        The commit as given when the engine fails or no commit before has better policies: then
        there is no decision, and that is a no.
    """
    able = commit
    with suppress(BadRequestError, OutsideError):  # the first commit of all has no parent
        for _ in range(_FAR_BACK):
            if _fault(judge, able) is None:
                return able
            able = judge.repository.first_parent(able)
    return commit


def _fault(judge: Judge, commit: str) -> str | None:
    """Ask as a decision does, and say why none can ever be made with the policies of a commit.

    Raises:
        OutsideError: the engine failed, and not for these policies.
    """
    try:
        bundle = judge.bundles.at(commit)
        rules = rules_of(read_bundle(bundle.folder))
        plan = Plan(commit, commit, bundle.digest, (_CHANGE,))
        answer = judge.engine.decide(bundle.folder, input_document(plan, _FACTS), TIMEOUT)
    except (RefusedError, BadRequestError) as error:
        return error.fact
    except OutsideError as error:
        if error.code in OF_THE_POLICIES:
            return error.fact
        raise
    reasons = interpret(answer, plan, rules).violations
    broken = (one for one in reasons if one.code.startswith("engine.") or one.code == _SETTINGS)
    return next((one.message for one in broken), None)
