"""Any messages in a file come out of the API and of an export unchanged."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from tests.support.any_json import checked, texts, values
from webapp.embedded import Store, create_server, import_files
from webapp.embedded.transfer.exporting import export_completions

OWN_KEYS = ("id", "role", "content", "content_parts", "name")
_numbers = count()

messages = st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["user", "assistant", "tool", "system"]) | values},
        optional={
            "content": values,
            "name": values,
            "tool_calls": values,
            "tool_call_id": texts,
            "refusal": values,
            "anything else": values,
        },
    ),
    max_size=6,
)


@dataclass(frozen=True)
class Kept:
    """A store that all examples share, each under an id of its own, and a client of its API."""

    store: Store
    client: FlaskClient
    file: Path


@pytest.fixture(scope="module")
def kept(empty_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Kept, ...]]:
    """Yield two stores: that which is exported, and that which the export is imported into."""
    folder = tmp_path_factory.mktemp("trip")
    with ExitStack() as stack:
        opened = []
        for name in ("first", "second"):
            shutil.copy(empty_store, folder / f"{name}.db")
            store = stack.enter_context(closing(Store(f"sqlite:///{folder / name}.db")))
            client = create_server(store).test_client()
            opened.append(Kept(store, client, folder / f"{name}.jsonl"))
        yield tuple(opened)


@checked
@given(messages)
def test_imported_messages_come_back_from_the_api_and_the_export(
    kept: tuple[Kept, ...], said: list[dict[str, Any]]
) -> None:
    first, second = kept
    line = {"id": f"chatcmpl-{next(_numbers)}", "messages": said, "choices": []}
    exported = _through(first, json.dumps(line), said)
    assert json.loads(exported) == line
    again = _through(second, exported, said)
    assert again == exported


def _through(kept: Kept, line: str, said: list[dict[str, Any]]) -> str:
    """Import `line`, check the API's answer, and export it."""
    kept.file.write_text(line.strip() + "\n", encoding="utf-8")
    report = import_files(kept.store, [kept.file])
    assert (report.added, report.problems) == (1, [])
    completion_id = json.loads(line)["id"]
    _check_api(kept.client, completion_id, said)
    out = io.BytesIO()
    export_completions(kept.store, out.write, ids=[completion_id])
    return out.getvalue().decode("utf-8")


def _check_api(client: FlaskClient, completion_id: str, said: list[dict[str, Any]]) -> None:
    page = json.loads(
        client.get(f"/chat/completions/{completion_id}/messages?limit=100").get_data()
    )
    assert len(page["data"]) == len(said)
    for shown, given_one in zip(page["data"], said, strict=True):
        assert tuple(shown)[:5] == OWN_KEYS
        assert shown["role"] == given_one["role"]
        more = {name: value for name, value in given_one.items() if name not in OWN_KEYS}
        assert {name: shown[name] for name in more} == more
        if isinstance(given_one.get("content"), str):
            assert shown["content"] == given_one["content"]
