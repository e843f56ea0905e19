"""Start, stop and look at the sandbox of a state folder."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psutil

from ops_actions.adapters.target import read_connections, state_folder
from ops_actions.errors import OutsideError
from ops_actions.wiring.place import ROOT
from sandbox import database
from sandbox.daemon import people
from sandbox.home import Home, home, make_folder, prepare

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

START_SECONDS = 60.0
STOP_SECONDS = 30.0

_children: dict[int, subprocess.Popen[bytes]] = {}
"""Daemons that this process started; the one that stops such a daemon reaps it."""


@dataclass(frozen=True, slots=True)
class Running:
    """A sandbox that is up.

    Attributes:
        urls: address of each emulated service.
        tokens: GitHub token by login.
        values: the ``COH_…`` values of its services.
        key: opens the emulators' own routes.
    """

    pid: int
    urls: dict[str, str]
    tokens: dict[str, str]
    values: dict[str, str]
    key: str


def status(place: Home | None = None) -> Running | None:
    """Return the running sandbox of the state folder, None when it is down.

    Raises:
        BadRequestError: ``sandbox.bad_connections``, something else wrote its addresses.
    """
    place = place or home()
    stored = read_connections(place.folder)
    if stored is None or not _is_daemon(stored.pid, place):
        return None
    return Running(stored.pid, stored.urls, stored.tokens, stored.values, stored.key)


def up(place: Home | None = None) -> Running:
    """Start the sandbox; one that runs is left as it is.

    Args:
        place: its state folder; by default the one that ``COH_STATE_DIR`` names.

    Raises:
        BadRequestError: the folder can't be one of a sandbox.
        OutsideError: it did not come up; names the log.
    """
    place = place or home()
    running = status(place)
    if running is not None:
        return running
    make_folder(place)
    with _alone(place):
        # Somebody else may have started it while we waited.
        running = status(place)
        if running is not None:
            return running
        prepare(place, people())  # alone: two first starts would each make secrets of their own
        return _start(place)


def _start(place: Home) -> Running:
    place.connections.unlink(missing_ok=True)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COH_STATE_DIR": str(place.folder)}
    with place.log.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "sandbox.daemon"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    _children[process.pid] = process
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        running = status(place)
        if running is not None:
            return running
        if process.poll() is not None:
            break
        time.sleep(0.02)
    _stop(process.pid)
    raise OutsideError(
        "sandbox.start_failed",
        f"the sandbox in {place.folder} did not come up: {_last_line(place.log)}",
        f"read {place.log}",
    )


def down(place: Home | None = None) -> bool:
    """Stop the sandbox and everything it started; tells whether there was one."""
    place = place or home()
    if not place.marker.is_file():  # whatever lies there is not ours to stop
        return False
    with _alone(place):
        running = status(place)
        if running is not None:
            _stop(running.pid)
        # A daemon that was killed leaves its Postgres behind.
        place.connections.unlink(missing_ok=True)
        database.stop(place.database)
    return running is not None


@contextmanager
def _alone(place: Home) -> Iterator[None]:
    """Let one process at a time start or stop a sandbox; the lock ends with its process."""
    folder = os.open(place.folder, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _stop(pid: int) -> None:
    try:
        process = _children.pop(pid, None) or psutil.Process(pid)
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_SECONDS)
        except (psutil.TimeoutExpired, subprocess.TimeoutExpired):
            process.kill()
            process.wait(STOP_SECONDS)
    except psutil.NoSuchProcess:
        return  # it went by itself meanwhile


def _is_daemon(pid: int, place: Home) -> bool:
    """Tell this folder's daemon from a process that got its number later, or another sandbox's."""
    try:
        process = psutil.Process(pid)
        if "sandbox.daemon" not in process.cmdline():
            return False
        return state_folder(process.environ()).resolve() == place.folder.resolve()
    except (psutil.Error, ValueError):  # a number below 0 is no process either
        return False


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1] if lines else "it printed nothing"
