#!/usr/bin/env bash
# Builds the real peers of the end-to-end tests from Go modules into $PEERS_BIN: thanos, prometheus,
# tsdbdump (reads the data of both), and victoria-logs, a server of Loki's push endpoint, when it is named. What has not changed since its last build is left alone, so a second call takes no time.
# Needs Go 1.26; the first build takes minutes.
#
#   build.sh [peer...]     default: thanos prometheus tsdbdump
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
bin=${PEERS_BIN:-$HOME/.cache/tideover/peers}
mkdir -p "$bin"
export CGO_ENABLED=0

# build PEER MODULE TAGS PACKAGE...: each package becomes $bin/<its last path element>
build() {
  local peer=$1 module=$2 tags=$3 stamp=$bin/.built-$1 started=$SECONDS sum package present=yes
  shift 3
  sum=$( (cd "$here/$module" && find . -type f | sort | xargs cat; echo "$tags $*"; go version) | sha256sum)
  for package in "$@"; do [ -x "$bin/$(basename "$package")" ] || present=no; done
  if [ "$present" = yes ] && [ "$(cat "$stamp" 2>/dev/null)" = "$sum" ]; then return; fi
  rm -f "$stamp"
  for package in "$@"; do
    echo "peers: building $(basename "$package")"
    (cd "$here/$module" && nice -n 10 go build -mod=readonly -tags "$tags" -o "$bin/" "$package")
  done
  echo "$sum" >"$stamp"
  echo "peers: $peer took $((SECONDS - started)) s"
}

peers=("$@")
[ ${#peers[@]} -gt 0 ] || peers=(thanos prometheus tsdbdump)
for peer in "${peers[@]}"; do
  case $peer in
    # Without the tag slicelabels the first write crashes Thanos Receive.
    thanos) build thanos thanos "netgo slicelabels" github.com/thanos-io/thanos/cmd/thanos ;;
    # Nothing is discovered here, and the clients of two dozen clouds are a third of the packages.
    prometheus) build prometheus prometheus remove_all_sd github.com/prometheus/prometheus/cmd/prometheus ;;
    tsdbdump) build tsdbdump prometheus "" ./tsdbdump ;;
    victorialogs) build victorialogs victorialogs "" github.com/VictoriaMetrics/VictoriaLogs/app/victoria-logs ;;
    *) echo "peers: unknown peer: $peer" >&2; exit 2 ;;
  esac
done
