"""Processes that work for another one end with it, however it ended."""

import os
import signal
import subprocess
import sys
import time

SCRIPT = """
import os, sys, time
from pathlib import Path
from crossplay.benchmark.workers import in_processes

def work(number):
    Path(sys.argv[1], f"{number}-{os.getpid()}").touch()
    time.sleep(600)

list(in_processes(work, [0, 1], jobs=2))
"""


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_workers_of_a_killed_process_do_not_work_on(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", SCRIPT, str(tmp_path)], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while len(list(tmp_path.iterdir())) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    workers = [int(path.name.split("-")[1]) for path in tmp_path.iterdir()]
    assert all(map(alive, workers))
    process.send_signal(signal.SIGKILL)
    process.wait()
    deadline = time.monotonic() + 20
    while any(map(alive, workers)):
        assert time.monotonic() < deadline
        time.sleep(0.1)
