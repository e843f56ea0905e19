"""One stack in one working folder: how the Pulumi engine is started.

The engine runs the program inside this process (Automation API); its provider is served from this
process as well. Nothing is taken from the person's own Pulumi set-up.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pulumi.automation import LocalWorkspace, PulumiCommand, Stack
from pulumi.automation.errors import StackNotFoundError
from semver import VersionInfo

from ops_actions.adapters.pulumi_run import translated
from ops_actions.adapters.pulumi_steps import PROJECT
from ops_actions.errors import OutsideError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_PROJECT_FILE = f"name: {PROJECT}\nruntime: python\n"
_VERSION_SECONDS = 30


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """Where the engine is and where it keeps its things.

    Attributes:
        root: folder that holds `bin/pulumi`.
        backend_url: where states live, such as ``file:///var/lib/coh/state``; a folder must exist.
        passphrase_file: holds the passphrase that the states' secrets are encrypted with.
        home: the engine's own folder, made when missing.
        work_dir: holds the project's and the stacks' settings, made when missing; never the
            repository, so that two commits and two sandboxes can't meet in it.
        stack_files: `Pulumi.<environment>.yaml` by environment, copied into `work_dir`; they name
            the secrets provider of a shared state.
        secrets: texts that must never appear in an error.
    """

    root: Path
    backend_url: str
    passphrase_file: Path
    home: Path
    work_dir: Path
    stack_files: Mapping[str, Path]
    secrets: tuple[str, ...] = ()


class _Command(PulumiCommand):
    """The engine's program, asked for its version with our environment instead of the process'.

    The SDK's own class asks with the process' environment and thereby writes to the person's
    home folder.
    """

    def __init__(self, root: Path, env: Mapping[str, str]) -> None:
        self.command = str(root / "bin" / "pulumi")
        try:
            answer = subprocess.run(
                [self.command, "version"],
                env=dict(env),
                capture_output=True,
                text=True,
                check=True,
                timeout=_VERSION_SECONDS,
            )
            self.version = VersionInfo.parse(answer.stdout.strip().removeprefix("v"))
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            raise OutsideError(
                "infra.engine_missing",
                f"the Pulumi engine does not tell its version ({type(error).__name__})",
                "scripts/setup",
            ) from error


def open_stack(
    options: EngineOptions, environment: str, program: Callable[[], None], port: int
) -> Stack:
    """Return the stack of an environment; make it when there is none.

    Args:
        options: where everything is.
        environment: name of the stack.
        program: declares the resources.
        port: where the provider listens on the loopback address.

    Raises:
        OutsideError: the engine is missing, or can't open the state.
    """
    found = find_stack(options, environment, program, port)
    if found is not None:
        return found
    with translated(environment, options.secrets):
        return Stack.create(environment, _workspace(options, options.work_dir, program, port))


def find_stack(
    options: EngineOptions, environment: str, program: Callable[[], None], port: int
) -> Stack | None:
    """Return the stack of an environment, None when there is none; as `open_stack`."""
    _prepare(options, environment)
    with translated(environment, options.secrets):
        try:
            return Stack.select(environment, _workspace(options, options.work_dir, program, port))
        except StackNotFoundError:
            return None


@contextmanager
def empty_stack(
    options: EngineOptions, environment: str, program: Callable[[], None], port: int
) -> Iterator[Stack]:
    """Give a stack on an empty state that vanishes: who only looks must leave nothing behind."""
    with tempfile.TemporaryDirectory(prefix="coh-preview-") as name:
        folder = Path(name)
        throw_away = replace(options, backend_url=folder.as_uri(), work_dir=folder / "work")
        _prepare(throw_away, environment)
        workspace = _workspace(throw_away, throw_away.work_dir, program, port)
        with translated(environment, options.secrets):
            stack = Stack.create(environment, workspace)
        yield stack


def _prepare(options: EngineOptions, environment: str) -> None:
    """Make the folders and put the settings files there; the state names the rest."""
    options.home.mkdir(parents=True, exist_ok=True)
    options.work_dir.mkdir(parents=True, exist_ok=True)
    (options.work_dir / "Pulumi.yaml").write_text(_PROJECT_FILE, encoding="utf-8")
    stack_file = options.stack_files.get(environment)
    if stack_file is not None:
        shutil.copyfile(stack_file, options.work_dir / f"Pulumi.{environment}.yaml")


def _workspace(
    options: EngineOptions, work_dir: Path, program: Callable[[], None], port: int
) -> LocalWorkspace:
    env = {
        "PULUMI_BACKEND_URL": options.backend_url,
        "PULUMI_HOME": str(options.home),
        "PULUMI_CONFIG_PASSPHRASE_FILE": str(options.passphrase_file),
        "PULUMI_DEBUG_PROVIDERS": f"opshub:{port}",
        "PULUMI_DIY_BACKEND_GZIP": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }
    return LocalWorkspace(
        work_dir=str(work_dir),
        env_vars=env,
        program=program,
        pulumi_command=_Command(options.root, {**os.environ, **env}),
    )
