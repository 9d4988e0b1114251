"""One overlayd in a temporary folder, started as a service manager would start it; for the tests beside this file.

Every wait has a deadline; what fails prints the daemon's output and ends the test.
"""
import contextlib
import os
import select
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


class OneDaemon:
    """A running daemon: `process`, `port`, the service manager's socket `manager`, `folder` and `log`."""

    def __init__(self, overlayd, overlayctl, folder, manager):
        subprocess.run([overlayctl, "keygen", "--output", os.path.join(folder, "seed")], check=True, timeout=20,
                       stdout=subprocess.DEVNULL)
        self.folder = folder
        self.log = os.path.join(folder, "log")
        self.port = free_port()
        self.manager = manager
        self.process = start(overlayd, folder, self.port, manager.getsockname(), self.log)

    def await_assignment(self, wanted, timeout_s=READY_TIMEOUT_S):
        return await_assignment(self.manager, wanted, timeout_s, self.process, self.log)

    def fail(self, text):
        fail(text, self.log)


@contextlib.contextmanager
def one_daemon(overlayd, overlayctl):
    """Ends what it started on every way out."""
    # A short folder: a Unix socket's path has at most 107 bytes.
    with tempfile.TemporaryDirectory(prefix="ovl-", dir="/tmp") as folder:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(os.path.join(folder, "notify"))
            daemon = OneDaemon(overlayd, overlayctl, folder, manager)
            try:
                yield daemon
            finally:
                if daemon.process.poll() is None:
                    daemon.process.kill()
                    daemon.process.wait()


def main(run, usage):
    """Calls `run(daemon, overlayctl)`; it returns what to say of the success."""
    if len(sys.argv) != 3:
        print(usage)
        sys.exit(2)
    with one_daemon(sys.argv[1], sys.argv[2]) as daemon:
        print(run(daemon, sys.argv[2]))
