#!/usr/bin/env bash
# Installs what scripts/packages.txt lists and this machine lacks; asks nothing and does nothing when nothing is missing.
#
#   install-packages.sh [section...]     default: every section
#
# Debian starts a server as soon as its package is installed. Ours are started by the tests and the demo, on ports of
# their own: a service that comes with a package installed here is neither started nor left enabled. Services that were
# there before are not touched.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
services=(prometheus prometheus-node-exporter) # the packages of the list that bring a service of the same name

wanted() {
  awk -v only=" $* " '/^## /{section=$2; next} /^#/||NF==0{next} only=="  "||index(only," " section " "){print $1}' \
    "$here/packages.txt"
}
installed() { [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

missing=()
for package in $(wanted "$@"); do installed "$package" || missing+=("$package"); done
[ ${#missing[@]} -gt 0 ] || exit 0

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then
  echo "install: root or sudo is needed to install: ${missing[*]}" >&2
  exit 1
fi

new_services=()
for service in "${services[@]}"; do
  [[ " ${missing[*]} " == *" $service "* ]] && new_services+=("$service")
done

policy=/usr/sbin/policy-rc.d # asked by every package's scripts before they start a service; 101 means no
if [ ! -e $policy ]; then
  trap 'as_root rm -f '$policy EXIT
  printf '#!/bin/sh\nexit 101\n' | as_root tee $policy >/dev/null
  as_root chmod 755 $policy
fi

echo "install: ${missing[*]}"
log=$(mktemp)
quietly() { "$@" >"$log" 2>&1 || { cat "$log" >&2; echo "install: failed: $*" >&2; exit 1; }; }
quietly as_root apt-get update
# Without unsafe-io dpkg syncs every file: minutes on a slow disk. After a power cut in here, install again.
quietly as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
  -o DPkg::Options::=--force-unsafe-io "${missing[@]}"
rm -f "$log"
if [ ${#new_services[@]} -gt 0 ] && command -v systemctl >/dev/null; then
  as_root systemctl disable --quiet --now "${new_services[@]}" 2>/dev/null || true
fi
