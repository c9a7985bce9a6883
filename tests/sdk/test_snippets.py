"""The snippets of the page "Code", run as they stand against `readback serve`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeAlias

import pytest
import requests
from selectolax.lexbor import LexborHTMLParser

from tests.sdk.api import Api, not_here
from tests.snippets.hostile import hostile_completion
from tests.support.model_server import FakeModel, completion, whole
from tools.paths import ROOT
from webapp.embedded.documents.records import parse_record

ID: Final = "chatcmpl-hostile"
PLAIN: Final = "chatcmpl-plain"
RUN: Final = {"curl": ["bash"], "python": [sys.executable], "node": ["node"]}
NAMES: Final = {"curl": "run.sh", "python": "run.py", "node": "run.mjs"}

Snippet: TypeAlias = Callable[..., Any]


@pytest.fixture
def run(api: Api, tmp_path: Path) -> Snippet:
    """Run the snippet that the page shows, as a reader copies it; return what it prints.

    Two completions are stored: one with hostile texts, and one that every client can send.
    """
    plain = hostile_completion(PLAIN)
    del plain["seed"], plain["messages"][7]
    for one in (hostile_completion(ID, long=1_000_000), plain):
        # The texts have halves of characters, which JSON can only escape.
        api.store.add([parse_record(json.dumps(one))])

    def run_snippet(language: str, completion_id: str = ID, **query: str) -> Any:
        if shutil.which(RUN[language][0]) is None:
            not_here(language)
        page_url = f"{api.base_url.removesuffix('/v1')}/completions/{completion_id}"
        page = requests.get(f"{page_url}/code", {"in": language, **query}, timeout=60)
        code = LexborHTMLParser(page.text).css_first(".code code")
        assert code is not None
        script = tmp_path / NAMES[language]
        script.write_text(code.text(), encoding="utf-8")
        if query.get("body") == "file":
            body = requests.get(f"{page_url}/request.json", timeout=60)
            (tmp_path / "request.json").write_bytes(body.content)
        if language == "node" and not (tmp_path / "node_modules").exists():
            (tmp_path / "node_modules").symlink_to(ROOT / "node_modules")
        # The snippet must not use a proxy of the environment.
        environ = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
        ended = subprocess.run(
            [*RUN[language], str(script)],
            cwd=tmp_path,
            env=environ | {"OPENAI_API_KEY": "unused"},
            capture_output=True,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr[-2000:]
        return json.loads(ended.stdout)

    return run_snippet


@pytest.mark.parametrize("language", RUN)
def test_a_page_of_messages_is_fetched_as_the_endpoint_sends_it(
    api: Api, run: Snippet, language: str
) -> None:
    query = {"after": f"{ID}-0", "limit": "3", "order": "asc"}
    sent = requests.get(f"{api.base_url}/chat/completions/{ID}/messages", query, timeout=60).json()

    assert run(language, **query) == sent
    assert [one["id"] for one in sent["data"]] == [f"{ID}-1", f"{ID}-2", f"{ID}-3"]


@pytest.mark.parametrize(("language", "body"), [*((one, "code") for one in RUN), ("node", "file")])
def test_a_completion_is_created_again_by_an_equal_request(
    api: Api, model: FakeModel, run: Snippet, language: str, body: str
) -> None:
    answer = completion("chatcmpl-again")
    model.script(whole(answer))

    printed = run(language, body=body, **{"for": "again"})

    asked = json.loads(model.requests[-1].body)
    first = hostile_completion(long=1_000_000)
    assert asked == {
        name: first[name] for name in ("model", "messages", "seed", "temperature", "tools")
    }
    assert b"-8132613597486110237" in model.requests[-1].body
    assert printed == answer
    stored = requests.get(f"{api.base_url}/chat/completions/chatcmpl-again", timeout=60).json()
    assert stored["metadata"] == {"readback_rerun_of": ID}


@pytest.mark.parametrize("language", RUN)
def test_it_can_end_with_any_message_and_then_has_plain_code(
    api: Api, model: FakeModel, run: Snippet, language: str
) -> None:
    """Without the seed and the half characters, the clients' own calls send the request."""
    run(language, PLAIN, to="9", **{"for": "again"})

    asked = json.loads(model.requests[-1].body)
    messages = hostile_completion()["messages"]
    assert asked["messages"] == messages[:7] + messages[8:10]
