"""Child processes that measure themselves, and the memory of a process as Linux counts it."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def resident_bytes() -> int:
    """Give the resident size of this process now."""
    return _status("VmRSS")


def peak_resident_bytes() -> int:
    """Give the largest resident size of this process so far.

    `ru_maxrss` of `resource.getrusage` is no substitute: a child takes over its parent's peak.
    """
    return _status("VmHWM")


def run_child(module: str, *arguments: object) -> dict[str, float]:
    """Run a benchmark in a process of its own, and read what it prints as JSON."""
    finished = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{module}", *map(str, arguments)],
        cwd=ROOT,
        env=os.environ,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(finished.stdout)


def _status(name: str) -> int:
    """Read an entry of /proc/self/status, in bytes."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except FileNotFoundError:
        sys.exit("Memory is read from /proc: run this benchmark on Linux.")
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))
