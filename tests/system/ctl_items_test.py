#!/usr/bin/env python3
"""overlayctl's commands about items and SCP state, on a daemon without peers: exit codes, and what is printed.

usage: ctl_items_test.py OVERLAYD OVERLAYCTL
"""
import base64
import json
import os
import subprocess
import sys

sys.dont_write_bytecode = True  # the sources stay as they are
from one_daemon import fail, main

KIND = ["--kind", "quorum-set"]
UNKNOWN = "ab" * 32


def quorum_set(number):
    """XDR of an SCPQuorumSet of one validator."""
    return bytes([0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0]) + bytes([number]) * 32 + bytes(4)


class Ctl:
    def __init__(self, overlayctl, folder, log):
        self.command = [overlayctl, "--socket", os.path.join(folder, "overlayd.sock")]
        self.log = log

    def expect(self, exit_code, *words):
        """Runs it and returns standard output and standard error."""
        done = subprocess.run(self.command + list(words), capture_output=True, text=True, timeout=30, check=False)
        if done.returncode != exit_code:
            fail(f"{words}: exit code {done.returncode}, not {exit_code}: {done.stdout} {done.stderr}", self.log)
        return done.stdout, done.stderr

    def check(self, holds, what):
        if not holds:
            fail(what, self.log)


def check_missing(ctl):
    _, error = ctl.expect(1, "get-item", UNKNOWN, *KIND)
    ctl.check("NOT_FOUND" in error, f"get-item of what is not held says: {error}")
    _, error = ctl.expect(1, "request-scp-state")
    ctl.check("NOT_FOUND" in error, f"request-scp-state without peers says: {error}")


def check_fetch_is_taken_back(ctl):
    ctl.expect(0, "update-ledger", "--sequence", "100")
    ctl.expect(0, "fetch", UNKNOWN, *KIND)
    ctl.expect(0, "cancel-fetch", UNKNOWN, *KIND)
    ctl.expect(1, "fetch", UNKNOWN, *KIND, "--wait", "0.2")
    output, _ = ctl.expect(1, "cancel-fetch", UNKNOWN, *KIND)
    ctl.check("no client had asked" in output, f"after fetch --wait a fetch was left: {output}")


def check_put_items(ctl, folder):
    path = os.path.join(folder, "items")
    with open(path, "w", encoding="utf-8") as file:
        for value in (quorum_set(1), b"nothing", quorum_set(2)):
            file.write(base64.b64encode(value).decode() + "\n")
    missing = os.path.join(folder, "missing")
    output, _ = ctl.expect(1, "--json", "put-items", path)
    items = json.loads(output)["items"]
    ctl.check([item["status"] for item in items] == ["taken", "refused", "taken"], f"not in input order: {items}")
    ctl.check(["hash" in item for item in items] == [True, False, True], f"hashes where none are known: {items}")
    output, _ = ctl.expect(1, "put-items", path)
    order = [word for word in output.split() if word in ("held", "refused")]
    ctl.check(order == ["held", "refused", "held"], f"rows not in input order: {output}")
    output, error = ctl.expect(2, "put-items", missing)
    ctl.check(output == "" and "missing" in error, f"a file that is not there: {output} {error}")
    output, _ = ctl.expect(2, "--json", "put-items", path, missing)
    answer = json.loads(output)
    ctl.check(len(answer["items"]) == 3 and "missing" in answer["error"], f"items before an error: {answer}")


def run(daemon, overlayctl):
    daemon.await_assignment("READY=1")
    ctl = Ctl(overlayctl, daemon.folder, daemon.log)
    check_missing(ctl)
    check_fetch_is_taken_back(ctl)
    check_put_items(ctl, daemon.folder)
    return "overlayctl's exit codes and tables are as its help says"


if __name__ == "__main__":
    main(run, __doc__)
