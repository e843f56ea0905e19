"""The durable run, readable aloud. Each `step` is recorded; a killed run goes on at its last one.

For each group of changes of one kind:
    intent   write what is about to happen
    perform  read the outside, and call only if it is not there yet
    outcome  read back, and write what is there now
then
    close    release the lock, move the cursor and store the message, in one transaction

A step may run twice when the process dies between its effect and its record. So writing an entry
is keyed, and performing reads first: the second time finds the state reached and calls nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING, cast

from ops_actions.apply.classify import Standing, classify
from ops_actions.apply.entries import intent, outcome, told
from ops_actions.apply.protocol import (
    Book,
    Closing,
    Effect,
    Effects,
    StepRunner,
    UnknownOutcomeError,
)
from ops_actions.clock import rfc3339
from ops_actions.errors import OpsError, RefusedError, UndecidableError
from ops_actions.plan.model import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ops_actions.apply.payload import Run
    from ops_actions.canonical import Json
    from ops_actions.clock import Clock
    from ops_actions.plan.model import Change

READ_BACKS = 5
"""How often the outside is read again after a call whose answer is unknown or still working."""


_NO_EFFECT: Json = {
    "code": "apply.not_done",
    "fact": "the call was answered well, but reading back shows the old state",
    "next": "coh reconcile",
    "exit_code": 3,
}


@dataclass(frozen=True, slots=True)
class Tools:
    """What a run works with.

    Attributes:
        effects: by kind of change; a kind without one is in effect by the merge.
        book: the record book.
        wait: pauses between read-backs, given the number of the try from 1.
        now: gives the time, so that a run that lay open does nothing after its last moment.
        gate: reads a gate flag of an environment from the outside, so that a run that lay open
            does nothing after the gate was closed; None when it can't be known.
    """

    effects: Effects
    book: Book
    wait: Callable[[int], None]
    now: Clock
    gate: Callable[[str, str], bool | None]


def apply_run(run: Run, attempt: str, step: StepRunner, tools: Tools) -> Json:
    """Carry out a run and return how it ended: ``status`` done, not_done or undecidable."""
    for number, group in enumerate(_groups(run.changes)):
        step(f"{number}.intent", lambda g=group: _record_intent(run, attempt, g, tools))  # type: ignore[misc]
        trouble = step(f"{number}.perform", lambda g=group: _perform(run, attempt, g, tools))  # type: ignore[misc]
        ended = step(
            f"{number}.outcome",
            lambda g=group, t=trouble: _record_outcome(run, attempt, g, t, tools),  # type: ignore[misc]
        )
        if ended is not None:
            return step("close", lambda e=ended: _close_short(run, attempt, e, tools))  # type: ignore[misc]
    return step("close", lambda: _close_done(run, attempt, tools))


def _groups(changes: Sequence[Change]) -> list[tuple[Change, ...]]:
    """Split changes into runs of one kind: one engine call can carry out many flags."""
    return [tuple(group) for _, group in groupby(changes, key=lambda change: change.kind)]


def _record_intent(run: Run, attempt: str, group: Sequence[Change], tools: Tools) -> Json:
    tools.book.record([intent(run, change, attempt) for change in group], run.context)
    return None


def _perform(run: Run, attempt: str, group: Sequence[Change], tools: Tools) -> Json:
    """Call the effect if it is needed. A trouble is returned, not raised: reading back decides."""
    effect = tools.effects.get(group[0].kind)
    if effect is None:
        return None
    # These entries are there already, so nothing is written. But each write is fenced: a process
    # that lost its lock since then, and whose run somebody else goes on with, stops here.
    tools.book.record([intent(run, change, attempt) for change in group], run.context)
    try:
        standings = [classify(change, effect.observe(change)) for change in group]
        if Standing.UNDECIDABLE in standings:
            return _trouble(_moved(group[standings.index(Standing.UNDECIDABLE)]))
        if effect.always_perform or Standing.NOT_DONE in standings:
            _refuse_late(group, tools.now())
            _refuse_closed(group, tools)
            effect.perform(group, run.context)
    except UnknownOutcomeError as error:
        return {
            "status": "unknown",
            "code": "apply.no_answer",
            "fact": str(error),
            "next": "coh reconcile, once the outside has come to rest",
            "exit_code": UndecidableError.exit_code,
        }
    except OpsError as error:
        return _trouble(error)
    return None


def _refuse_late(group: Sequence[Change], now: datetime) -> None:
    """Refuse an action whose last moment passed while its run lay open after a crash.

    What is done already is recorded whatever the time; only a call that is still to be made is
    held to it.

    Raises:
        RefusedError: ``apply.expired``.
    """
    for change in group:
        if change.kind is not Kind.ACTION:
            continue
        last = datetime.fromisoformat(str(cast("dict[str, Json]", change.after)["not_after"]))
        if now >= last:
            raise RefusedError(
                "apply.expired",
                f"{change.action} of {change.target} was to run before {rfc3339(last)}",
                "raise a new request, if it is still wanted",
            )


def _refuse_closed(group: Sequence[Change], tools: Tools) -> None:
    """Refuse a gated change whose gate was closed, or can't be read, right before the call.

    Raises:
        RefusedError: ``apply.gate_closed``.
        OutsideError: the gate's service failed.
    """
    for change in group:
        if change.gate is not None and tools.gate(change.environment, change.gate) is not True:
            raise RefusedError(
                "apply.gate_closed",
                f"{change.gate} in {change.environment} is not on any more",
                f"coh flag enable {change.gate} --env {change.environment}, then a new request",
            )


def _moved(change: Change) -> OpsError:
    return UndecidableError(
        "apply.undecidable",
        f"{change.target} is neither as expected nor as desired",
        "look at it, then coh reconcile; coh reconcile --settle gives the change up",
    )


def _trouble(error: OpsError) -> Json:
    status = "undecidable" if isinstance(error, UndecidableError) else "failed"
    return {
        "status": status,
        "code": error.code,
        "fact": error.fact,
        "next": error.next_step,
        "exit_code": error.exit_code,
    }


def _record_outcome(
    run: Run, attempt: str, group: Sequence[Change], trouble: Json, tools: Tools
) -> Json:
    """Read back and write it down. Returns None when all is done, else how the run must end."""
    effect = tools.effects.get(group[0].kind)
    found = [(change, *_settled(change, effect, trouble, tools)) for change in group]
    tools.book.record(
        [outcome(run, change, standing.value, attempt, live) for change, live, standing in found],
        run.context,
    )
    if all(standing is Standing.DONE for _, _, standing in found):
        return None
    for change, _, standing in found:
        if standing is Standing.UNDECIDABLE:
            return _ended("undecidable", trouble or _trouble(_moved(change)))
    if _unknown(trouble):
        return _ended("undecidable", trouble)
    return _ended("not_done", trouble or _NO_EFFECT)


def _ended(status: str, trouble: Json) -> Json:
    """Say how a run must end; an undecidable end asks for a human whatever the trouble was."""
    document = dict(cast("dict[str, Json]", trouble))
    code = UndecidableError.exit_code if status == "undecidable" else document["exit_code"]
    return {**document, "status": status, "exit_code": code}


def _unknown(trouble: Json) -> bool:
    return trouble is not None and cast("dict[str, Json]", trouble)["status"] in (
        "unknown",
        "undecidable",
    )


def _settled(
    change: Change, effect: Effect | None, trouble: Json, tools: Tools
) -> tuple[Json, Standing]:
    """Read a change's target until it is done, or until there is no use in reading on."""
    if effect is None:
        return None, Standing.DONE
    tries = 1 if trouble is not None and not _unknown(trouble) else READ_BACKS
    live: Json = None
    standing = Standing.UNDECIDABLE
    for number in range(1, tries + 1):
        try:
            live = effect.observe(change)
        except OpsError as error:
            live, standing = {"unreadable": error.code}, Standing.UNDECIDABLE
        else:
            standing = classify(change, live)
        if standing is Standing.DONE:
            break
        if number < tries:
            tools.wait(number)
    return live, standing


def _close_done(run: Run, attempt: str, tools: Tools) -> Json:
    tools.book.close(
        Closing(
            entries=(),
            environment=run.context.environment,
            change_id=run.context.change_id,
            advance=None if run.previous is None else (run.previous, run.context.commit),
            undecidable=None,
            messages=(told(run, "applied"),),
            holding=True,
        )
    )
    return {"status": "done", "attempt": attempt}


def _close_short(run: Run, attempt: str, ended: Json, tools: Tools) -> Json:
    document = cast("dict[str, Json]", ended)
    undecidable = document["status"] == "undecidable"
    tools.book.close(
        Closing(
            entries=(),
            environment=run.context.environment,
            change_id=run.context.change_id,
            advance=None,
            undecidable=str(document["fact"]) if undecidable else None,
            messages=(told(run, "needs a human" if undecidable else "not applied"),),
            holding=True,
        )
    )
    return {**document, "attempt": attempt}
