"""A small machine of its own for scripts/: a home, a PATH with chosen programs, a tiny checkout.

The scripts under test are the real ones. What surrounds them is made up: engines and Go are
programs of a few lines, and the lock names one wheel of a few bytes, installed by the real pip
without a network.
"""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
ENGINES = {"opa": "1.22.2", "pulumi": "3.259.0", "act": "0.2.89", "actionlint": "1.7.12"}
_TOOLS = (
    *("bash", "cat", "chmod", "cut", "dirname", "env", "find", "flock", "ls", "mkdir", "mktemp"),
    *("mv", "readlink", "rm", "sed", "sha256sum", "sleep", "stat", "timeout"),
)
_MODULES = {
    "opa": ("github.com/open-policy-agent/opa", "github.com/open-policy-agent/opa"),
    "pulumi": ("github.com/pulumi/pulumi/pkg/v3", "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"),
    "act": ("github.com/nektos/act", "github.com/nektos/act"),
    "actionlint": ("github.com/rhysd/actionlint", "github.com/rhysd/actionlint/cmd/actionlint"),
}
# Builds what it is told to build: a program that says the version of the folder's go.mod. It leaves
# a line per build, and insists on the settings that keep a person's Go from changing the result.
_GO = """#!/usr/bin/env bash
set -euo pipefail
if [[ "$1" == env ]]; then echo "go{version}"; exit; fi
[[ "$1" == build && "$GOTOOLCHAIN" == local && "$GOFLAGS" == '' && "$GOWORK" == off ]]
[[ " $* " == *' -mod=readonly '* ]]
echo "${{PWD##*/}}" >> "{log}"
while [[ "$1" != -o ]]; do shift; done
sleep 0.3
{body}
"""
_BUILDS = """mkdir -p "$(dirname "$2")"
printf '#!/bin/sh\\necho "version v{said}"\\n' \\
  "$(sed -n 's/^require [^ ]* v//p' go.mod | cut -d ' ' -f 1)" > "$2"
chmod +x "$2" """


@dataclass(frozen=True, slots=True)
class Machine:
    """Folders of one made-up machine.

    Args:
        folder: holds `home`, `bin` (the whole PATH), `checkout` and `wheels`.
        venv: where COH_VENV points, or None for the default.
    """

    folder: Path
    venv: Path | None = None

    @property
    def checkout(self) -> Path:
        """A checkout whose path has a space in it."""
        return self.folder / "the checkout"

    @property
    def environment(self) -> Path:
        """The Python environment that the set-up makes."""
        return self.venv or self.checkout / ".venv"

    @property
    def cache(self) -> Path:
        """Where engines are kept."""
        return self.folder / "home" / ".cache" / "clarivum-ops" / "engines"

    @property
    def builds(self) -> list[str]:
        """Names of the engines that were built, in order."""
        log = self.folder / "builds"
        return log.read_text(encoding="utf-8").split() if log.exists() else []

    def variables(self, **more: str) -> dict[str, str]:
        """All that a program on this machine sees of its environment."""
        wheels = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(self.folder / "wheels")}
        venv = {"COH_VENV": str(self.venv)} if self.venv else {}
        home = {"HOME": str(self.folder / "home"), "PATH": str(self.folder / "bin")}
        return {**home, **wheels, **venv, **more}

    def start(self, script: str, *words: str, **variables: str) -> subprocess.Popen[str]:
        """Starts a script of the checkout."""
        return subprocess.Popen(
            [str(self.checkout / script), *words],
            env=self.variables(**variables),
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, script: str, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Runs a script of the checkout to its end."""
        process = self.start(script, *words, **variables)
        output, error = process.communicate()
        return subprocess.CompletedProcess(process.args, process.returncode, output, error)

    def install(self, name: str, text: str) -> Path:
        """Puts a program on PATH."""
        return _program(self.folder / "bin" / name, text)

    def install_engine(self, name: str, version: str) -> Path:
        """Puts an engine on PATH that says this version."""
        return self.install(name, f"#!/bin/sh\necho 'version v{version}'\n")

    def install_engines(self) -> None:
        """Puts OPA and Pulumi on PATH, in the versions that are pinned."""
        for name in ("opa", "pulumi"):
            self.install_engine(name, ENGINES[name])

    def install_go(self, version: str, body: str | None = None, said: str = "%s") -> None:
        """Puts a Go on PATH: `body` is what its build does, `said` the version it builds in."""
        log = self.folder / "builds"
        build = body if body is not None else _BUILDS.format(said=said)
        self.install("go", _GO.format(version=version, log=log, body=build))

    def write_lock(self, digest: str | None = None) -> None:
        """Writes the lock: the tiny wheel, by its true hash or another."""
        (wheel,) = (self.folder / "wheels").iterdir()
        true_digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        (self.checkout / "requirements.lock").write_text(
            f"tiny==1.0 --hash=sha256:{digest or true_digest}\n", encoding="utf-8"
        )


def make_machine(folder: Path, venv: Path | None = None) -> Machine:
    """A machine with Python and Go 1.26.5 and none of the engines."""
    machine = Machine(folder, venv)
    for name in ("home", "bin", "wheels"):
        (folder / name).mkdir(parents=True)
    for tool in _TOOLS:
        (folder / "bin" / tool).symlink_to(_found(tool))
    (folder / "bin" / "python3").symlink_to(Path(sys.base_prefix) / "bin" / "python3")
    shutil.copytree(ROOT / "scripts", machine.checkout / "scripts")
    for name, (module, package) in _MODULES.items():
        pins = machine.checkout / "tools" / name
        pins.mkdir(parents=True)
        (pins / "go.mod").write_text(
            f"module tools/{name}\n\ngo 1.26.0\n\ntool {package}\n\n"
            f"require {module} v{ENGINES[name]} // indirect\n",
            encoding="utf-8",
        )
        (pins / "go.sum").write_text("", encoding="utf-8")
    _write_wheel(folder / "wheels" / "tiny-1.0-py3-none-any.whl")
    machine.write_lock()
    machine.install_go("1.26.5")
    return machine


def make_environment(folder: Path) -> Path:
    """A Python environment as scripts/setup makes it, for machines to share.

    Raises:
        RuntimeError: the set-up refused; the message is its own.
    """
    machine = make_machine(folder, folder / "environment")
    machine.install_engines()
    run = machine.run("scripts/setup")
    if run.returncode:
        raise RuntimeError(run.stderr)
    return machine.environment


def snapshot(*folders: Path) -> dict[str, tuple[int, int]]:
    """Every path below the folders with its time of change (ns) and size (bytes)."""
    paths = [path for folder in folders for path in (folder, *folder.rglob("*"))]
    return {str(path): (path.lstat().st_mtime_ns, path.lstat().st_size) for path in paths}


def _found(tool: str) -> Path:
    path = shutil.which(tool, path=os.defpath)
    if path is None:
        raise FileNotFoundError(f"{tool} is not installed on this machine")
    return Path(path)


def _program(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
    return path


def _write_wheel(path: Path) -> None:
    files = {
        "tiny.py": "SIZE = 'tiny'\n",
        "tiny-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n",
        "tiny-1.0.dist-info/WHEEL": (
            "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        ),
    }
    record = "tiny-1.0.dist-info/RECORD"
    lines = [f"{name},{_hash(text)},{len(text)}" for name, text in files.items()]
    with zipfile.ZipFile(path, "w") as wheel:
        for name, text in {**files, record: "\n".join([*lines, f"{record},,\n"])}.items():
            wheel.writestr(zipfile.ZipInfo(name), text)


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256={base64.urlsafe_b64encode(digest).decode().rstrip('=')}"
