"""The files of `deploy` and of the forge's CI: linted, and their commands run without an engine."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
import requests
import yaml

from tests.support.command import PATIENCE, Readback, find_free_port
from tests.support.nginx import find_nginx
from tests.support.serving import serve
from tools.cluster import running_proxy
from tools.paths import ROOT
from webapp.access.passwords import hash_password
from webapp.config import SETTINGS, Config

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

DEPLOY: Final = ROOT / "deploy"
WORKFLOW: Final = ROOT / ".github" / "workflows" / "ci.yml"
UNITS: Final = tuple(sorted((DEPLOY / "systemd").glob("readback*.*")))
PREFIX: Final = "/opt/readback/"


def read_yaml(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def read_containerfile() -> list[tuple[str, str]]:
    """Return each instruction and its text, on one line."""
    text = (DEPLOY / "Containerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(line.partition(" ")[0], line.partition(" ")[2].strip()) for line in lines]


def find_instructions(name: str) -> list[str]:
    return [text for instruction, text in read_containerfile() if instruction == name]


def run(*command: str | Path, environ: Mapping[str, str] | None = None) -> str:
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=PATIENCE, env=environ, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("schema", "file"),
    [("compose-spec", DEPLOY / "compose.yaml"), ("github-workflows", WORKFLOW)],
    ids=["compose", "workflow"],
)
def test_files_are_valid_by_their_schemas(schema: str, file: Path) -> None:
    check = (sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}")

    run(*check, file)


def test_the_workflow_runs_what_every_check_runs() -> None:
    job = read_yaml(WORKFLOW)["jobs"]["test"]

    assert job["strategy"]["matrix"]["python"] == ["3.11", "3.13"]
    assert job["steps"][-1] == {"run": ".ci/run"}
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


def test_the_services_have_no_rights_and_only_settings_that_exist(tmp_path: Path) -> None:
    compose = read_yaml(DEPLOY / "compose.yaml")
    service = compose["services"]["readback"]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "ports" not in service and "ports" not in compose["services"]["database"]
    used = {name for one in compose["services"].values() for name in one.get("secrets", ())}
    assert used == set(compose["secrets"])
    for one in compose["services"].values():
        assert "." not in one["image"].partition(":")[0], "an image of a named host"

    (tmp_path / "database-url").write_text("postgresql+psycopg://readback:x@database/readback")
    for name in ("secret-key", "api-key"):
        (tmp_path / name).write_text("0123456789abcdef")
    (tmp_path / "password-hash").write_text(hash_password("correct horse battery"))
    environ = {
        name: re.sub(r"\$\{\w+:-(.*)\}", r"\1", value).replace("/run/secrets", str(tmp_path))
        for name, value in service["environment"].items()
    }
    known = {setting.name for setting in SETTINGS}
    assert {name.removesuffix("_FILE") for name in environ} <= known
    config = Config.from_environ(environ | {"HOST": "0.0.0.0"})
    assert config.metrics_port == 9464
    assert config.api_key


def test_the_image_has_no_root_and_contains_what_is_there(built: Path) -> None:
    assert find_instructions("USER") == ["10001"]
    assert all(
        re.fullmatch(r"python:3\.\d+-slim( AS \w+)?", one) for one in find_instructions("FROM")
    )
    [copied] = [one for one in find_instructions("COPY") if not one.startswith("--from")]
    *sources, _ = copied.split()
    assert [one for one in sources if one.startswith("dist/")] == ["dist/readback-*.whl"]
    assert list(built.glob("readback-*.whl"))
    assert all((ROOT / one).is_file() for one in sources if not one.startswith("dist/"))
    sent = (DEPLOY / "Containerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    assert sent[1:] == ["*", *(f"!{source}" for source in sources)]
    assert "/deploy/secrets/" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    for command in find_instructions("RUN"):
        run("sh", "-n", "-c", command)
    hadolint = shutil.which("hadolint")
    if hadolint:
        run(hadolint, DEPLOY / "Containerfile")


def test_the_image_starts_as_written_and_its_health_check_sees_that(
    readback: Readback, installed: Path, tmp_path: Path
) -> None:
    variables = dict(
        pair.split("=", 1) for text in find_instructions("ENV") for pair in shlex.split(text)
    )
    [entry], [arguments] = find_instructions("ENTRYPOINT"), find_instructions("CMD")
    assert (json.loads(entry), json.loads(arguments)) == (["readback"], ["serve"])
    [check] = find_instructions("HEALTHCHECK")
    words = json.loads(check[check.index("CMD") + 3 :])
    port = str(find_free_port())
    environ = variables | {
        "PATH": variables["PATH"].replace(PREFIX, f"{installed}/").replace("$PATH", os.defpath),
        "XDG_DATA_HOME": f"{tmp_path}{variables['XDG_DATA_HOME']}",
        "XDG_CACHE_HOME": f"{tmp_path}{variables['XDG_CACHE_HOME']}",
        "HOME": "/nowhere",
        "PORT": port,
    }
    probe = [str(installed / "bin" / words[0]), *words[1:]]
    closed = replace(readback, environ=environ)("serve")
    assert (closed.status, closed.errors.count("\n")) == (2, 1)
    assert "READBACK_PASSWORD_HASH" in closed.errors

    hashed = hash_password("correct horse battery")
    with replace(readback, environ=environ).serve(
        PORT=port, READBACK_PASSWORD_HASH=hashed
    ) as served:
        assert served.get("/healthz").ok
        run(*probe, environ=environ)
        served.stop()
    failed = subprocess.run(probe, env=environ, capture_output=True, timeout=PATIENCE, check=False)
    assert failed.returncode != 0
    volumes = json.loads(find_instructions("VOLUME")[0])
    written = {path for path in tmp_path.rglob("*") if path.is_file()}
    kept = [tmp_path / volume.lstrip("/") for volume in volumes]
    assert written
    assert [path for path in written if not any(path.is_relative_to(one) for one in kept)] == []


@pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")
def test_nginx_passes_on_what_was_typed_and_logs_no_path(tmp_path: Path) -> None:
    """A port that was typed belongs to the origin of the pages; forms of others are refused."""
    seen: list[WSGIEnvironment] = []

    def app(environ: WSGIEnvironment, start: StartResponse) -> list[bytes]:
        seen.append(environ)
        start("200 OK", [("Content-Length", "0")])
        return []

    with ExitStack() as stack:
        with serve(app) as node:
            ports = [int(node.rpartition(":")[2])]
            proxy = stack.enter_context(running_proxy(find_nginx(), tmp_path / "nginx", ports))
            page = f"{proxy}/s/a-token?q=words"
            assert requests.get(page, verify=False, timeout=PATIENCE).status_code == 200
        # The node is down.
        assert requests.get(page, verify=False, timeout=PATIENCE).status_code == 502

    host = proxy.removeprefix("https://")
    [passed] = seen
    assert (passed["HTTP_HOST"], passed["HTTP_X_FORWARDED_HOST"]) == (host, host)
    assert passed["HTTP_X_FORWARDED_PROTO"] == "https"
    logs = [(tmp_path / "nginx" / f"{name}.log").read_text() for name in ("access", "error")]
    assert re.findall(r" GET (\d+) ", logs[0]) == ["200", "502"]
    assert not re.search(r"a-token|words", "".join(logs))


def test_units_are_valid_and_run_commands_that_exist(installed: Path, tmp_path: Path) -> None:
    text = {path: path.read_text(encoding="utf-8") for path in UNITS}
    names = {path.name for path in UNITS}
    assert names >= {"readback.service", "readback-backup.service", "readback-backup.timer"}
    # A wrong setting is not tried again and again.
    assert "\nRestartPreventExitStatus=2\n" in text[DEPLOY / "systemd" / "readback.service"]
    copies = []
    for path, content in text.items():
        copy = tmp_path / path.name
        copy.write_text(content.replace(PREFIX, f"{installed}/"))
        if path.suffix in (".service", ".timer"):
            copies.append(copy)
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is not installed")
    run(analyze, "verify", "--man=no", "--recursive-errors=no", *copies)


def test_the_nightly_backup_does_what_its_unit_says(readback: Readback, tmp_path: Path) -> None:
    unit = (DEPLOY / "systemd" / "readback-backup.service").read_text(encoding="utf-8")
    commands = dict(re.findall(r"^(ExecStart|ExecStartPost)=(.*)$", unit, re.MULTILINE))
    folder = tmp_path / "backups"
    folder.mkdir()
    # One is what a backup left that was killed.
    for old in (folder / "2020-01-01.backup", folder / "2020-01-02.backup-x1y2z3w4"):
        old.touch()
        os.utime(old, (0, 0))
    environ = {**readback.environ, "PATH": os.defpath}
    for command in (commands["ExecStart"], commands["ExecStartPost"]):
        here = (
            command.replace("%%", "%")
            .replace("/var/backups/readback", str(folder))
            .replace(f"{PREFIX}bin/readback", str(readback.program[0]))
        )
        run(*shlex.split(here), environ=environ)

    [made] = folder.iterdir()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d{6}\.backup", made.name)
    assert made.read_bytes().startswith(b"SQLite format 3\0")
