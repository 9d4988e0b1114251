#!/usr/bin/env python3
"""The daemon tells a service manager when it is ready and when it stops.

The test is the service manager: it binds $NOTIFY_SOCKET, starts the daemon, and expects READY=1 only when the peer port
and both sockets take connections, then, after SIGTERM, STOPPING=1 and exit status 0. Every wait has a deadline.

usage: notify_test.py OVERLAYD OVERLAYCTL
"""
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time

READY_TIMEOUT_S = 20
STOP_TIMEOUT_S = 20


def fail(text, log=None):
    print(f"FAILED: {text}")
    if log:
        with open(log, encoding="utf-8", errors="replace") as file:
            print("--- daemon's output\n" + file.read()[-8000:])
    sys.exit(1)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def await_assignment(manager, wanted, timeout_s, daemon, log):
    """Reads datagrams until one has the line `wanted`; returns all lines seen."""
    seen = []
    deadline = time.monotonic() + timeout_s
    while True:
        left = deadline - time.monotonic()
        if left <= 0:
            fail(f"no {wanted} within {timeout_s} s; seen: {seen}", log)
        if select.select([manager], [], [], min(left, 0.2))[0]:
            seen += manager.recv(65536).decode().split("\n")
            if wanted in seen:
                return seen
        elif daemon.poll() is not None:
            fail(f"the daemon ended with status {daemon.returncode} before {wanted}; seen: {seen}", log)


def check_serving(folder, port, log):
    """Readiness is a promise: whoever waited for it can connect at once."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=2).close()
        for name in ("overlayd.sock", "admin.sock"):
            path = os.path.join(folder, name)
            mode = os.stat(path).st_mode & 0o777
            if mode != 0o660:
                fail(f"{name} has mode {mode:o}, not 660", log)
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(2)
                client.connect(path)
    except OSError as error:
        fail(f"ready, but not serving: {error}", log)


def start(overlayd, folder, port, notify, log):
    config = os.path.join(folder, "overlayd.toml")
    with open(config, "w", encoding="utf-8") as file:
        file.write('[network]\npreset = "standalone"\npassphrase = "Notify test ; on this machine"\n')
    settings = {
        "node.seed_file": os.path.join(folder, "seed"),
        "listen.address": "127.0.0.1",
        "listen.port": port,
        "peers.allow_private": "true",
        "ipc.socket": os.path.join(folder, "overlayd.sock"),
        "ipc.admin_socket": os.path.join(folder, "admin.sock"),
        "storage.database": os.path.join(folder, "overlayd.db"),
    }
    command = [overlayd, "--config", config]
    for key, value in settings.items():
        command += ["--set", f"{key}={value}"]
    environment = dict(os.environ, NOTIFY_SOCKET=notify, WATCHDOG_USEC="2000000")
    environment.pop("WATCHDOG_PID", None)
    with open(log, "wb") as output:
        return subprocess.Popen(command, env=environment, stdout=output, stderr=output)


def run(overlayd, overlayctl, folder):
    subprocess.run([overlayctl, "keygen", "--output", os.path.join(folder, "seed")], check=True, timeout=20,
                   stdout=subprocess.DEVNULL)
    notify = os.path.join(folder, "notify")
    log = os.path.join(folder, "log")
    port = free_port()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(notify)
        daemon = start(overlayd, folder, port, notify, log)
        try:
            seen = await_assignment(manager, "READY=1", READY_TIMEOUT_S, daemon, log)
            if "STOPPING=1" in seen:
                fail("STOPPING=1 before it was asked for", log)
            check_serving(folder, port, log)
            await_assignment(manager, "WATCHDOG=1", 5, daemon, log)
            daemon.send_signal(signal.SIGTERM)
            await_assignment(manager, "STOPPING=1", STOP_TIMEOUT_S, daemon, log)
            status = daemon.wait(timeout=STOP_TIMEOUT_S)
            if status != 0:
                fail(f"exit status {status} after SIGTERM", log)
        except subprocess.TimeoutExpired:
            fail(f"still running {STOP_TIMEOUT_S} s after SIGTERM", log)
        finally:
            if daemon.poll() is None:
                daemon.kill()
                daemon.wait()
    print("ready when serving, watched, stopped with status 0")


def main():
    if len(sys.argv) != 3:
        print(__doc__)
        sys.exit(2)
    # A short folder: a Unix socket's path has at most 107 bytes.
    with tempfile.TemporaryDirectory(prefix="ovl-", dir="/tmp") as folder:
        run(sys.argv[1], sys.argv[2], folder)


if __name__ == "__main__":
    main()
