#!/usr/bin/env python3
"""The daemon tells a service manager when it is ready and when it stops.

The test is the service manager: it binds $NOTIFY_SOCKET, starts the daemon, and expects READY=1 only when the peer port
and both sockets take connections, then, after SIGTERM, STOPPING=1 and exit status 0. Every wait has a deadline.

usage: notify_test.py OVERLAYD OVERLAYCTL
"""
import os
import signal
import socket
import subprocess
import sys

sys.dont_write_bytecode = True  # the sources stay as they are
from one_daemon import STOP_TIMEOUT_S, main


def check_serving(daemon):
    """Readiness is a promise: whoever waited for it can connect at once."""
    try:
        socket.create_connection(("127.0.0.1", daemon.port), timeout=2).close()
        for name in ("overlayd.sock", "admin.sock"):
            path = os.path.join(daemon.folder, name)
            mode = os.stat(path).st_mode & 0o777
            if mode != 0o660:
                daemon.fail(f"{name} has mode {mode:o}, not 660")
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(2)
                client.connect(path)
    except OSError as error:
        daemon.fail(f"ready, but not serving: {error}")


def run(daemon, _overlayctl):
    seen = daemon.await_assignment("READY=1")
    if "STOPPING=1" in seen:
        daemon.fail("STOPPING=1 before it was asked for")
    check_serving(daemon)
    daemon.await_assignment("WATCHDOG=1", 5)
    daemon.process.send_signal(signal.SIGTERM)
    daemon.await_assignment("STOPPING=1")
    try:
        status = daemon.process.wait(timeout=STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        daemon.fail(f"still running {STOP_TIMEOUT_S} s after SIGTERM")
    if status != 0:
        daemon.fail(f"exit status {status} after SIGTERM")
    return "ready when serving, watched, stopped with status 0"


if __name__ == "__main__":
    main(run, __doc__)
