"""The memory of a process, `self` or of an id, read from where the system tells it."""

from __future__ import annotations

from pathlib import Path

HAS_PEAKS = Path("/proc/self/clear_refs").exists()
"""Whether this system can forget the peak of a process, as Linux can."""


def forget_peak(pid: int | str) -> None:
    """Lets the peak of `pid` begin anew, at what it holds now."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def peak(pid: int | str) -> int:
    """The most bytes of memory that `pid` has held since its peak was forgotten."""
    return _bytes(pid, "VmHWM")


def held(pid: int | str) -> int:
    """The bytes of memory that `pid` holds now."""
    return _bytes(pid, "VmRSS")


def workers_of(pid: int) -> list[int]:
    """The processes that `pid` has started."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in children.split()]


def _bytes(pid: int | str, name: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    (kilobytes,) = (line.split()[1] for line in lines if line.startswith(f"{name}:"))
    return int(kilobytes) * 1024
