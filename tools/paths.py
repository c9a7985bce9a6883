"""The project's folder, and the data beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
"""The folder with `pyproject.toml`."""

SHARED: Final = ROOT.parent / "shared"
"""Real transcripts and recorded exchanges. Tests that read them are skipped if it is absent."""

REAL_DATA: Final = SHARED / "data"
