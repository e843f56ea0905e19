# Building an engine from tools/<name>/go.mod into the cache. Sourced by setup.sh.
# shellcheck shell=bash

# Sets GO: a Go that is new enough for tools/<name>/go.mod. GitHub's runners name their other versions
# in GOROOT_<version> variables. The Go that we find is used as it is: it may not fetch another Go.
find_go() {
  local name="$1" needed word candidate root version found=''
  while read -r word needed _; do [[ "$word" == go ]] && break; done <"$ROOT/tools/$name/go.mod"
  local -a candidates=()
  candidate="$(type -P go || true)"
  [[ -n "$candidate" ]] && candidates+=("$candidate")
  for root in "${!GOROOT_1_@}"; do candidates+=("${!root}/bin/go"); done
  for candidate in ${candidates[@]+"${candidates[@]}"}; do
    version="$(GOTOOLCHAIN=local "$candidate" env GOVERSION 2>/dev/null || true)"
    version="${version#go}"
    [[ "$version" =~ ^[0-9]+(\.[0-9]+)*$ ]] || continue
    found="${found:-$version}"
    version_less "$version" "$needed" || { GO="$candidate"; return; }
  done
  refuse 2 setup.go_missing \
    "$name $(range_of "$name") is neither on PATH nor in the cache, and building it needs Go >= $needed (found: ${found:-none})" \
    "install $name $(range_of "$name") (name it in $(engine_variable "$name")) or Go >= $needed"
}

# Upstream's release build gives pulumi its version by the linker; the others carry it in their source.
linker_flags() {
  local flags='-s -w'
  [[ "$1" == pulumi ]] && flags+=" -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v$2"
  printf '%s' "$flags"
}

go_build() {
  local name="$1" version="$2" output="$3" package
  package="$(cd "$ROOT/tools/$name" && sed -n 's/^tool //p' go.mod)"
  # The person's own Go settings must not change what we build: no flags, no workspace, no other Go.
  (cd "$ROOT/tools/$name" && env GOTOOLCHAIN=local GOFLAGS='' GOWORK=off CGO_ENABLED=0 \
    "$GO" build -mod=readonly -trimpath -buildvcs=false \
    -ldflags "$(linker_flags "$name" "$version")" -o "$output" "$package")
}

# build_engine_once NAME VERSION PROGRAM: under the lock of this engine. The program appears whole or not at all.
build_engine_once() {
  local name="$1" version="$2" program="$3" folder scratch
  usable "$name" "$program" && return # somebody else built it while we waited for the lock
  find_go "$name"
  folder="$(dirname -- "$(dirname -- "$program")")"
  scratch="$(mktemp -d -- "$CACHE/engines/.$name-XXXXXX")"
  slow "building $name $version from tools/$name (${ENGINE_TAKES[$name]}, once)" \
    go_build "$name" "$version" "$scratch/bin/$name" || {
    rm -rf -- "$scratch"
    refuse 3 setup.engine_build "Go could not build $name $version from tools/$name (its words are above)" \
      "check the network and the Go module proxy, or install $name $(range_of "$name") and name it in $(engine_variable "$name")"
  }
  chmod 0755 "$scratch" # mktemp keeps it to the owner; a shared cache is read by others
  rm -rf -- "$folder"
  mv -T -- "$scratch" "$folder"
  usable "$name" "$program" ||
    refuse 3 setup.engine_build "the $name that was built says version '$(engine_version "$name" "$program")', not $version" \
      "report it: tools/$name/go.mod and scripts/lib/engines.sh disagree"
}
