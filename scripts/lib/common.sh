# Shared by the scripts of this folder: where we are, how we speak, how we fail.
# Sourced, never run. Expects bash 4.4 or later and `set -euo pipefail` in the caller.
# shellcheck shell=bash

if ((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] < 404)); then
  printf 'setup.bash_version: bash %s is too old, needed is >= 4.4\n  next: install a newer bash\n' "$BASH_VERSION" >&2
  exit 2
fi

ROOT="$(dirname -- "$(dirname -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")")")"
CACHE="${XDG_CACHE_HOME:-${HOME:?HOME is not set}/.cache}/clarivum-ops"

# Colours only where a person looks: pipes, files and CI logs get plain text.
BOLD='' RED='' PLAIN=''
if [[ -t 2 && -z "${NO_COLOR:-}" ]]; then
  BOLD=$'\e[1m' RED=$'\e[31m' PLAIN=$'\e[0m'
fi

# Everything said goes to standard error, so that `scripts/coh … --json` stays clean.
say() { printf '%s\n' "$*" >&2; }

# refuse EXIT_CODE RULE FACT NEXT: the three things that every refusal names.
refuse() {
  printf '%s%s%s: %s\n  next: %s\n' "$RED" "$2" "$PLAIN" "$3" "$4" >&2
  exit "$1"
}

# slow TITLE COMMAND…: a step that can take longer than two seconds, with its duration.
slow() {
  local title="$1" began=$SECONDS
  shift
  say "${BOLD}…${PLAIN} ${title}"
  "$@" || return
  say "  done in $((SECONDS - began)) s"
}

# need COMMAND PACKAGE: a plain tool of the machine that the set-up cannot do without.
need() {
  command -v "$1" >/dev/null ||
    refuse 2 setup.tool_missing "$1 is not on PATH" "install it (Debian, Ubuntu: apt-get install $2)"
}

# locked FILE COMMAND…: one at a time on this machine; the lock ends with the process that holds it.
locked() {
  local file="$1" handle
  shift
  need flock util-linux
  mkdir -p -- "$(dirname -- "$file")"
  exec {handle}>>"$file"
  if ! flock --nonblock "$handle"; then
    say "${BOLD}…${PLAIN} waiting for another set-up on this machine"
    flock "$handle"
  fi
  "$@"
  exec {handle}>&-
}
