"""Child processes that measure themselves, and memory and time as Linux counts them."""

import ctypes
import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def resident_bytes() -> int:
    """Give the resident size of this process now."""
    return status_bytes("VmRSS")


def give_back_freed() -> None:
    """Have the C library return the memory that was freed to the system."""
    ctypes.CDLL("libc.so.6").malloc_trim(0)


def peak_resident_bytes() -> int:
    """Give the largest resident size of this process so far.

    `ru_maxrss` of `resource.getrusage` is no substitute: a child takes over its parent's peak.
    """
    return status_bytes("VmHWM")


def machine_seconds() -> float:
    """Give the processor seconds that all of the machine's cores have been busy so far.

    What the host of a virtual machine took away counts as busy, waiting for a disk does not.
    """
    # user, nice, system, idle, iowait, irq, softirq, steal
    ticks = [int(part) for part in _read_proc("/proc/stat").splitlines()[0].split()[1:9]]
    return (sum(ticks) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK")


def run_child(
    module: str, *arguments: object, environment: dict[str, str] | None = None
) -> dict[str, float]:
    """Run a benchmark in a process of its own, and read what it prints as JSON."""
    finished = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{module}", *map(str, arguments)],
        cwd=ROOT,
        env=os.environ | (environment or {}),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(finished.stdout)


def status_bytes(name: str, process: int | None = None) -> int:
    """Read an entry of a process's status, this one's unless told, in bytes."""
    lines = _read_proc(f"/proc/{process or 'self'}/status").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))


def _read_proc(path: str) -> str:
    try:
        return Path(path).read_text(encoding="ascii")
    except FileNotFoundError:
        sys.exit(f"There is no {path}: run this benchmark on Linux.")
