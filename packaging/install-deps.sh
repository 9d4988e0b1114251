#!/bin/sh
# Installs what building and testing overlayd needs on Debian bookworm (or Ubuntu of that age). Asks nothing, may be run
# again: what is there is left alone, and if nothing is missing neither apt nor root is needed.
set -eu

packages="
  build-essential cmake ninja-build ccache pkg-config
  libasio-dev libsodium-dev libssl-dev libsqlitecpp-dev libsqlite3-dev
  libgrpc++-dev protobuf-compiler-grpc libprotobuf-dev protobuf-compiler
  libcli11-dev nlohmann-json3-dev libtomlplusplus-dev libspdlog-dev libfmt-dev prometheus-cpp-dev
  catch2 libbenchmark-dev
  clang clang-format clang-tidy libclang-rt-14-dev
  python3 systemd iproute2 procps jq ca-certificates"
# Node.js is often installed from elsewhere; Debian's would fight with that one.
command -v node >/dev/null 2>&1 || packages="$packages nodejs"
command -v npm >/dev/null 2>&1 || packages="$packages npm"
# The test of the survey page drives this browser.
command -v chromium >/dev/null 2>&1 || packages="$packages chromium"

is_installed() {
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

missing=""
for package in $packages; do
  is_installed "$package" || missing="$missing $package"
done
if [ -z "$missing" ]; then
  echo "install-deps: everything is installed"
  exit 0
fi

sudo=""
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null 2>&1 || {
    echo "install-deps: run me as root, or install sudo; missing:$missing" >&2
    exit 1
  }
  sudo="sudo"
fi

echo "install-deps: installing$missing"
# Variables go through env, because sudo drops them.
apt="$sudo env DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=a apt-get -q -y"
$apt update
# shellcheck disable=SC2086 # the words of these lists are meant to split
$apt install --no-install-recommends -o Dpkg::Options::=--force-confold $missing
for package in $missing; do
  is_installed "$package" || {
    echo "install-deps: $package is still missing" >&2
    exit 1
  }
done
echo "install-deps: done"
