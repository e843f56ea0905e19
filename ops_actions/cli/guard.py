"""Errors are caught here, once, and become words and an exit code."""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path

import typer
from typer.core import TyperGroup
from typer.exceptions import Abort, Exit, TyperException

from infra.clients.errors import ClientError
from infra.settings.errors import SettingsError
from ops_actions.adapters.target import PATHS, state_folder
from ops_actions.audit.masking import mask
from ops_actions.cli.output import emit_error, errors_as_json
from ops_actions.errors import BadRequestError, OpsError, OutsideError

BUG = 4


def guarded(  # noqa: PLR0911 - one way out for each kind of error
    app: typer.Typer, arguments: list[str], name: str
) -> int:
    """Run a Typer application and return the exit code.

    Args:
        app: the application of one command or group.
        arguments: what follows ``coh``; a single command's own name included.
        name: the command's name, for usage texts.
    """
    # Before parsing: a command line that can't be parsed is answered as JSON too.
    errors_as_json("--json" in arguments)
    command = typer.main.get_command(app)
    if arguments[:1] == [name]:  # one of several commands in a module, or the only one
        group = isinstance(command, TyperGroup)
        arguments, called = arguments if group else arguments[1:], "coh" if group else f"coh {name}"
    else:
        called = f"coh {name}"
    try:
        result = command.main(args=arguments, prog_name=called, standalone_mode=False)
    except (OpsError, SettingsError, ClientError) as error:
        return emit_error(_ours(error))
    except SystemExit:
        # Typer's own answer to a reader that closed the pipe, and to nothing else.
        raise BrokenPipeError from None
    except Exit as stop:
        return stop.exit_code
    except Abort:
        return 2
    except TyperException as error:
        context = getattr(error, "ctx", None)  # knows which command below a group it was
        path = context.command_path if context else called
        said = error.format_message().rstrip(".")
        return emit_error(BadRequestError("cli.usage", said, f"{path} --help"))
    except KeyboardInterrupt:
        sys.stderr.write("stopped; coh reconcile finishes what was under way\n")
        return 130
    except Exception as error:  # noqa: BLE001 - the last net: our bug, with the trace, masked
        misplaced = _misplaced(error) if isinstance(error, OSError) else None
        if misplaced is not None:
            return emit_error(misplaced)
        sys.stderr.write(str(mask(traceback.format_exc())))
        sys.stderr.write(
            "bug: this is a bug of coh itself\n  next: report it with the lines above\n"
        )
        return BUG
    return result if isinstance(result, int) else 0


def _ours(error: OpsError | SettingsError | ClientError) -> OpsError:
    """Give what escaped from infra the form of our own errors."""
    if isinstance(error, SettingsError):
        fact = f"{error.source}:{error.line}: {error.what}"
        return BadRequestError("declared.invalid", fact, error.write)
    if isinstance(error, ClientError):
        next_step = "coh sandbox status, or try again"
        return OutsideError("outside.failed", str(error), next_step)
    return error


def _misplaced(error: OSError) -> BadRequestError | None:
    """Say which variable names a folder or file that can't be used, None when none of ours does.

    The failing path may lie below the named one, or above it when that could not be made.
    """
    if not isinstance(error.filename, str):
        return None
    failed = Path(error.filename)
    places = {name: Path(os.environ[name]) for name in sorted(PATHS) if os.environ.get(name)}
    for name, place in (places | {"COH_STATE_DIR": state_folder()}).items():
        if failed.is_relative_to(place) or place.is_relative_to(failed):
            fact = f"{name} can't be used: {failed}: {error.strerror}"
            return BadRequestError(
                "target.unusable", fact, f"name a place that you may write to in {name}"
            )
    return None
