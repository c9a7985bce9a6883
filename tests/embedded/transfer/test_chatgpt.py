"""Every branch of a conversation exported from ChatGPT becomes a completion."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.support.api_answers import ids
from webapp.embedded import ImportReport, Store, import_files


def node(
    own_id: str, parent: str | None, role: str = "user", content: Any = None, **members: Any
) -> dict[str, Any]:
    content = {"content_type": "text", "parts": [own_id]} if content is None else content
    author = {"role": role, "name": members.pop("name", None), "metadata": {}}
    message = {"id": f"m-{own_id}", "author": author, "content": content} | members
    return {"id": own_id, "parent": parent, "children": [], "message": message}


def conversation(*nodes: dict[str, Any], **members: Any) -> dict[str, Any]:
    root: dict[str, Any] = {"id": "root", "parent": None, "children": [], "message": None}
    mapping = {one["id"]: one for one in (root, *nodes)}
    return {"title": "T", "create_time": 5.25, "mapping": mapping, "conversation_id": "v"} | members


def load(store: Store, folder: Path, *conversations: object) -> ImportReport:
    path = folder / "conversations.json"
    path.write_text(json.dumps(conversations), encoding="utf-8")
    return import_files(store, [path])


def read(client: FlaskClient, name: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    completion = client.get(f"/chat/completions/{name}").get_json()
    page = client.get(f"/chat/completions/{name}/messages?limit=100").get_json()
    return completion, page["data"]


EMPTY = node("empty", "root", "system", {"content_type": "text", "parts": [""]})
TREE = (
    EMPTY,
    node("q", "empty"),
    node("a1", "q", "assistant", metadata={"model_slug": "gpt-x"}),
    node("a2", "q", "assistant"),
    node("q2", "a2"),
    node("q3", "empty"),
)


def test_conversations_may_be_a_member_of_an_object(
    store: Store, client: FlaskClient, tmp_path: Path
) -> None:
    path = tmp_path / "export.json"
    chats = [conversation(*TREE, current_node="a1", conversation_id=name) for name in "vw"]
    path.write_text(json.dumps({"user": {"id": "u"}, "conversations": chats}), encoding="utf-8")
    report = import_files(store, [path])

    assert (report.added, report.problems) == (6, [])
    assert {"v", "w"} < set(ids(client.get("/chat/completions?limit=10").get_json()["data"]))


def test_the_branch_shown_last_and_each_other_one_is_a_completion(
    store: Store, client: FlaskClient, tmp_path: Path
) -> None:
    report = load(store, tmp_path, conversation(*TREE, current_node="a1"))

    assert (report.added, report.problems) == (3, [])
    [forms] = report.formats.values()
    assert {form.name: number for form, number in forms.items()} == {"CHATGPT": 3}
    assert set(ids(client.get("/chat/completions").get_json()["data"])) == {"v", "v:q2", "v:q3"}
    shown, asked = read(client, "v")
    assert [one["content"] for one in asked] == ["q"]
    assert [one["message"]["content"] for one in shown["choices"]] == ["a1"]
    assert (shown["created"], shown["model"], shown["title"]) == (5, "gpt-x", "T")
    other, asked = read(client, "v:q2")
    assert [(one["role"], one["content"]) for one in asked] == [
        ("user", "q"),
        ("assistant", "a2"),
        ("user", "q2"),
    ]
    assert other["choices"] == []
    assert load(store, tmp_path, conversation(*TREE, current_node="a1")).unchanged == 3


@pytest.mark.parametrize("current", [None, "none", "missing"])
def test_without_a_current_node_the_last_branch_is_the_one_shown(
    store: Store, client: FlaskClient, tmp_path: Path, current: str | None
) -> None:
    load(store, tmp_path, conversation(*TREE, current_node=current))

    assert [one["content"] for one in read(client, "v")[1]] == ["q3"]


def test_thoughts_calls_results_and_images_keep_their_kind(
    store: Store, client: FlaskClient, tmp_path: Path
) -> None:
    image = {"content_type": "image_asset_pointer", "asset_pointer": "file-service://f"}
    thoughts = [{"summary": "S", "content": "C"}]
    code = {"content_type": "code", "language": "unknown", "text": "1 + 1"}
    output = {"content_type": "execution_output", "text": "2"}
    quote = {"content_type": "tether_quote", "url": "https://e.example/", "text": "t"}
    nodes = (
        node("q", "root", content={"content_type": "multimodal_text", "parts": [image, "see"]}),
        node("t", "q", "assistant", {"content_type": "thoughts", "thoughts": thoughts}),
        node("c", "t", "assistant", code, recipient="python"),
        node("r", "c", "tool", output, name="python"),
        node("w", "r", "tool", quote, name="browser", weight=1.0),
        node("a", "w", "assistant"),
    )

    load(store, tmp_path, conversation(*nodes, current_node="a"))

    completion, asked = read(client, "v")
    question, thought, call, result, quoted = asked
    assert [part["type"] for part in question["content_parts"]] == ["image_asset_pointer", "text"]
    assert thought["reasoning_content"] == "S\n\nC"
    assert call["tool_calls"][0]["custom"] == {"name": "python", "input": "1 + 1"}
    assert (result["content"], result["tool_call_id"]) == ("2", call["tool_calls"][0]["id"])
    assert quoted["content_parts"][0]["url"] == "https://e.example/"
    assert quoted["chatgpt"] == {"weight": 1.0}
    assert completion["choices"][0]["message"]["content"] == "a"


def test_a_conversation_that_is_damaged_costs_no_other_one(
    store: Store, client: FlaskClient, tmp_path: Path
) -> None:
    circle = conversation(node("a", "b"), node("b", "a"), current_node="a", conversation_id="c")
    empty = conversation(EMPTY, conversation_id="e")
    orphan = conversation(node("q", "gone"), current_node="q", conversation_id="o")
    odd = conversation(node("q", "root"), current_node="q", conversation_id="a b", id="a b")

    report = load(store, tmp_path, circle, empty, orphan, odd)

    assert [problem.reason for problem in report.problems] == ["it has no messages"]
    assert report.added == 3
    assert [one["content"] for one in read(client, "c")[1]] == ["b", "a"]
    assert [one["content"] for one in read(client, "o")[1]] == ["q"]
    [own] = {*ids(client.get("/chat/completions").get_json()["data"])} - {"c", "o"}
    assert read(client, own)[0]["original_id"] == "a b"


def test_what_the_api_has_no_place_for_is_kept_beside_each_message(
    store: Store, client: FlaskClient, tmp_path: Path
) -> None:
    thought = {"summary": "S", "content": "C", "finished": True}
    document = {"content_type": "text", "parts": ['{"name": "notes"}']}
    asked = node("q", None)
    asked["message"]["author"]["metadata"] = {"real_author": "tool:web"}
    load(
        store,
        tmp_path,
        conversation(
            asked,
            node("code", "q", "assistant", {"language": "r", "text": "1"}, recipient="python"),
            node("canvas", "code", "assistant", document, recipient="canmore.create"),
            node("made", "canvas", "tool", {"parts": ["Made"]}, name="canmore.create"),
            node("t", "made", "assistant", {"thoughts": [thought], "source": "x"}),
            current_node="t",
        ),
    )

    shown, [question, code, canvas, made] = read(client, "v")
    assert question["chatgpt"]["author"] == {"metadata": {"real_author": "tool:web"}}
    assert code["chatgpt"]["content"] == {"language": "r"}
    assert canvas["tool_calls"][0]["custom"] == {
        "name": "canmore.create",
        "input": '{"name": "notes"}',
    }
    assert made["tool_call_id"] == canvas["tool_calls"][0]["id"]
    kept = shown["choices"][0]["message"]["chatgpt"]["content"]
    assert kept == {"source": "x", "thoughts": [{"finished": True}]}
