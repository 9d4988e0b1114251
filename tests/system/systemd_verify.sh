#!/bin/sh
# `systemd-analyze verify` has nothing to say about our unit, installed in a root of its own beside a stand-in for the
# daemon (only its presence is looked at). Any line of output is a failure. Exit 77: skipped.
# usage: systemd_verify.sh SYSTEMD_FOLDER
set -eu
units=$(cd "$1" && pwd)
if ! command -v systemd-analyze >/dev/null 2>&1; then
  echo "SKIPPED: systemd-analyze is not installed"
  exit 77
fi
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir -p "$root/etc/systemd/system" "$root/usr/bin" "$root/usr/lib/systemd" "$root/usr/lib/sysusers.d"
# The targets every unit leans on by default; without them the verifier complains of the root, not of our unit.
system=/usr/lib/systemd/system
[ -d "$system" ] || system=/lib/systemd/system
cp -a "$system" "$root/usr/lib/systemd/system"
cp /bin/true "$root/usr/bin/overlayd"
cp "$units/overlayd.service" "$root/etc/systemd/system/"
output=$(systemd-analyze verify --man=no --root="$root" overlayd.service 2>&1) || {
  echo "systemd-analyze failed: $output"
  exit 1
}
if [ -n "$output" ]; then
  echo "systemd-analyze verify says:"
  echo "$output"
  exit 1
fi
if command -v systemd-sysusers >/dev/null 2>&1; then
  systemd-sysusers --dry-run --root="$root" "$units/overlayd.sysusers.conf" >/dev/null
fi
echo "overlayd.service verifies without a word"
