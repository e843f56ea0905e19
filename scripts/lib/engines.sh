# The engines: programs that are not Python. Sourced by setup.sh.
# For each: the one that COH_<NAME> names, or on PATH if its version is in range, or in the cache, or
# built from tools/<name>/go.mod, whose go.sum pins every byte. The pinned version stands only in go.mod.
# shellcheck shell=bash

ENGINES_ALWAYS=(opa pulumi)
ENGINES_TESTS=(act actionlint)

# The Go module that carries the version, and the range that the project is tested with.
declare -A ENGINE_MODULE=(
  [opa]=github.com/open-policy-agent/opa
  [pulumi]=github.com/pulumi/pulumi/pkg/v3
  [act]=github.com/nektos/act
  [actionlint]=github.com/rhysd/actionlint
)
declare -A ENGINE_FROM=([opa]=1.4 [pulumi]=3.259 [act]=0.2.89 [actionlint]=1.7.12)
declare -A ENGINE_BELOW=([opa]=2 [pulumi]=4 [act]=0.3 [actionlint]=2)
# Words for the progress line, on two cores and an empty Go cache.
declare -A ENGINE_TAKES=([opa]="about a minute" [pulumi]="about six minutes" [act]="about two minutes" [actionlint]="half a minute")

declare -A ENGINE_PATH=() # filled by setup_engine: name -> program

# version_less A B: numbers between dots compared as numbers; missing ones are 0.
version_less() {
  local -a a b
  local i
  IFS=. read -r -a a <<<"$1"
  IFS=. read -r -a b <<<"$2"
  for i in 0 1 2; do
    ((10#${a[i]:-0} < 10#${b[i]:-0})) && return 0
    ((10#${a[i]:-0} > 10#${b[i]:-0})) && return 1
  done
  return 1
}

in_range() {
  [[ -n "$2" ]] && ! version_less "$2" "${ENGINE_FROM[$1]}" && version_less "$2" "${ENGINE_BELOW[$1]}"
}

range_of() { printf '>=%s,<%s' "${ENGINE_FROM[$1]}" "${ENGINE_BELOW[$1]}"; }

# The version that tools/<name>/go.mod pins, without the "v".
pinned_version() {
  local first second third
  while read -r first second third _; do
    [[ "$first" == require ]] && first="$second" second="$third"
    [[ "$first" == "${ENGINE_MODULE[$1]}" ]] && printf '%s' "${second#v}" && return
  done <"$ROOT/tools/$1/go.mod"
  refuse 2 setup.engine_pin "tools/$1/go.mod does not require ${ENGINE_MODULE[$1]}" "restore tools/$1/go.mod"
}

# Prints X.Y.Z as the program says it; nothing when it does not run or says nothing.
engine_version() {
  local -a words
  case "$1" in
    opa | pulumi) words=(version) ;;
    act) words=(--version) ;;
    actionlint) words=(-version) ;;
  esac
  local said scratch
  scratch="$(mktemp -d)" # Pulumi makes its home and act looks for files wherever they are asked
  said="$(cd "$scratch" && PULUMI_HOME="$scratch" PULUMI_SKIP_UPDATE_CHECK=true \
    timeout 30 "$2" "${words[@]}" 2>/dev/null </dev/null || true)"
  rm -rf -- "$scratch"
  [[ "$said" =~ ([0-9]+\.[0-9]+\.[0-9]+) ]] && printf '%s' "${BASH_REMATCH[1]}"
  return 0
}

# COH_PULUMI is a folder (the Automation API wants the one that holds bin/pulumi), the others are programs.
engine_variable() { printf 'COH_%s' "${1^^}"; }
engine_program() { if [[ "$1" == pulumi ]]; then printf '%s/bin/pulumi' "$2"; else printf '%s' "$2"; fi; }
engine_value() { if [[ "$1" == pulumi ]]; then printf '%s' "${2%/bin/pulumi}"; else printf '%s' "$2"; fi; }

# A program that a person names wins, and is never silently replaced by another when it is unfit.
# Sets ENGINE_PATH[name], if there is such a name.
named_engine() {
  local variable program version
  variable="$(engine_variable "$1")"
  [[ -n "${!variable:-}" ]] || return 0
  program="$(engine_program "$1" "${!variable}")"
  [[ -x "$program" ]] ||
    refuse 2 setup.engine_missing "$variable names ${!variable}, but $program is no program" \
      "unset $variable, or name $1 $(range_of "$1")"
  version="$(engine_version "$1" "$program")"
  in_range "$1" "$version" ||
    refuse 2 setup.engine_version "$variable names $1 ${version:-of unknown version}; needed is $(range_of "$1")" \
      "unset $variable, or name $1 $(range_of "$1")"
  ENGINE_PATH[$1]="$program"
}

usable() {
  [[ -x "$2" ]] || return 1
  [[ "$1" != pulumi || "$2" == */bin/pulumi ]] || return 1
  in_range "$1" "$(engine_version "$1" "$2")"
}

# After named_engine. Sets ENGINE_PATH[name].
setup_engine() {
  local name="$1" version found
  [[ -z "${ENGINE_PATH[$name]:-}" ]] || return 0
  found="$(type -P "$name" || true)"
  if ! usable "$name" "$found"; then
    version="$(pinned_version "$name")"
    found="$CACHE/engines/$name-$version/bin/$name"
    usable "$name" "$found" ||
      locked "$CACHE/engines/$name.lock" build_engine_once "$name" "$version" "$found"
  fi
  ENGINE_PATH[$name]="$found"
}
