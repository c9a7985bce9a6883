"""Refuse to build a distribution without htmx, which is no part of the repository."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class HtmxHook(BuildHookInterface[Any]):
    """Runs before each build; an editable installation gets htmx later."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version != "editable" and not Path(self.root, "static/vendor/htmx.min.js").is_file():
            raise SystemExit("static/vendor/htmx.min.js is missing; build with: make dist")
