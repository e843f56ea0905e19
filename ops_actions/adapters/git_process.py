"""Running git so that nothing but the objects of one repository can influence the answer."""

from __future__ import annotations

import os
import subprocess
import threading
from typing import IO, TYPE_CHECKING, Self

from ops_actions.errors import BadRequestError, OutsideError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

BLOB_LIMIT = 8 * 1024 * 1024
"""Largest object in bytes that is read; declared state and policies are far below it."""

# Only what git needs to start and what ssh needs to authenticate a fetch; no GIT_* gets through.
_INHERITED = ("PATH", "HOME", "SSH_AUTH_SOCK", "TMPDIR", "SYSTEMROOT")

# Each line closes one way in which configuration or references could change what git reports.
_FIXED = {
    "LC_ALL": "C",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_GRAFT_FILE": os.devnull,
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_LITERAL_PATHSPECS": "1",
}
_CONFIG = (
    "core.quotePath=false",
    f"core.hooksPath={os.devnull}",
    "core.fsmonitor=false",
    "core.attributesFile=",
    "fetch.recurseSubmodules=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "protocol.ext.allow=never",
)


class GitProcess:
    """Runs git on one repository with a closed environment.

    Args:
        folder: a bare repository or the top of a checkout.
        timeout: seconds that one command may take.
    """

    def __init__(self, folder: Path, timeout: float) -> None:
        self.folder = folder.resolve()
        self._timeout = timeout

    def command(self, arguments: Sequence[str]) -> list[str]:
        """Return the whole command line for git's arguments."""
        # An owner other than the caller is normal in CI; only this very folder is trusted for it.
        options = [*_CONFIG, f"safe.directory={self.folder}", f"safe.directory={self.folder}/.git"]
        flags = [part for option in options for part in ("-c", option)]
        return ["git", "-C", str(self.folder), "--no-pager", *flags, *arguments]

    def environment(self) -> Mapping[str, str]:
        """Return the environment of every git process."""
        inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        # Without the ceiling git would walk up and answer for a repository around this folder.
        return {**inherited, **_FIXED, "GIT_CEILING_DIRECTORIES": str(self.folder.parent)}

    def run(
        self, *arguments: str, accept: frozenset[int] = frozenset({0}), timeout: float | None = None
    ) -> tuple[int, bytes]:
        """Run one git command to its end.

        Args:
            arguments: git's arguments, the command first.
            accept: exit codes that are answers rather than failures.
            timeout: seconds, instead of the repository's own limit.

        Returns:
            The exit code and what it wrote to standard output.

        Raises:
            OutsideError: git is missing, took too long or failed.
        """
        limit = self._timeout if timeout is None else timeout
        try:
            done = subprocess.run(
                self.command(arguments),
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=limit,
                check=False,
            )
        except FileNotFoundError:
            raise _missing() from None
        except subprocess.TimeoutExpired:
            raise _slow(arguments[0], limit) from None
        if done.returncode not in accept:
            raise failed(arguments[0], done.returncode, done.stderr)
        return done.returncode, done.stdout

    def objects(self) -> ObjectReader:
        """Return a reader of git objects; use it in a with statement."""
        return ObjectReader(self, self._timeout)


class ObjectReader:
    """One `git cat-file --batch` process that gives object after object.

    The size of an object is known before its content is read, so that a huge one is refused
    without taking memory.
    """

    def __init__(self, git: GitProcess, timeout: float) -> None:
        self._git = git
        self._timeout = timeout
        self._process: subprocess.Popen[bytes] | None = None
        self._watchdog: threading.Timer | None = None
        self._late = False

    def __enter__(self) -> Self:
        try:
            self._process = subprocess.Popen(
                self._git.command(["cat-file", "--batch"]),
                env=self._git.environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        except FileNotFoundError:
            raise _missing() from None
        self._watchdog = threading.Timer(self._timeout, self._expire)
        self._watchdog.daemon = True
        self._watchdog.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._watchdog is not None:
            self._watchdog.cancel()
        process = self._process
        if process is None:
            return
        process.kill()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                _close(pipe)
        process.wait()

    def read(self, name: str, what: str) -> tuple[str, bytes] | None:
        """Return type and content of an object, None when the repository does not have it.

        Args:
            name: 40 hex digits.
            what: what the object is to the reader of an error, such as its path.

        Raises:
            BadRequestError: the object is larger than `BLOB_LIMIT`.
            OutsideError: git died or took too long.
        """
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            raise RuntimeError("the object reader is used outside its with statement")
        try:
            process.stdin.write(name.encode("ascii") + b"\n")
            process.stdin.flush()
        except BrokenPipeError:
            raise self._dead() from None
        header = process.stdout.readline().decode("ascii", "replace").split()
        if header[-1:] == ["missing"]:
            return None
        if len(header) != 3:  # noqa: PLR2004 - name, type and size
            raise self._dead()
        kind, size = header[1], int(header[2])
        if size > BLOB_LIMIT:
            raise BadRequestError(
                "change.file_too_big",
                f"{what} has {size} bytes, the limit is {BLOB_LIMIT}",
                "keep large files out of this repository",
            )
        content = process.stdout.read(size + 1)  # git ends each object with a line feed
        if len(content) != size + 1:
            raise self._dead()
        return kind, content[:-1]

    def _expire(self) -> None:
        self._late = True
        if self._process is not None:
            self._process.kill()

    def _dead(self) -> OutsideError:
        if self._late:
            return _slow("cat-file", self._timeout)
        return failed("cat-file", None, b"")


def _close(pipe: IO[bytes]) -> None:
    try:
        pipe.close()
    except BrokenPipeError:
        # The process is gone on purpose; what was still buffered for it does not matter.
        return


def failed(command: str, code: int | None, message: bytes) -> OutsideError:
    """Return the error for a git command that failed, with the last line that git wrote."""
    lines = message.decode("utf-8", "replace").strip().splitlines()
    said = f": {lines[-1][:200]}" if lines else ""
    ended = "stopped early" if code is None else f"ended with code {code}"
    return OutsideError(
        "git.failed",
        f"git {command} {ended}{said}",
        "check the repository with: git fsck --connectivity-only",
    )


def _missing() -> OutsideError:
    return OutsideError(
        "git.missing",
        "the program git was not found on PATH",
        "install git 2.30 or newer and run the command again",
    )


def _slow(command: str, limit: float) -> OutsideError:
    return OutsideError(
        "git.timeout",
        f"git {command} took longer than {limit:g} seconds",
        "check the disk and the network, then run the command again",
    )
