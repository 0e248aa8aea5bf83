#!/bin/bash
# Proves that the simulator can fail: each patch in tests/sim/bugs puts one classic mistake into a copy of the tree,
# and the simulator must find it within 100 seeds.
#
#   tests/sim/check_seeded_bugs.sh [bug.patch...]      default: all of them
#
# The copy and its build live in build/seeded-bugs; a second run compiles only what the patches touch.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
seeds=${SEEDS:-100}
work=$root/build/seeded-bugs
tree=$work/tree
bugs=("$@")
[ ${#bugs[@]} -gt 0 ] || bugs=("$root"/tests/sim/bugs/*.patch)

# Only what differs is copied, so that only that is compiled again.
mkdir -p "$tree"
git -C "$root" ls-files -z --cached --others --exclude-standard | while IFS= read -r -d '' file; do
  [ -f "$root/$file" ] || continue
  cmp --silent "$root/$file" "$tree/$file" && continue
  mkdir -p "$(dirname "$tree/$file")"
  cp "$root/$file" "$tree/$file"
done

export CCACHE_BASEDIR="$tree" CCACHE_NOHASHDIR=1
build() {
  cmake --build "$tree/build/dev" --target tideover-sim >"$work/build.log" 2>&1 || {
    tail -n 40 "$work/build.log"
    return 1
  }
}
(cd "$tree" && cmake --preset dev >"$work/configure.log") || { cat "$work/configure.log"; exit 2; }

build || { echo "the tree does not build"; exit 2; }
"$tree/build/dev/tideover-sim" --seeds "$seeds" >"$work/clean.log" 2>&1 ||
  { cat "$work/clean.log"; echo "the simulator fails without any bug: nothing can be shown"; exit 2; }

missed=0
for bug in "${bugs[@]}"; do
  name=$(basename "$bug" .patch)
  # Three lines of context, none of them to be ignored: a patch that no longer fits must be rewritten.
  if ! patch --directory="$tree" --strip=1 --fuzz=0 --forward --quiet --dry-run <"$bug"; then
    echo "$name: the patch no longer applies; bring it up to date with the code"
    exit 2
  fi
  patch --directory="$tree" --strip=1 --fuzz=0 --quiet <"$bug"
  status=0
  build || status=2
  if [ $status -eq 0 ] && "$tree/build/dev/tideover-sim" --seeds "$seeds" >"$work/$name.log" 2>&1; then status=1; fi
  patch --directory="$tree" --strip=1 --fuzz=0 --quiet --reverse <"$bug"
  case $status in
    0) echo "$name: caught: $(grep -m1 -oE '(aborted in )?seed [0-9]+' "$work/$name.log")," \
         "$(grep -vE '^(seed|aborted|[0-9])' "$work/$name.log" | head -n1 | cut -c1-110)" ;;
    1) echo "$name: MISSED in $seeds seeds"; missed=1 ;;
    2) echo "$name: does not build"; exit 2 ;;
  esac
done
exit $missed
