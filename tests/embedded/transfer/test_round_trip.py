"""Any messages in a file come out of the API and of an export unchanged."""

from __future__ import annotations

import io
import json
import shutil
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any

import pytest
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


@checked
@given(messages)
def test_imported_messages_come_back_from_the_api_and_the_export(
    empty_store: Path, tmp_path_factory: pytest.TempPathFactory, said: list[dict[str, Any]]
) -> None:
    folder = tmp_path_factory.mktemp("trip")
    for name in ("first.db", "second.db"):
        shutil.copy(empty_store, folder / name)
    line = {"id": f"chatcmpl-{next(_numbers)}", "messages": said, "choices": []}
    exported = _through(folder / "first.db", json.dumps(line), said)
    assert json.loads(exported) == line
    again = _through(folder / "second.db", exported, said)
    assert again == exported


def _through(database: Path, line: str, said: list[dict[str, Any]]) -> str:
    """Import `line` into an empty store, check the API's answer, and export it."""
    given_file = database.with_suffix(".jsonl")
    given_file.write_text(line.strip() + "\n", encoding="utf-8")
    with closing(Store(f"sqlite:///{database}")) as store:
        report = import_files(store, [given_file])
        assert not report.problems
        _check_api(store, json.loads(line)["id"], said)
        out = io.BytesIO()
        export_completions(store, out.write)
        return out.getvalue().decode("utf-8")


def _check_api(store: Store, completion_id: str, said: list[dict[str, Any]]) -> None:
    client = create_server(store).test_client()
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
