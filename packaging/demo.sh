#!/usr/bin/env bash
# Three overlayd on this machine in a line, A - B - C, with a consensus client on each. A's client broadcasts real
# transactions and signed SCP envelopes, B relays what its client accepts, and C's client must receive every one.
#
#   packaging/demo.sh [--transactions FILE] [--rate N] [--no-build] [--build-dir DIR]
#
# FILE      JSON lines with "hash" and "envelope", made for the network passphrase below.
#           Default: ../shared/data/transactions.jsonl, or as many of our own making where that is absent.
# --rate    transactions a second (default 200); 0: as fast as the daemon takes them
# Ends with status 0 only if nothing is missing. Whatever it started is ended and removed on any way out.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
transactions=
rate=200
build=yes
build_dir=$root/build
passphrase='(V) (;,,;) (V)'
scp_count=64
generated_count=1024

usage() { sed -n '2,11s/^# \{0,1\}//p' "$0"; }
while [ $# -gt 0 ]; do
  case $1 in
    --transactions) transactions=${2:?--transactions needs a file}; shift 2 ;;
    --rate) rate=${2:?--rate needs a number}; shift 2 ;;
    --build-dir) build_dir=$(realpath "${2:?--build-dir needs a folder}"); build=no; shift 2 ;;
    --no-build) build=no; shift ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
  esac
done

if [ $build = yes ]; then
  "$root/packaging/install-deps.sh"
  (cd "$root" && cmake --preset release && cmake --build --preset release --target overlayd overlayctl overlayd_demo_clients)
fi
bin=$build_dir/bin

work=$(mktemp -d "${TMPDIR:-/tmp}/ovl-demo.XXXXXX")
pids=()
clean_up() {
  local status=$?
  trap - EXIT INT TERM HUP
  for pid in ${pids[@]+"${pids[@]}"}; do kill -TERM "$pid" 2>/dev/null || true; done
  # Six seconds for a clean end, then none.
  for pid in ${pids[@]+"${pids[@]}"}; do
    for _ in $(seq 60); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
    kill -KILL "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
  if [ $status -ne 0 ]; then
    for node in a b c; do
      [ -f "$work/$node/log" ] && { echo "--- the end of the log of $node"; tail -n 15 "$work/$node/log"; } >&2
    done
  fi
  rm -rf "$work"
  exit $status
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# A port nobody listens on now; another program may still take it, then the daemon says so and the demo ends.
free_port() {
  local port
  while :; do
    port=$((20000 + RANDOM % 12000))
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
  done
}

# start NODE PORT OUTBOUND INBOUND KNOWN...: one daemon in $work/NODE. The limits keep the line a line: A and C would else
# hear of each other from B and connect.
start() {
  local node=$1 port=$2 outbound=$3 inbound=$4 known
  shift 4
  known=
  [ $# -eq 0 ] || known=$(printf '"%s",' "$@")
  mkdir "$work/$node"
  "$bin/overlayctl" keygen --output "$work/$node/seed" >"$work/$node/id"
  cat >"$work/$node/overlayd.toml" <<TOML
[node]
seed_file = "$work/$node/seed"
[network]
preset = "standalone"
passphrase = "$passphrase"
[listen]
address = "127.0.0.1"
port = $port
[peers]
known = [${known%,}]
allow_private = true
target_outbound = $outbound
max_inbound = $inbound
[ipc]
socket = "$work/$node/overlayd.sock"
admin_socket = "$work/$node/admin.sock"
[storage]
database = "$work/$node/overlayd.db"
TOML
  "$bin/overlayd" --config "$work/$node/overlayd.toml" >"$work/$node/log" 2>&1 &
  pids+=($!)
}

ctl() {
  local node=$1
  shift
  "$bin/overlayctl" --socket "$work/$node/overlayd.sock" --admin-socket "$work/$node/admin.sock" "$@"
}

port_a=$(free_port)
port_b=$(free_port)
port_c=$(free_port)
while [ "$port_b" = "$port_a" ]; do port_b=$(free_port); done
while [ "$port_c" = "$port_a" ] || [ "$port_c" = "$port_b" ]; do port_c=$(free_port); done

if [ -z "$transactions" ]; then
  transactions=$root/../shared/data/transactions.jsonl
  if [ ! -f "$transactions" ]; then
    transactions=$work/transactions.jsonl
    "$bin/overlayctl" generate transactions --count $generated_count --seed 1 --network "$passphrase" >"$transactions"
  fi
fi
"$bin/overlayctl" generate scp --count $scp_count --seed 1 --slot 1001 --network "$passphrase" >"$work/scp.jsonl"

started=$SECONDS
echo "Three daemons: A on port $port_a, B on $port_b, C on $port_c; A and C know only B."
await() {
  for _ in $(seq 100); do
    ctl "$1" status >/dev/null 2>&1 && return
    sleep 0.1
  done
  echo "the daemon of $1 does not answer" >&2
  exit 1
}

# B first: who dials before it listens waits up to 20 s before trying again, as the protocol's back-off wants.
start b "$port_b" 0 2
await b
start a "$port_a" 1 0 "127.0.0.1:$port_b"
start c "$port_c" 1 0 "127.0.0.1:$port_b"
await a
await c

status=0
"$bin/overlayd_demo_clients" "$work" "$transactions" "$work/scp.jsonl" "$rate" || status=$?
for node in a b c; do
  echo
  echo "Peers of ${node^^}:"
  ctl $node peers
done
echo
if [ $status -ne 0 ]; then
  echo "FAILED: not everything arrived" >&2
  exit 1
fi
echo "Success: nothing is missing ($((SECONDS - started)) s)."
