#!/usr/bin/env python3
"""A client that stops reading its answer does not keep the daemon from stopping: its store is closed, its status is 0.

usage: unread_answer_test.py OVERLAYD OVERLAYCTL
"""
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading

sys.dont_write_bytecode = True  # the sources stay as they are
from one_daemon import main

SET_TRANSACTIONS = 200_000
DELIVERED_BYTES = 8 << 20  # of an answer of over 15 MiB
STOP_TIMEOUT_S = 10
STALL_TIMEOUT_S = 30


def tx_set():
    """XDR of a TransactionSet: v1 envelopes of one INFLATION operation, without signatures."""
    def number(value, size):
        return value.to_bytes(size, "big")
    envelope = (number(2, 4) + number(0, 4) + bytes([0x11]) * 32 + number(100, 4) + number(1, 8) + number(0, 8)
                + number(1, 4) + number(0, 4) + number(9, 4) + number(0, 8))
    return bytes([1]) * 32 + number(SET_TRANSACTIONS, 4) + envelope * SET_TRANSACTIONS


class StallingProxy(threading.Thread):
    """Carries one connection at `path` to the socket `target`; stops after DELIVERED_BYTES of what the target says."""

    def __init__(self, path, target):
        super().__init__(daemon=True)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(1)
        self.target = target
        self.has_stalled = threading.Event()
        self.start()

    def run(self):
        client, _ = self.listener.accept()
        daemon = socket.socket(socket.AF_UNIX)
        daemon.connect(self.target)
        left = DELIVERED_BYTES
        while left > 0:
            for end in select.select([client, daemon], [], [])[0]:
                data = end.recv(65536)
                if not data:
                    return
                (daemon if end is client else client).sendall(data)
                left -= len(data) if end is daemon else 0
        self.has_stalled.set()
        self.ends = (client, daemon)  # stay open


def put_set(command, daemon):
    path = os.path.join(daemon.folder, "set")
    xdr = tx_set()
    with open(path, "wb") as file:
        file.write((len(xdr) | 0x80000000).to_bytes(4, "big") + xdr)
    done = subprocess.run(command + ["--json", "put-items", "--kind", "tx-set", path], capture_output=True, text=True,
                          timeout=60, check=False)
    if done.returncode != 0:
        daemon.fail(f"put-items: {done.stdout} {done.stderr}")
    return json.loads(done.stdout)["items"][0]["hash"]


def run(daemon, overlayctl):
    daemon.await_assignment("READY=1")
    target = os.path.join(daemon.folder, "overlayd.sock")
    item = put_set([overlayctl, "--socket", target], daemon)
    path = os.path.join(daemon.folder, "proxy.sock")
    proxy = StallingProxy(path, target)
    with subprocess.Popen([overlayctl, "--socket", path, "get-item", "--kind", "tx-set", item],
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as client:
        try:
            if not proxy.has_stalled.wait(STALL_TIMEOUT_S):
                daemon.fail("the answer did not come to where it was to stop")
            daemon.process.send_signal(signal.SIGTERM)
            status = daemon.process.wait(timeout=STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            daemon.fail(f"still running {STOP_TIMEOUT_S} s after SIGTERM")
        finally:
            client.kill()
    if status != 0:
        daemon.fail(f"exit status {status} after SIGTERM")
    with open(daemon.log, encoding="utf-8") as file:
        text = file.read()
    if "the API did not end in 3 s" not in text:
        daemon.fail("the log does not say that the API did not end")
    if "stopped: " not in text:
        daemon.fail("the store was not closed")
    return "stopped with status 0 beside a client that does not read"


if __name__ == "__main__":
    main(run, __doc__)
