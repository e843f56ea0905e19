# Makes sure that everything is there and exports where: COH_VENV, COH_OPA, COH_PULUMI (the folder that
# holds bin/pulumi), with COH_SETUP_TESTS=yes also COH_ACT and COH_ACTIONLINT; PYTHONPATH is the checkout.
# Sourced: `. "$ROOT/scripts/lib/env.sh"`. PYTHON is the interpreter of the environment.
# shellcheck shell=bash

# shellcheck source=scripts/lib/setup.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/setup.sh"
if [[ "${COH_SETUP_TESTS:-}" == yes ]]; then prepare --tests; else prepare; fi
