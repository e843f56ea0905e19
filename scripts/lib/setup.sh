# The set-up as one function: `prepare [--tests]` leaves Python and the engines ready and exported.
# Sourced by scripts/setup and, through env.sh, by every other script.
# shellcheck shell=bash

# shellcheck source=scripts/lib/common.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
# shellcheck source=scripts/lib/python.sh
. "$ROOT/scripts/lib/python.sh"
# shellcheck source=scripts/lib/engines.sh
. "$ROOT/scripts/lib/engines.sh"
# shellcheck source=scripts/lib/build.sh
. "$ROOT/scripts/lib/build.sh"

WANTED=("${ENGINES_ALWAYS[@]}") # names of engines, in the order in which they are looked for

# Everything that the result depends on, as one hash: pins, these scripts, what PATH and the person offer.
setup_key() {
  local name variable sum
  sum="$({
    printf '%s\n' "$VENV" "$(type -P "${COH_PYTHON:-python3}" || true)"
    for name in "${WANTED[@]}"; do
      variable="$(engine_variable "$name")"
      printf '%s=%s %s\n' "$variable" "${!variable:-}" "$(type -P "$name" || true)"
    done
    cat -- "$LOCK" "$ROOT"/tools/*/go.{mod,sum} "$ROOT"/scripts/lib/*.sh
  } 2>/dev/null | sha256sum)"
  printf '%s' "${sum%% *}"
}

# A program that was replaced in place shows in its size, time or inode.
fingerprint() {
  local name
  local -a programs=("$PYTHON")
  for name in "${WANTED[@]}"; do programs+=("${ENGINE_PATH[$name]:-}"); done
  stat -L -c '%n %s %Y %i' -- "${programs[@]}" 2>/dev/null || true
}

# The answer of an earlier run with the same key, if all that it names is still as it was.
recall() {
  local stamp="$1" name recorded=''
  [[ -f "$stamp" ]] || return 1
  {
    for name in "${WANTED[@]}"; do read -r "ENGINE_PATH[$name]"; done
    read -r -d '' recorded || true
  } <"$stamp"
  [[ -n "$recorded" && "$recorded" == "$(fingerprint)" ]]
}

remember() {
  local stamp="$1" name
  mkdir -p -- "$(dirname -- "$stamp")"
  {
    for name in "${WANTED[@]}"; do printf '%s\n' "${ENGINE_PATH[$name]}"; done
    fingerprint
  } >"$stamp.$$"
  mv -f -- "$stamp.$$" "$stamp"
}

export_all() {
  local name
  for name in "${WANTED[@]}"; do
    export "$(engine_variable "$name")=$(engine_value "$name" "${ENGINE_PATH[$name]}")"
  done
  export COH_VENV="$VENV" PYTHONPATH="$ROOT"
}

# prepare [--tests]: everything there and exported, quickly when nothing has changed since last time.
prepare() {
  local stamp name
  [[ "${1:-}" == --tests ]] && WANTED+=("${ENGINES_TESTS[@]}")
  need sha256sum coreutils
  stamp="$VENV/coh-setup/$(setup_key)"
  if ! recall "$stamp"; then
    ENGINE_PATH=() # a stamp that no longer holds may have filled it
    # What can only end in a refusal comes before what takes minutes.
    find_python
    for name in "${WANTED[@]}"; do named_engine "$name"; done
    setup_python
    for name in "${WANTED[@]}"; do setup_engine "$name"; done
    remember "$stamp"
  fi
  export_all
}
