#!/usr/bin/env bash
# Watch remote_write survive the loss of mgmt: installs what is missing, builds, starts a real Prometheus, the agent and
# a receiver, takes the receiver away for a minute, kills the agent with -9 in the middle, brings the receiver back, and
# compares every sample on both ends. Ctrl-C leaves nothing behind.
#
#   demo.sh             Debian's Prometheus at both ends; under 8 minutes on a new machine, under 3 the second time
#   demo.sh --thanos    Thanos Receive in mgmt (built with Go 1.26: some minutes the first time)
#   demo.sh --keep      at the end keep everything running to look around, until Ctrl-C
set -euo pipefail
. "$(dirname "$0")/lib.sh"
cd "$root"

thanos=no arguments=()
for argument in "$@"; do
  case $argument in
    --thanos) thanos=yes arguments+=(--thanos) ;;
    --keep) arguments+=(--keep) ;;
    -h | --help) sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "demo: unknown argument: $argument (see --help)" >&2; exit 2 ;;
  esac
done

stage "packages" scripts/install-packages.sh build libraries peers
stage "build (release)" build release tideover tideover-compare
if [ $thanos = yes ]; then
  have_go || { echo "demo: --thanos needs Go 1.26, which builds Thanos" >&2; exit 1; }
  stage "Thanos" tests/peers/build.sh thanos tsdbdump
fi
exec python3 -B scripts/demo.py --binaries build/release "${arguments[@]}"
