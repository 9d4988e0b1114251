#!/usr/bin/env bash
# Builds everything and runs all tests: unit, simulator, interop and system tests of the release build; the unit and
# simulator tests again under AddressSanitizer + UndefinedBehaviorSanitizer and, for what has threads, ThreadSanitizer;
# and every fuzz target for a while.
#   packaging/test.sh                     all of it
#   packaging/test.sh --quick             the release build only
#   packaging/test.sh --seeds N           N seeds for each scenario of the simulator instead of 10
#   packaging/test.sh --fuzz-seconds N    N seconds for each fuzz target instead of 10
# Exit status 0 only if everything passed. The last lines are ctest's for the release build.
set -euo pipefail
cd "$(dirname "$0")/.."

quick=no
fuzz_seconds=10
seeds=10
usage() { echo "usage: packaging/test.sh [--quick] [--seeds N] [--fuzz-seconds N]" >&2; exit 2; }
while [ $# -gt 0 ]; do
  case "$1" in
    --quick) quick=yes ;;
    --seeds) shift; [[ "${1:-}" =~ ^[1-9][0-9]*$ ]] || usage; seeds=$1 ;;
    --fuzz-seconds) shift; [[ "${1:-}" =~ ^[1-9][0-9]*$ ]] || usage; fuzz_seconds=$1 ;;
    *) usage ;;
  esac
  shift
done
jobs=$(nproc)
step() { printf '\n=== %s (%(%H:%M:%S)T)\n' "$*" -1; }
# A sanitizer's tests: ctest's last lines, and before them what the failed ones printed, the first lines of each.
sanitized_tests() {
  local preset=$1 log="build-$1/ctest.log" status=0
  shift
  ctest --preset "$preset" -j "$jobs" "$@" --output-on-failure >"$log" 2>&1 || status=$?
  if [ "$status" -ne 0 ]; then grep -A 40 -E '\*\*\*(Failed|Timeout|Exception|Not Run)' "$log" | cut -c1-300 | head -n 400 || true; fi
  tail -n 25 "$log"
  return "$status"
}

step "dependencies"
packaging/install-deps.sh

step "format"
git ls-files -co --exclude-standard '*.h' '*.cpp' | xargs clang-format --dry-run -Werror

step "release build"
cmake --preset release -Wno-dev >/dev/null
cmake --build --preset release -j "$jobs" -- --quiet

if [ "$quick" = no ]; then
  step "AddressSanitizer and UndefinedBehaviorSanitizer"
  cmake --preset asan -Wno-dev >/dev/null
  cmake --build --preset asan -j "$jobs" --target unit_tests -- --quiet
  # One seed of each scenario of the simulator (the preset says so); the others run in the release build below.
  sanitized_tests asan -L 'unit|sim'

  step "ThreadSanitizer, for what has threads"
  cmake --preset tsan -Wno-dev >/dev/null
  cmake --build --preset tsan -j "$jobs" --target threaded_tests -- --quiet
  sanitized_tests tsan -R '^(overlayd_daemon|daemon_storage|event_log)_tests'

  step "fuzzing, $fuzz_seconds s a target"
  packaging/fuzz.sh --seconds "$fuzz_seconds"
fi

step "all tests of the release build"
OVERLAYD_SIM_SEEDS=$seeds ctest --preset release -j "$jobs" --output-on-failure
