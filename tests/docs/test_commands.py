"""Every command of the README and of `docs` is run, or checked as far as it can be without others.

`readback` runs as its user would run it. Servers are started as far as their settings and pages.
What changes the machine runs in a folder that stands for its root. Programs of others, such as
Docker, are not started: the files and names they are given must exist.
"""

from __future__ import annotations

import gzip
import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from sqlalchemy import make_url

from tests.docs.shell import Call, Program, find_blocks, parse_calls
from tests.support.command import PATIENCE, Readback
from tests.support.model_server import FakeModel
from tests.support.serving import serve
from tools.forking import Forkable
from tools.paths import ROOT
from tools.store_rows import compact, completion, jsonl
from webapp import create_app
from webapp.cli import COMMANDS, parse_arguments
from webapp.config import Config
from webapp.database import open_database

DOCUMENTS: Final = tuple(
    path
    for path in (
        ROOT / "README.md",
        *sorted((ROOT / "docs").glob("*.md")),
        ROOT / "CONTRIBUTING.md",
    )
    if any(list(find_blocks(path, language)) for language in ("sh", "python"))
)
COMPLETION: Final = "chatcmpl-9Xk2fA"
SHARE: Final = "4f1c09d2aa31be07"
_IN_SENTENCES: Final = re.compile(r"`((?:[\w./]+/)?(?:make|python|readback) [^`\n]+)`")
PASSWORD: Final = "correct horse battery\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with the files that the documents name."""
    runs = [completion(COMPLETION, messages=3), completion("c2", metadata={"project": "demo"})]
    for name in ("runs.jsonl", "more.jsonl", "all.jsonl"):
        jsonl(tmp_path / name, map(compact, runs))
    question = {"messages": [{"role": "user", "content": "Hi"}], "model": "m"}
    request = {"custom_id": "1", "method": "POST", "url": "/v1/chat/completions", "body": question}
    answer = completion("chatcmpl-batch")
    jsonl(tmp_path / "batch_input.jsonl", [request])
    jsonl(
        tmp_path / "batch_output.jsonl",
        [{"id": "b", "custom_id": "1", "response": {"status_code": 200, "body": answer}}],
    )
    (tmp_path / "batch_output.jsonl.gz").write_bytes(
        gzip.compress((tmp_path / "batch_output.jsonl").read_bytes())
    )
    (tmp_path / "runs").mkdir()
    shutil.copy(tmp_path / "runs.jsonl", tmp_path / "runs" / "one.jsonl")
    for name in ("oidc-secret", "certificate.pem", "certificate-key.pem"):
        (tmp_path / name).write_text("0123456789abcdef")
    shutil.copytree(ROOT / "deploy", tmp_path / "deploy")
    return tmp_path


