"""Measure the memory of a process, by its id or `self`, as Linux reports it below /proc."""

from __future__ import annotations

from pathlib import Path

HAS_PEAKS = Path("/proc/self/clear_refs").exists()
"""Whether this system can reset the peak of a process."""


def reset_peak(pid: int | str) -> None:
    """Reset the peak of `pid` to what it holds now."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def read_peak(pid: int | str) -> int:
    """Return the most bytes that `pid` has held since its peak was reset."""
    return _read_bytes(pid, "VmHWM")


def read_held(pid: int | str) -> int:
    """Return the bytes that `pid` holds now."""
    return _read_bytes(pid, "VmRSS")


def find_children(pid: int) -> list[int]:
    """Return the ids of the processes that `pid` has started."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in children.split()]


def _read_bytes(pid: int | str, name: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    (kilobytes,) = (line.split()[1] for line in lines if line.startswith(f"{name}:"))
    return int(kilobytes) * 1024
