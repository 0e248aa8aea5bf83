#!/usr/bin/env bash
# Builds the release binaries and measures Tideover beside Prometheus Agent: three rounds, both agents in turn.
# Options go to tideover-bench (see bench/README.md). Results also go to build/bench/, with the machine's description.
set -euo pipefail
cd "$(dirname "$0")/.."

cmake --preset release >/dev/null
cmake --build --preset release --target tideover tideover-bench >&2

mkdir -p build/bench
out=build/bench/$(date -u +%Y%m%dT%H%M%SZ)
{
  echo "commit:  $(git describe --always --dirty)"
  echo "command: bench/run.sh $*"
  echo "machine: $(uname -srm), $(nproc) x$(sed -n 's/^model name\s*:/ /p' /proc/cpuinfo | head -1), load before$(uptime | sed 's/.*load average://')"
  echo "disk:    $(df --output=source,fstype /var/tmp | tail -1)"
} | tee "$out.txt" >&2
build/release/tideover-bench --rounds 3 "$@" 2> >(tee -a "$out.txt" >&2) | tee "$out.json"
