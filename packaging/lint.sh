#!/usr/bin/env bash
# clang-format and clang-tidy over everything that is shipped. Takes minutes, so packaging/test.sh checks the format only.
#   packaging/lint.sh            all of it
#   packaging/lint.sh PATTERN    the files whose path matches
set -euo pipefail
cd "$(dirname "$0")/.."

git ls-files -co --exclude-standard '*.h' '*.cpp' | xargs clang-format --dry-run -Werror

# clang cannot read GCC's precompiled headers, so it gets a compilation database without them. Generated code must exist.
cmake -S . -B build-lint -G Ninja -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON -DOVERLAYD_TESTS=OFF -DOVERLAYD_BENCH=OFF -Wno-dev >/dev/null
cmake --build build-lint --target overlay_proto -j "$(nproc)" -- --quiet
git ls-files -co --exclude-standard 'core/*.cpp' 'config/*.cpp' 'daemon/*.cpp' 'ipc/*.cpp' | grep -E "${1:-.}" |
  xargs -P "$(nproc)" -n 4 clang-tidy -p build-lint --quiet 2> >(grep -v 'warnings generated\|warnings treated' >&2)
echo "lint: clean"
