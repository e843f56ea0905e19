"""Rehearse a crash: apply like `coh apply`, and die by SIGKILL at a chosen point of the run.

    python -m sandbox.crash COMMIT 0.perform:worked

The point ``0.perform:worked`` lies between the outside call and its record, the worst one.
"""

from __future__ import annotations

import os
import signal
import sys

from ops_actions.flow.apply import apply_upto
from ops_actions.flow.reconcile import reconcile
from ops_actions.wiring import place
from ops_actions.wiring.apply import apply_tools

RECONCILE = "-"
"""In place of a commit: rehearse a crash of `coh reconcile` itself."""


def main(commit: str, point: str) -> int:
    """Apply up to a commit of the sandbox and die when the point is reached.

    Returns:
        0 when the run ended before the point was reached.
    """

    def watch(reached: str) -> None:
        if reached == point:
            os.kill(os.getpid(), signal.SIGKILL)

    with apply_tools(place.target(sandbox=True), None, watch) as tools:
        if commit == RECONCILE:
            reconcile(tools, place.now())
        else:
            apply_upto(tools, commit, place.now())
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
