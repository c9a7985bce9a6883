"""`pip install readback-….whl`, then `readback serve`, and nothing else."""

from __future__ import annotations

import tarfile
import tomllib
import zipfile
from dataclasses import replace
from pathlib import Path

from tests.support.command import Readback
from tests.support.pages import Page
from tools.paths import ROOT


def test_the_wheel_and_the_source_contain_every_file(built: Path) -> None:
    [archive], [wheel] = built.glob("*.tar.gz"), built.glob("*.whl")
    with tarfile.open(archive) as packed:
        source = {name.partition("/")[2] for name in packed.getnames()}
    with zipfile.ZipFile(wheel) as zipped:
        packaged = set(zipped.namelist())
    wanted = {
        path.relative_to(ROOT).as_posix()
        for folder in ("webapp", "templates", "static")
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }

    assert len(wanted) > 300
    assert "static/vendor/htmx.min.js" in wanted
    assert wanted - source == set()
    in_wheel = {path if path.startswith("webapp/") else f"webapp/{path}" for path in wanted}
    assert in_wheel == {path for path in packaged if path.startswith("webapp/")}
    assert {"LICENSE", "Makefile", "requirements/run.lock", "tests/conftest.py"} <= source


def test_the_installed_wheel_serves_pages_static_files_and_the_api(readback: Readback) -> None:
    with readback.serve() as served:
        assert any(line.startswith("Loaded ") for line in served.said)
        newest = served.completion_ids()[0]
        listed = served.get("/completions")
        transcript = served.get(f"/completions/{newest}")
        assert f"/completions/{newest}" in listed.text
        assert (listed.status_code, transcript.status_code) == (200, 200)
        page = Page(transcript.text)
        assert page.all("article.bubble")
        paths = [path for path in page.files if path.startswith("/static/")]
        assert any(path.endswith("/htmx.min.js") for path in paths)
        assert [path for path in paths if served.get(path).status_code != 200] == []
        assert served.get("/readyz").text == "ready\n"


def test_the_module_is_the_command_and_says_the_version_of_the_project(
    readback: Readback, installed: Path
) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    module = replace(readback, program=(installed / "bin" / "python", "-m", "webapp"))

    ended = module("--version")
    assert (ended.status, ended.output) == (0, f"readback {project['version']}\n")
