"""Errors are caught here, once, and become words and an exit code."""

from __future__ import annotations

import sys
import traceback

import typer
from typer.core import TyperGroup
from typer.exceptions import Abort, Exit, TyperException

from infra.clients.errors import ClientError
from infra.settings.errors import SettingsError
from ops_actions.audit.masking import mask
from ops_actions.cli.output import emit_error
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
    command = typer.main.get_command(app)
    if arguments[:1] == [name]:  # one of several commands in a module, or the only one
        group = isinstance(command, TyperGroup)
        arguments, called = arguments if group else arguments[1:], "coh" if group else f"coh {name}"
    else:
        called = f"coh {name}"
    try:
        result = command.main(args=arguments, prog_name=called, standalone_mode=False)
    except OpsError as error:
        return emit_error(error)
    except SettingsError as error:
        return emit_error(
            BadRequestError(
                "declared.invalid", f"{error.source}:{error.line}: {error.what}", error.write
            )
        )
    except ClientError as error:
        return emit_error(
            OutsideError("outside.failed", str(error), "coh sandbox status, or try again")
        )
    except Exit as stop:
        return stop.exit_code
    except Abort:
        return 2
    except TyperException as error:
        sys.stderr.write(f"cli.usage: {error}\n  next: coh {name} --help\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("stopped; coh reconcile finishes what was under way\n")
        return 130
    except Exception:  # noqa: BLE001 - the last net: say it is our bug, with the trace, masked
        sys.stderr.write(str(mask(traceback.format_exc())))
        sys.stderr.write(
            "bug: this is a bug of coh itself\n  next: report it with the lines above\n"
        )
        return BUG
    return result if isinstance(result, int) else 0
