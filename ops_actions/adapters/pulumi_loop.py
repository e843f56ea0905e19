"""Closing the event loop that the Pulumi SDK leaves open when a run fails.

The SDK runs the program on a loop of its own, in a thread of its own. When the engine ends first,
tasks of the program fail while the SDK cancels them, and it goes without closing the loop. Each
failed run would keep three sockets open for as long as this process lives.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_GRACE_SECONDS = 2.0
"""How long the SDK's thread may still be at work after the engine has ended."""

_STEP_SECONDS = 0.02


@contextmanager
def tidied(program: Callable[[], None]) -> Iterator[Callable[[], None]]:
    """Give a program whose loops are closed when the block ends, however often it ran."""
    loops: list[asyncio.AbstractEventLoop] = []

    def run() -> None:
        loops.append(asyncio.get_running_loop())
        program()

    try:
        yield run
    finally:
        for loop in loops:
            _close(loop)


def _close(loop: asyncio.AbstractEventLoop) -> None:
    """Close a loop that the SDK has left; one it is still using is left to it."""
    deadline = time.monotonic() + _GRACE_SECONDS
    while not loop.is_closed() and time.monotonic() < deadline:
        time.sleep(_STEP_SECONDS)
    if loop.is_closed() or loop.is_running():
        return
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.wait(tasks, timeout=_GRACE_SECONDS))
    for task in tasks:
        if task.done() and not task.cancelled():
            task.exception()
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()
