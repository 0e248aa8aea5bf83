#!/usr/bin/env bash
# Builds the release binaries and takes every figure of docs/PERFORMANCE.md, Prometheus Agent beside Tideover.
#
#   bench/run.sh [--quick] [SCENARIO...] [-- OPTION...]     about 40 minutes; --quick: about 4, to see that all works
#
# Scenarios (default: all): limits rw1 rw2 latency chart chart-outage outage backlog rest syncs logs; bench/README.md says what each
# is. Options behind -- go to every tideover-bench. Results go to build/bench/: one JSON per run (.json), verdicts on the
# targets (.targets.json) and the tables (.md). The exit code is 0 only when every run counted and every target was met.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=60 rounds=3 gigabytes=10 count_seconds=10
scenarios=()
while [ $# -gt 0 ]; do
  case $1 in
    --quick) seconds=6 rounds=1 gigabytes=0.3 count_seconds=3 ;;
    --) shift; break ;;
    -h | --help) sed -n '2,8s/^# \?//p' "$0"; exit 0 ;;
    -*) echo "bench/run.sh: $1 is not an option; those of tideover-bench go behind --" >&2; exit 2 ;;
    *) scenarios+=("$1") ;;
  esac
  shift
done
options=("$@")
[ ${#scenarios[@]} -gt 0 ] || scenarios=(limits rw1 rw2 latency chart chart-outage outage backlog rest syncs logs)

cmake --preset release >/dev/null
cmake --build --preset release --target tail_bench tideover tideover-bench tideover-backlog tideover-limits >&2

mkdir -p build/bench
out=build/bench/$(date -u +%Y%m%dT%H%M%SZ)
failed=no

# bench SCENARIO OPTION...: a run that does not count is told at the end, the others go on.
bench() {
  local scenario=$1
  shift
  echo "-- $scenario" >&2
  build/release/tideover-bench --scenario "$scenario" --seconds "$seconds" "$@" "${options[@]}" >>"$out.json" || failed=yes
}

run() {
  case $1 in
    rw1) bench rw1 --rounds $rounds --verify ;;
    rw2) bench rw2 --rounds $rounds --verify --remote-write 2 ;;
    latency) bench latency --rounds $rounds --rate 100000 ;;
    # The limits of the chart.
    chart) bench chart --rounds $rounds --rate 10000 --subject tideover --cpu 300m --memory 160MiB ;;
    chart-outage)
      bench chart-outage --rate 10000 --subject tideover --cpu 300m --memory 160MiB --sink "off:$((seconds / 6)).." ;;
    outage) bench outage --rate 100000 --sink off ;;
    backlog)
      echo "-- backlog" >&2
      build/release/tideover-backlog --gigabytes $gigabytes --drain >>"$out.json" || failed=yes ;;
    rest)
      bench rest --rest
      bench rest-connected --rest --idle-connections 1 --subject tideover ;;
    syncs) bench syncs --count-syncs --seconds $count_seconds ;;
    logs)
      echo "-- logs" >&2
      local place
      place=$(mktemp -d /var/tmp/tideover-logs-XXXXXX)
      for wanted in "drain 1 $((seconds * 15))" "drain 50 $((seconds * 15))" "drain 2000 $((seconds * 15))" "rest 2000 $seconds" "trickle 2000 $seconds"; do
        # shellcheck disable=SC2086
        build/release/tail_bench "$place" $wanted >>"$out.json" || failed=yes
        rm -rf "${place:?}"/*
      done
      rmdir "$place" ;;
    limits)
      echo "-- limits" >&2
      build/release/tideover-limits >>"$out.json" || failed=yes ;;
    *) echo "bench/run.sh: there is no scenario $1" >&2; exit 2 ;;
  esac
}

{
  echo "commit:  $(git describe --always --dirty)"
  echo "command: bench/run.sh ($rounds x $seconds s) ${scenarios[*]} ${options[*]}"
  echo "machine: $(uname -srm), $(nproc) x$(sed -n 's/^model name\s*:/ /p' /proc/cpuinfo | head -1), load before$(uptime | sed 's/.*load average://')"
  echo "disk:    $(df --output=source,fstype /var/tmp | tail -1)"
} | tee "$out.txt" >&2
touch "$out.json"
for scenario in "${scenarios[@]}"; do run "$scenario"; done
bench/summary.py "$out" || failed=yes
[ $failed = no ]
