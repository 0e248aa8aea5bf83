#!/usr/bin/env bash
# Installs what is missing, builds, runs the tests; the last line counts them.
#
#   test.sh [label...]     default: every label (unit, contract, sim, crash, e2e, tidy, ...)
#
# End-to-end tests run the release binary against real peers. Those that Debian does not package are built with Go 1.26;
# where it is missing their tests count as skipped, or as failed when CI=true.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
cd "$root"
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT

other_labels=() e2e=no
for label in "$@"; do
  if [ "$label" = e2e ]; then e2e=yes; else other_labels+=("$label"); fi
done
[ $# -gt 0 ] || e2e=yes

# run NAME CTEST-ARGUMENT...: a failure is counted at the end, so that the other half still runs.
run() {
  local name=$1
  shift
  ctest --output-junit "$results/$name.xml" --no-tests=error --output-on-failure "$@" || failed=yes
}
failed=no

stage "packages" scripts/install-packages.sh
if [ $# -eq 0 ] || [ ${#other_labels[@]} -gt 0 ]; then
  stage "build (dev)" build dev
  selection=$(IFS='|'; echo "${other_labels[*]:-.*}")
  stage "tests (dev)" run dev --test-dir build/dev -j "$(nproc)" -LE '^e2e$' ${other_labels:+-L "^($selection)\$"}
fi
if [ $e2e = yes ]; then
  if have_go; then
    stage "peers" tests/peers/build.sh thanos prometheus tsdbdump victorialogs
  else
    echo "Go 1.26 is not here: tests with peers that it builds count as skipped"
  fi
  stage "build (release)" build release tideover tideover-compare tideover-loki-model tideover-shim
  stage "tests (end to end)" run e2e --test-dir build/release -j 2 -L '^e2e$'
fi

python3 - "$results"/*.xml <<'PY'
import sys
import xml.etree.ElementTree as xml

suites = [xml.parse(path).getroot() for path in sys.argv[1:]]
total, failed, skipped, disabled = (
    sum(int(suite.get(name, 0)) for suite in suites) for name in ("tests", "failures", "skipped", "disabled")
)
print(f"tests: {total - failed - skipped - disabled} passed, {failed} failed, {skipped + disabled} skipped")
PY
[ $failed = no ]
