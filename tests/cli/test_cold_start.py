"""Start the installed `readback` itself; other tests fork it from a process that imported it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.command import Readback
from tools.store_rows import completion, database_url, jsonl


@pytest.fixture
def readback(tmp_path: Path) -> Readback:
    """The program beside the interpreter, started in a folder that is not the project's."""
    user = Readback.of_user(tmp_path, DATABASE_URL=database_url(tmp_path))
    return replace(user, program=(Path(sys.executable).with_name("readback"),), folder=tmp_path)


def test_a_file_is_imported_and_listed(readback: Readback, tmp_path: Path) -> None:
    path = jsonl(tmp_path / "a.jsonl", [completion("c1", model="gpt-x")])

    imported = readback("import", path)
    listed = readback("list")

    assert (imported.status, imported.errors) == (0, "")
    assert (listed.status, listed.errors) == (0, "")
    assert "c1" in listed.output and "gpt-x" in listed.output


@pytest.mark.parametrize("option", ["--version", "--help"])
def test_the_version_and_the_help_import_no_command(
    readback: Readback, tmp_path: Path, option: str
) -> None:
    modules = tmp_path / "modules"
    modules.mkdir()
    # All commands import it.
    (modules / "sqlalchemy.py").write_text("raise ImportError('imported')\n")
    starting = readback.with_settings(PYTHONPATH=str(modules))

    shown = starting(option)
    chosen = starting("list")

    assert (shown.status, shown.errors) == (0, "")
    assert "ImportError: imported" in chosen.errors


def test_ctrl_c_before_it_has_begun_is_a_sentence(readback: Readback, tmp_path: Path) -> None:
    modules = tmp_path / "modules"
    modules.mkdir()
    # One that the command imports.
    (modules / "sqlalchemy.py").write_text("import signal\nsignal.raise_signal(signal.SIGINT)\n")
    starting = readback.with_settings(PYTHONPATH=str(modules))

    stopped = replace(starting, program=(sys.executable, "-m", "webapp"))("list")

    assert (stopped.status, stopped.output, stopped.errors) == (130, "", "readback: stopped.\n")


def test_it_serves_and_stops(readback: Readback) -> None:
    with readback.serve() as served:
        assert served.get("/healthz").ok
        assert "Readback" in served.get("/completions").text
        assert served.stop().status == 0


@pytest.mark.parametrize(
    ("command", "status", "said"),
    [
        ("list >&-", 1, "readback: output: Bad file descriptor\n"),
        ("import - <&-", 1, "standard input: it cannot be read: Bad file descriptor\n"),
        ("import a.jsonl 2>&-", 0, ""),
    ],
)
def test_a_closed_stream_is_a_sentence_and_stops_no_import(
    readback: Readback, tmp_path: Path, command: str, status: int, said: str
) -> None:
    jsonl(tmp_path / "a.jsonl", [completion("c1")])
    assert readback("import", tmp_path / "a.jsonl").status == 0
    words = ["sh", "-c", f"{readback.program[0]} {command}"]
    ended = subprocess.run(
        words, cwd=tmp_path, env=readback.environ, capture_output=True, check=False
    )

    assert (ended.returncode, ended.stderr.decode()) == (status, said)
