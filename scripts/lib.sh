# Shared by the scripts of this folder. Sourced, not run.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export PATH=$PATH:/usr/local/go/bin
export CMAKE_BUILD_PARALLEL_LEVEL=${CMAKE_BUILD_PARALLEL_LEVEL:-$(nproc)}
export CCACHE_DIR=${CCACHE_DIR:-$HOME/.cache/ccache}
# A clone at another path finds what an earlier one compiled.
export CCACHE_BASEDIR=$root CCACHE_NOHASHDIR=1

# have_go: is Go 1.26 or newer here? It builds the peers that Debian does not package.
have_go() {
  local minor
  minor=$(go env GOVERSION 2>/dev/null | sed -n 's/^go1\.\([0-9]*\).*/\1/p')
  [ -n "$minor" ] && [ "$minor" -ge 26 ]
}

# stage NAME COMMAND...: runs it and says how long it took.
stage() {
  local name=$1 started=$SECONDS
  shift
  echo "== $name"
  "$@" || { echo "== $name FAILED after $((SECONDS - started)) s"; return 1; }
  echo "== $name: $((SECONDS - started)) s"
}

# build PRESET [TARGET...]: quiet unless it fails.
build() {
  local preset=$1 log
  shift
  log=$(mktemp)
  if ! (cd "$root" && cmake --preset "$preset" && cmake --build --preset "$preset" ${*:+--target "$@"}) >"$log" 2>&1; then
    tail -n 60 "$log"
    rm -f "$log"
    return 1
  fi
  rm -f "$log"
}
