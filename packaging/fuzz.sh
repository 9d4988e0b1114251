#!/usr/bin/env bash
# Builds the fuzz targets (libFuzzer, AddressSanitizer, UndefinedBehaviorSanitizer), makes seeds of the reference vectors
# and runs each target for a while, as many at a time as there are cores.
#   packaging/fuzz.sh                                  every target, 30 s each
#   packaging/fuzz.sh --seconds N [TARGET...]          N seconds each; targets: xdr_fuzz link_fuzz flood_gate_fuzz ...
# One line a target. What is found grows build-fuzz/corpus; a failing input stays in build-fuzz/failures, with the command
# that repeats it, and the exit status is 1.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=30
all_targets="xdr_fuzz link_fuzz flood_gate_fuzz tx_adverts_fuzz tx_demands_fuzz item_fetcher_fuzz event_log_fuzz"
all_targets="$all_targets flow_control_fuzz"
usage() { echo "usage: packaging/fuzz.sh [--seconds N] [TARGET...]; targets: $all_targets" >&2; exit 2; }
if [ "${1:-}" = --seconds ]; then
  [[ "${2:-}" =~ ^[1-9][0-9]*$ ]] || usage
  seconds=$2
  shift 2
fi
targets=${*:-$all_targets}
for target in $targets; do
  [[ " $all_targets " == *" $target "* ]] || usage
done

cmake --preset fuzz -Wno-dev >/dev/null
cmake --build --preset fuzz -j "$(nproc)" --target fuzz_targets -- --quiet
mkdir -p build-fuzz/corpus build-fuzz/failures build-fuzz/logs
python3 tests/fuzz/make_seeds.py tests/data/vectors build-fuzz/seeds

run() {
  local target=$1 log=build-fuzz/logs/$1.log status=0
  mkdir -p "build-fuzz/corpus/$target"
  "build-fuzz/fuzz/$target" -max_total_time="$seconds" -timeout=25 -rss_limit_mb=4096 -print_final_stats=1 \
    -artifact_prefix="build-fuzz/failures/$target-" "build-fuzz/corpus/$target" "build-fuzz/seeds/$target" >"$log" 2>&1 ||
    status=$?
  local runs rate
  runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  rate=$(sed -n 's/^stat::average_exec_per_sec: *//p' "$log")
  if [ "$status" -eq 0 ]; then
    printf '%-20s %12s runs %8s/s  ok\n' "$target" "$runs" "$rate"
    return 0
  fi
  printf '%-20s FAILED, see %s\n' "$target" "$log"
  grep -E '^overlayd: broken|ERROR:|runtime error' "$log" | head -n 3 | sed 's/^/  /'
  sed -n "s|^.*Test unit written to \(.*\)|  repeat with: build-fuzz/fuzz/$target \1|p" "$log"
  return 1
}
export -f run
export seconds
# shellcheck disable=SC2086 # the words of the list are meant to split
printf '%s\n' $targets | xargs -P "$(nproc)" -I {} bash -c 'run {}' || { echo "fuzz: a target failed" >&2; exit 1; }