class Machine:
    """Runs commands in `folder`; each program is a method, or one of the checks below."""

    def __init__(self, folder: Path, readback: Readback) -> None:
        self.folder = folder
        self.root = folder / "root"
        self.units = self.root / "etc" / "systemd" / "system"
        self.users: set[str] = set()
        self.readback = readback
        self.units.mkdir(parents=True)
        self.programs: dict[str, Program] = {
            "cp": self.run,
            "curl": self.fetch,
            "docker": self.check_docker,
            "echo": self.run,
            "git": self.accept,
            "install": self.install,
            "make": self.check_target,
            "mkdir": self.run,
            "openssl": self.run,
            "pip": self.check_requirement,
            "pytest": self.check_files,
            "python": self.check_module,
            "python3": self.check_module,
            "readback": self.run_readback,
            "sed": self.run,
            "systemctl": self.check_units,
            "systemd-run": self.check_inner_command,
            "systemd-sysusers": self.create_users,
            "touch": self.run,
        }

    def execute(self, call: Call) -> None:
        output = self.programs[call.program](call)
        if call.output is not None:
            (self.folder / self._below_root(call.output)).write_text(output)

    def _below_root(self, word: str) -> str:
        return f"{self.root}{word}" if word.startswith("/") else word

    def run_readback(self, call: Call) -> str:
        if call.words[1] == "serve":
            assert len(call.words) == 2, call
            self._start(call)
            return ""
        if "postgresql" in call.variables.get("DATABASE_URL", ""):
            # The address is an example, but a valid one.
            open_database(call.variables["DATABASE_URL"]).close()
        words = [self._share_id if word == SHARE else word for word in call.words[1:]]
        command = self.readback.with_settings(**self._here(call.variables))
        if words[0] in ("pull", "restore"):
            command = command.with_settings(
                DATABASE_URL=f"sqlite:///{self.folder}/{words[0]}.sqlite3"
            )
        words = [path for word in words for path in self._expand(word)]
        if words[0] == "pull":
            with serve(create_app(Config(database_url=self._database))) as here:
                ended = command.with_settings(OPENAI_BASE_URL=f"{here}/v1")(*words)
        else:
            ended = command(*words, input=PASSWORD * 2 if words[0] == "password" else "")
        allowed = {0, 1} if words[0] == "check" else {0}
        assert ended.status in allowed, f"{call}: {ended}"
        return ended.output

    def _start(self, call: Call) -> None:
        """Make the application of these settings; one in another database stays unopened."""
        settings = self._here(call.variables)
        url = call.variables.get("DATABASE_URL", self._database)
        config = Config.from_environ({**settings, "DATABASE_URL": url})
        if make_url(url).get_backend_name() != "sqlite":
            open_database(url, replica_url=config.replica_url).close()
            return
        create_app(Config.from_environ({**settings, "DATABASE_URL": self._database}))

    @property
    def _database(self) -> str:
        return self.readback.environ["DATABASE_URL"]

    @property
    def _share_id(self) -> str:
        return self.readback("shares").output.split()[0]

    def _here(self, variables: Any) -> dict[str, str]:
        """Return the settings, with files of this folder."""
        return {
            name: self._file(value) if name.endswith("_FILE") else value
            for name, value in variables.items()
            if name != "DATABASE_URL"
        }

    def _expand(self, word: str) -> list[str]:
        if "*" in word:
            return [str(path) for path in self.folder.glob(word)]
        return [self._file(word)]

    def _file(self, word: str) -> str:
        path = self.folder / word
        is_new = re.fullmatch(r"[\w-]+\.(jsonl|backup)", word)
        return str(path) if is_new or path.is_file() else word

    def fetch(self, call: Call) -> str:
        match = re.fullmatch(r"http://127\.0\.0\.1:8000(/\S*)", call.words[-1])
        assert match, call
        app = create_app(Config(database_url=self._database))
        answer = app.test_client().get(match[1])
        assert answer.status_code == 200, call
        return answer.text

    def check_target(self, call: Call) -> str:
        done = subprocess.run(
            ["make", "--dry-run", "--directory", ROOT, *call.words[1:]],
            capture_output=True,
            text=True,
            env={**os.environ, **call.variables},
            check=False,
        )
        assert done.returncode == 0, done.stderr
        if "run" in call.words[1:]:
            self._start(call)
        return ""

    def check_requirement(self, call: Call) -> str:
        project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        assert call.words[1] == "install", call
        for wanted in call.words[2:]:
            if match := re.fullmatch(r"readback\[([a-z,]+)\]", wanted):
                assert set(match[1].split(",")) <= set(project["optional-dependencies"])
            else:
                assert wanted in ("readback-*.whl", "dist/readback-*.whl"), call
        return ""

    def check_module(self, call: Call) -> str:
        module, *rest = call.words[2:]
        assert call.words[1] == "-m", call
        if module.startswith(("tests.", "bench.", "webapp", "tools.")):
            path = ROOT / module.replace(".", "/")
            found = path / "__main__.py" if path.is_dir() else path.with_suffix(".py")
            options = {word for word in rest if word.startswith("--")}
            assert options <= set(re.findall(r'"(--[\w-]+)"', found.read_text())), call
        else:
            assert module in ("venv", "zipfile"), call
            assert rest
        return ""

    def check_files(self, call: Call) -> str:
        for word in call.words[1:]:
            if "/" in word and not word.startswith("/"):
                assert (ROOT / word).exists(), call
        return ""

    def install(self, call: Call) -> str:
        words = list(call.words)
        for option in {"-o", "-g"} & set(words):
            place = words.index(option)
            assert words[place + 1] in self.users, call
            del words[place : place + 2]
        return self.run(Call(tuple(words)))

    def create_users(self, call: Call) -> str:
        for path in (self.root / "etc" / "sysusers.d").iterdir():
            self.users |= {line.split()[1] for line in path.read_text().splitlines()}
        return ""

    def check_units(self, call: Call) -> str:
        """Check that units that are started are installed, and find the files that they name."""
        for name in (word for word in call.words if word.startswith("readback")):
            unit = (self.units / name).read_text()
            assert "[Install]" in unit, name
            paths = re.findall(r"^\w+=(?:[\w-]+:)?(/(?:etc|var/backups)/\S+)$", unit, re.MULTILINE)
            assert [path for path in paths if not Path(self._below_root(path)).exists()] == []
        return ""

    def check_inner_command(self, call: Call) -> str:
        """Check the arguments of Readback, which another program runs."""
        words = call.words
        [place] = [
            place
            for place, (word, command) in enumerate(zip(words, words[1:], strict=False))
            if Path(word).name == "readback" and command in COMMANDS
        ]
        parse_arguments(words[place + 1 :])
        return ""

    def check_docker(self, call: Call) -> str:
        words = call.words
        file = words[words.index("-f") + 1]
        assert file.startswith("deploy/") and not call.variables, call
        self.check_files(call)
        if words[1] == "compose":
            text = (ROOT / file).read_text(encoding="utf-8")
            compose = yaml.safe_load(text)
            mounted = re.findall(r"^ +(?:file: |- \./)([\w./-]+)", text, re.MULTILINE)
            assert len(mounted) > len(compose["secrets"])
            assert [path for path in mounted if not (self.folder / "deploy" / path).is_file()] == []
            lines = (self.folder / "deploy" / ".env").read_text().splitlines()
            assert all(f"${{{line.partition('=')[0]}:-" in text for line in lines)
            if "exec" in words:
                assert words[words.index("exec") + 2] in compose["services"], call
                self.check_inner_command(call)
        return ""

    def run(self, call: Call) -> str:
        done = subprocess.run(
            [self._below_root(word) for word in call.words],
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def accept(self, call: Call) -> str:
        """Accept a command that changes the machine, or needs one of its own."""
        assert len(call.words) < 8
        return ""


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_works(document: Path, folder: Path, forkable: Forkable) -> None:
    database = f"sqlite:///{folder / 'readback.sqlite3'}"
    readback = Readback.of_user(folder, forkable=forkable, DATABASE_URL=database)
    assert readback("import", folder / "runs.jsonl").status == 0
    assert readback("share", COMPLETION, "--yes").status == 0
    machine = Machine(folder, readback)
    calls = [call for block in find_blocks(document, "sh") for call in parse_calls(block)]
    # What deletes comes last: the commands of a page are examples, and no session.
    calls.sort(key=lambda call: call.words[:2] == ("readback", "delete"))

    for call in calls:
        machine.execute(call)


def test_every_command_in_a_sentence_exists(folder: Path) -> None:
    machine = Machine(folder, Readback.of_user(folder))
    paths = {*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")} - {ROOT / "CHANGELOG.md"}
    texts = (path.read_text(encoding="utf-8") for path in paths)
    found = {code for text in texts for code in _IN_SENTENCES.findall(text)}
    calls = [call for code in found for call in parse_calls(code)]
    assert {call.program for call in calls} == {"make", "python", "readback"}

    for call in calls:
        if call.program == "readback":
            assert call.words[1] in {*COMMANDS, "--version"}, call
        else:
            machine.execute(call)


def test_the_example_for_a_client_stores_its_completion(tmp_path: Path) -> None:
    [code] = {one for path in DOCUMENTS for one in find_blocks(path, "python")}
    with FakeModel().serve() as address:
        config = Config(database_url=f"sqlite:///{tmp_path / 'a.sqlite3'}", model_url=address)
        app = create_app(config)
        with serve(app) as here:
            exec(code.replace("http://127.0.0.1:8000", here), {})
        listed = app.test_client().get("/v1/chat/completions").get_json()
    assert len(listed["data"]) == 1
