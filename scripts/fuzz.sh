#!/usr/bin/env bash
# Fuzzes: builds the targets of tests/fuzz with Clang's libFuzzer and both sanitizers, and runs them one after the other.
#
#   fuzz.sh [target...] [--minutes N]    default: every target, one minute each
#   fuzz.sh [target...] --minimise       puts what was found into tests/fuzz/corpus, as few small inputs as cover it
#
# A target's finds are kept in build/fuzz/corpus, so that the next run goes on where this one ends. What breaks a target
# is written to build/fuzz/crashes: once fixed it belongs into tests/fuzz/corpus/TARGET, under a name that says what it is.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
cd "$root"

minutes=1 minimise=no targets=()
while [ $# -gt 0 ]; do
  case $1 in
    --minutes) minutes=${2:?--minutes needs a number}; shift ;;
    --minimise) minimise=yes ;;
    -h | --help) sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 0 ;;
    -*) echo "fuzz: unknown argument: $1 (see --help)" >&2; exit 2 ;;
    *) targets+=("$1") ;;
  esac
  shift
done
[ ${#targets[@]} -gt 0 ] || mapfile -t targets < <(ls tests/fuzz/corpus)

# Memory and length keep one input from hiding a slow or greedy path; a dictionary, where there is one, names the words.
fuzz() {
  local target=$1 found=build/fuzz/corpus/$1 dictionary=tests/fuzz/$1.dict
  mkdir -p "$found" build/fuzz/crashes
  "build/fuzz/fuzz_$target" "$found" "tests/fuzz/corpus/$target" -max_total_time=$((minutes * 60)) -timeout=10 \
    -rss_limit_mb=1024 -max_len=16384 -use_value_profile=1 -print_final_stats=1 -verbosity=0 -close_fd_mask=1 \
    -artifact_prefix="build/fuzz/crashes/$target-" $([ ! -e "$dictionary" ] || echo "-dict=$dictionary") \
    |& sed '/recommended dictionary. ######$/I,/End of recommended/d'
}

# Names given by hand stay: their inputs are there for a reason. The others are named by what is in them.
minimise() {
  local target=$1 small corpus=tests/fuzz/corpus/$1 input
  small=$(mktemp -d)
  mkdir -p "build/fuzz/corpus/$target"
  for input in "$corpus"/*; do [[ ${input##*/} =~ ^[0-9a-f]{40}$ ]] || cp "$input" "$small/"; done
  "build/fuzz/fuzz_$target" -merge=1 -use_counters=0 -max_len=4096 -timeout=10 -verbosity=0 -close_fd_mask=1 "$small" \
    "$corpus" "build/fuzz/corpus/$target"
  rm -rf "$corpus"
  cp -r "$small" "$corpus"
  rm -rf "$small"
  echo "$corpus: $(ls "$corpus" | wc -l) inputs, $(du -bs "$corpus" | cut -f1) bytes"
}

stage "build (fuzz)" build fuzz "${targets[@]/#/fuzz_}"
for target in "${targets[@]}"; do
  if [ $minimise = yes ]; then minimise "$target"; else stage "$target, $minutes min" fuzz "$target"; fi
done
