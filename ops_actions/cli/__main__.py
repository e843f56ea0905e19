"""``python -m ops_actions.cli``."""

from ops_actions.cli.main import run

run()
