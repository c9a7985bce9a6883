"""Paths that tests share: the project, and the data that lies beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
"""The project's own folder."""

SHARED: Final = ROOT.parent / "shared"
"""Real transcripts and recorded exchanges. Tests that read them are skipped if it is absent."""
