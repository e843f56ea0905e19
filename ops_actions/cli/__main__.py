"""``python -m ops_actions.cli``."""

import os
import sys

from ops_actions.cli.main import run

# Piping into head closes the pipe early; that is the reader's right and no error of ours.
try:
    run()
except BrokenPipeError:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    raise SystemExit(0) from None
