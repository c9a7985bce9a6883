"""Readback built and installed as a stranger gets it, without a network."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.command import PATIENCE, Readback
from tools.paths import ROOT


def run(*command: str | Path, folder: Path) -> None:
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@contextmanager
def made_once(factory: pytest.TempPathFactory, name: str) -> Iterator[tuple[Path, bool]]:
    """Yield a folder that the processes of a test run share, and whether it must be filled.

    The others wait until the first has filled it.
    """
    own = factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / name
    with open(folder.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = folder / "done"
        is_new = not done.exists()
        folder.mkdir(exist_ok=True)
        yield folder, is_new
        done.touch()


@pytest.fixture(scope="package")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the source distribution, and the wheel that was built from it."""
    if not (ROOT / "static" / "vendor" / "htmx.min.js").is_file():
        pytest.skip("htmx has not been brought in: run the tests by `make test`")
    with made_once(tmp_path_factory, "dist") as (folder, is_new):
        if is_new:
            build_into(folder)
    return folder


def build_into(folder: Path) -> None:
    build = (sys.executable, "-m", "hatchling", "build", "-d", folder)
    run(*build, "-t", "sdist", folder=ROOT)
    [archive] = folder.glob("readback-*.tar.gz")
    (folder / "source").mkdir()
    run("tar", "-xzf", archive, "-C", folder / "source", folder=folder)
    [source] = (folder / "source").iterdir()
    run(*build, "-t", "wheel", folder=source)


@pytest.fixture(scope="package")
def installed(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an environment with the wheel; it sees the dependencies of this one, not its source.

    A path in a .pth file is searched, but the .pth files there, such as that of an editable
    installation, are not read.
    """
    with made_once(tmp_path_factory, "installed") as (environment, is_new):
        if is_new:
            install_into(environment, built)
    return environment


def install_into(environment: Path, built: Path) -> None:
    run(sys.executable, "-m", "venv", "--without-pip", environment, folder=environment)
    [packages] = environment.glob("lib/python*/site-packages")
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    [wheel] = built.glob("*.whl")
    python = environment / "bin" / "python"
    install = (sys.executable, "-m", "pip", "--quiet", "--python", python, "install")
    run(*install, "--no-deps", "--no-index", wheel, folder=environment)


@pytest.fixture
def readback(installed: Path, tmp_path: Path) -> Readback:
    """Return the installed command, run in an empty folder."""
    return Readback(
        {"XDG_DATA_HOME": f"{tmp_path}/data", "XDG_CACHE_HOME": f"{tmp_path}/cache"},
        program=(installed / "bin" / "readback",),
        folder=tmp_path,
    )
