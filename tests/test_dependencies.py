"""All installed packages are pinned by version and hash, without a named index."""

from __future__ import annotations

import ast
import json
import pathlib
import re
import tomllib
from importlib.metadata import packages_distributions
from itertools import chain
from typing import Any, Final

import pytest

from tools.paths import ROOT

LOCKS: Final = tuple(sorted((ROOT / "requirements").glob("*.lock")))
BUILD: Final = {"editables", "hatchling", "pathspec", "pluggy", "tomlkit", "trove-classifiers"}
"""Packages that only an installation from source needs."""
HTMX: Final = "node_modules/htmx.org"
HTMX_INTEGRITY: Final = "sha512-" + (
    "oF7JgXhDW9UXCy/k1ZYFUQgzu/rm19ORWPSPNL91vPluB2PB9+MV55tyQdH/w7o2EAbTYUG5SDW1R60mdkdqGg=="
)
SERVED: Final = ROOT / "static" / "vendor" / "htmx.min.js"
INSTALLED: Final = ROOT / HTMX / "dist" / "htmx.min.js"


def requirements(lock: pathlib.Path) -> list[str]:
    """The requirements of a lock file, one text each, comments left out."""
    text = lock.read_text(encoding="utf-8").replace("\\\n", " ")
    lines = (re.sub(r"(^|\s)#.*", "", line).strip() for line in text.splitlines())
    return [line for line in lines if line]


def versions(lock: pathlib.Path) -> dict[str, set[str]]:
    """Every package, and the versions it is pinned to: one for each kind of machine at most."""
    found: dict[str, set[str]] = {}
    for line in requirements(lock):
        name, version = re.split(r"==|[ ;]", line)[:2]
        found.setdefault(name.partition("[")[0], set()).add(version)
    return found


def in_json(name: str) -> Any:
    return json.loads((ROOT / name).read_text(encoding="utf-8"))


def test_there_are_locks_for_running_testing_and_npm() -> None:
    assert [lock.name for lock in LOCKS] == [
        "dev.lock",
        "fuzz.lock",
        "image.lock",
        "node.lock",
        "run.lock",
        "sdk-tests.lock",
    ]


def test_every_runtime_dependency_is_imported() -> None:
    """A distribution counts as imported if `webapp` imports one of its packages."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    wanted = {
        normal_name(re.split(r"[^A-Za-z0-9._-]", requirement)[0])
        for requirement in chain(project["dependencies"], *extras)
    }
    distributions = packages_distributions()
    imported = {
        normal_name(distribution)
        for file in (ROOT / "webapp").rglob("*.py")
        for package in imported_packages(file)
        for distribution in distributions.get(package, ())
    }

    assert wanted <= imported


def normal_name(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()


def imported_packages(file: pathlib.Path) -> set[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import)]
    names = [alias.name for node in imports for alias in node.names]
    names += [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    return {name.partition(".")[0] for name in names}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_requirement_is_pinned_with_hashes(lock: pathlib.Path) -> None:
    lines = requirements(lock)

    assert lines
    for line in lines:
        assert re.fullmatch(
            r"[a-z0-9.-]+(\[[a-z,]+\])?==[0-9][\w.!+]*( ; [^;]+?)?( +--hash=sha256:[0-9a-f]{64})+",
            re.sub(r"\s+", " ", line),
        ), line


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_a_lock_names_no_index_and_no_address(lock: pathlib.Path) -> None:
    text = lock.read_text(encoding="utf-8")

    assert "://" not in text
    assert not re.search(r"(?m)^\s*-", re.sub(r"(?m)^\s+--hash=.*$", "", text))
    assert "@" not in text


def test_running_and_testing_use_the_same_versions() -> None:
    dev = versions(ROOT / "requirements" / "dev.lock")
    for name in ("run", "image"):
        pinned = versions(ROOT / "requirements" / f"{name}.lock")
        shared = pinned.keys() & dev.keys()

        assert pinned.keys() >= versions(ROOT / "requirements" / "run.lock").keys() - BUILD
        assert shared >= {"flask", "markdown-it-py", "nh3", "requests"}
        assert {name: pinned[name] for name in shared} == {name: dev[name] for name in shared}


def test_the_official_client_is_tested_by_the_tests_of_its_own_version() -> None:
    (pinned,) = requirements(ROOT / "requirements" / "sdk-tests.lock")
    version, digest = re.sub(r"\s+", " ", pinned).split(" ")
    (installed,) = (
        line
        for line in requirements(ROOT / "requirements" / "dev.lock")
        if line.startswith("openai")
    )

    assert installed.replace("[aiohttp]", "").startswith(f"{version} ")
    assert digest in installed


def test_htmx_is_pinned_by_version_and_hash_and_from_no_host() -> None:
    assert in_json("package.json")["dependencies"] == {"htmx.org": "4.0.1"}
    packages = in_json("package-lock.json")["packages"]

    assert {name for name, one in packages.items() if not one.get("dev")} == {"", HTMX}
    assert packages[HTMX]["version"] == "4.0.1"
    assert packages[HTMX]["integrity"] == HTMX_INTEGRITY
    assert not any("resolved" in one for one in packages.values())
    unfunded = {name: {**one, "funding": None} for name, one in packages.items()}
    assert "://" not in json.dumps(unfunded)


def test_what_else_comes_from_npm_is_pinned_and_for_tests_alone() -> None:
    wanted = {"axe-core": "4.14.1", "oidc-provider": "9.13.3", "openai": "7.55.0"}
    assert in_json("package.json")["devDependencies"] == wanted
    packages = in_json("package-lock.json")["packages"]
    only_for_tests = {name: one for name, one in packages.items() if one.get("dev")}

    assert set(packages) == {"", HTMX, *only_for_tests}
    assert all(one["integrity"].startswith("sha512-") for one in only_for_tests.values())
    for name, version in wanted.items():
        assert only_for_tests[f"node_modules/{name}"]["version"] == version


@pytest.mark.skipif(not SERVED.is_file(), reason="htmx has not been set up in static/vendor")
def test_the_htmx_we_serve_is_the_pinned_version() -> None:
    assert b'version="4.0.1"' in SERVED.read_bytes()


@pytest.mark.skipif(
    not (SERVED.is_file() and INSTALLED.is_file()), reason="htmx has not been installed by npm"
)
def test_the_htmx_we_serve_is_the_file_npm_installed() -> None:
    assert SERVED.read_bytes() == INSTALLED.read_bytes()
    assert in_json(f"{HTMX}/package.json")["version"] == "4.0.1"
