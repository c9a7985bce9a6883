"""Readback built and installed as a stranger gets it, without a network."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import tarfile
from pathlib import Path

import pytest

from tests.support.command import PATIENCE, Readback
from tools.paths import ROOT


def run(*command: str | Path, folder: Path) -> None:
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="package")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the source distribution, and the wheel that was built from it."""
    if not (ROOT / "static" / "vendor" / "htmx.min.js").is_file():
        pytest.skip("htmx has not been brought in: run the tests by `make test`")
    folder = tmp_path_factory.mktemp("dist")
    build = (sys.executable, "-m", "hatchling", "build", "-d", folder)
    run(*build, "-t", "sdist", folder=ROOT)
    [archive] = folder.glob("readback-*.tar.gz")
    with tarfile.open(archive) as packed:
        packed.extractall(folder / "source", filter="data")
    [source] = (folder / "source").iterdir()
    run(*build, "-t", "wheel", folder=source)
    return folder


@pytest.fixture(scope="package")
def installed(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an environment with the wheel; it sees the dependencies of this one, not its source.

    A path in a .pth file is searched, but the .pth files there, such as that of an editable
    installation, are not read.
    """
    environment = tmp_path_factory.mktemp("installed")
    run(sys.executable, "-m", "venv", "--without-pip", environment, folder=environment)
    [packages] = environment.glob("lib/python*/site-packages")
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    [wheel] = built.glob("*.whl")
    python = environment / "bin" / "python"
    install = (sys.executable, "-m", "pip", "--quiet", "--python", python, "install")
    run(*install, "--no-deps", "--no-index", "--no-compile", wheel, folder=environment)
    return environment


@pytest.fixture
def readback(installed: Path, tmp_path: Path) -> Readback:
    """Return the installed command, run in an empty folder."""
    return Readback(
        {"XDG_DATA_HOME": f"{tmp_path}/data", "XDG_CACHE_HOME": f"{tmp_path}/cache"},
        program=(installed / "bin" / "readback",),
        folder=tmp_path,
    )
