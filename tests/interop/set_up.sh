#!/bin/sh
# Makes DIR a copy of this folder with its packages installed:  set_up.sh DIR
# The packages are installed anew only when package-lock.json has changed since the last time.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
dir=${1:?usage: set_up.sh DIR}
mkdir -p "$dir"
cp "$here/package.json" "$here/package-lock.json" "$here"/*.mjs "$dir/"
rm -rf "$dir/lib"
cp -R "$here/lib" "$dir/lib"
cd "$dir"
if ! cmp -s package-lock.json .installed-lock.json; then
  npm ci --no-audit --no-fund --ignore-scripts
  cp package-lock.json .installed-lock.json
fi
