# The Python environment: made once from requirements.lock, every file checked by its hash.
# Sourced by setup.sh. The project itself is not installed (PYTHONPATH names the checkout), so that
# several checkouts with one lock can share one environment through COH_VENV.
# shellcheck shell=bash

VENV="${COH_VENV:-$ROOT/.venv}"
PYTHON="$VENV/bin/python"
PYTHON_NEEDED=3.11
LOCK="$ROOT/requirements.lock"

# Prints "X.Y", or nothing when the command is no working Python that we support.
python_version() {
  "$1" -I -c 'import sys
if sys.version_info >= (3, 11): print("%d.%d" % sys.version_info[:2])' 2>/dev/null || true
}

# Sets BASE_PYTHON and BASE_VERSION.
find_python() {
  local candidate
  for candidate in ${COH_PYTHON:+"$COH_PYTHON"} python3 python3.13 python3.12 python3.11; do
    command -v "$candidate" >/dev/null || continue
    BASE_PYTHON="$candidate" BASE_VERSION="$(python_version "$candidate")"
    [[ -n "$BASE_VERSION" ]] && return
    [[ "$candidate" == "${COH_PYTHON:-}" ]] && break
  done
  if [[ -n "${COH_PYTHON:-}" ]]; then
    refuse 2 setup.python_version "COH_PYTHON=$COH_PYTHON is not a Python >= $PYTHON_NEEDED" \
      "unset COH_PYTHON, or name a Python >= $PYTHON_NEEDED"
  fi
  refuse 2 setup.python_missing "no Python >= $PYTHON_NEEDED on PATH" \
    "install one (Debian 12, Ubuntu 24.04: apt-get install python3 python3-venv), or name it in COH_PYTHON"
}

lock_hash() {
  [[ -f "$LOCK" ]] || refuse 2 setup.lock_missing "requirements.lock is not there" "run git checkout requirements.lock"
  local sum
  sum="$(sha256sum <"$LOCK")"
  printf '%s' "${sum%% *}"
}

# Says whether the environment is whole and made from this lock by this Python version.
environment_is_current() {
  [[ -x "$PYTHON" && -f "$VENV/coh-environment" && "$(<"$VENV/coh-environment")" == "$1" ]]
}

# A folder that something else made is never cleared: it might be the person's own environment.
refuse_foreign_folder() {
  [[ -e "$VENV" && ! -e "$VENV/coh-environment" ]] || return 0
  [[ -d "$VENV" && -z "$(ls -A -- "$VENV")" ]] && return 0
  refuse 2 setup.environment_foreign "$VENV exists and was not made by scripts/setup" \
    "move it away, or name another folder in COH_VENV"
}

fill_environment() {
  # Not `venv --clear`: the marker stays, or a kill here would leave a folder that we refuse as foreign.
  find "$VENV" -mindepth 1 -maxdepth 1 ! -name coh-environment -exec rm -rf -- {} + &&
    "$BASE_PYTHON" -I -m venv "$VENV" &&
    "$PYTHON" -I -m pip install --quiet --no-input --disable-pip-version-check --no-deps \
      --only-binary :all: --require-hashes --requirement "$LOCK"
}

make_environment() {
  environment_is_current "$1" && return # somebody else made it while we waited for the lock
  refuse_foreign_folder
  "$BASE_PYTHON" -I -c 'import ensurepip, venv' 2>/dev/null ||
    refuse 2 setup.python_venv "$BASE_PYTHON cannot make environments (module venv or ensurepip is missing)" \
      "install it (Debian, Ubuntu: apt-get install python3-venv)"
  mkdir -p -- "$VENV" && printf 'building' >"$VENV/coh-environment"
  slow "installing Python packages for Python $BASE_VERSION" fill_environment ||
    refuse 3 setup.python_packages "pip could not install exactly what requirements.lock names (its words are above)" \
      "check the network and the package index; after an edit of pyproject.toml run scripts/lock"
  printf '%s' "$1" >"$VENV/coh-environment"
}

# After find_python.
setup_python() {
  local key
  key="lock=$(lock_hash) python=$BASE_VERSION"
  environment_is_current "$key" || locked "$VENV.lock" make_environment "$key"
}
