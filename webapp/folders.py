"""Make folders that only their owner can read."""

from __future__ import annotations

from pathlib import Path


def make_private_folder(folder: Path) -> None:
    """Make `folder` and each missing folder on the way to it, for its owner alone.

    Folders that exist keep their modes. Raises `OSError`. `Path.mkdir` with `parents=True` gives
    its mode to the last folder only.
    """
    if folder.is_dir():
        return
    make_private_folder(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
