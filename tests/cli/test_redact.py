"""`readback redact`: the same lines, masked, and a report of those that could not be read."""

from __future__ import annotations

from pathlib import Path

from tests.support.command import Readback
from tools.forking import Forkable


def test_lines_are_written_as_they_are_with_secrets_masked(
    tmp_path: Path, forkable: Forkable
) -> None:
    key = "ghp_" + "aB3dE6gH9jK2mN5pQ8sT" * 2
    runs = tmp_path / "runs.jsonl"
    runs.write_text(f'{{"a" : 1.0, "b":"{key} Ada"}}\nbroken\n[{{"n":\n "{key}"}}]\n')

    ended = Readback.of_user(tmp_path, forkable=forkable)("redact", runs, "--word", "ada")

    assert ended.output == (
        '{"a" : 1.0, "b":"[masked: github-token] [masked: word]"}\n'
        '[{"n":"[masked: github-token]"}]\n'
    )
    assert f"{runs}:2: it is not JSON" in ended.errors
    assert "github-token: 2 masked\nword: 1 masked\n" in ended.errors
    assert "2 documents written, 3 places masked, 1 problem." in ended.errors
    assert ended.status == 1
