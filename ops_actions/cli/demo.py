"""``coh demo``: the whole story on real engines, in a sandbox of its own."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer

from ops_actions.cli.output import console, emit_table
from ops_actions.errors import OpsError
from ops_actions.wiring.place import ROOT
from sandbox import control
from sandbox.seed import seed
from sandbox.story.demo import ENVIRONMENT, StoryError, tell
from sandbox.story.stage import Stage

app = typer.Typer(add_completion=False)


@app.command()
def demo(
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave the sandbox up and say how to look around.")
    ] = False,
) -> int:
    """Watch a flag toggle and a production rollback travel from pull request to audit log.

    Example: coh demo --keep
    """
    started = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="coh-demo-"))
    os.environ["COH_STATE_DIR"] = str(folder)
    try:
        code = _run(folder, started)
    finally:
        if not keep:
            control.down()
            shutil.rmtree(folder, ignore_errors=True)
    if keep:
        console().print(f"\nThe sandbox is up. Look around with:\n  export COH_STATE_DIR={folder}")
        for command in ("doctor --sandbox", "audit tail --sandbox", "sandbox token tariq-noor"):
            console().print(f"  scripts/coh {command}")
        console().print("docs/sandbox.md shows more; scripts/coh sandbox down stops it")
    return code


def _run(folder: Path, started: float) -> int:
    with console(errors=True).status("Starting a sandbox …"):
        running = control.up()
    with console(errors=True).status("Filling it: repository, people, services, Pulumi …"):
        seed(ROOT, ENVIRONMENT)
    stage = Stage(folder, running, console())
    stage.check("A sandbox is up and filled", f"{time.monotonic() - started:.1f} s", ok=True)
    try:
        tell(stage)
    except (StoryError, OpsError) as error:
        stage.check("The story could not go on", str(error), ok=False)
    rows = [
        ("yes" if held.ok else "NO", held.what, held.proof, f"{held.seconds:.1f} s")
        for held in stage.held
    ]
    console().print()
    emit_table(f"Demo, {time.monotonic() - started:.0f} s", ("held", "what", "proof", "took"), rows)
    return 0 if all(held.ok for held in stage.held) else 1
