"""Properties of every snapshot, of any structure."""

from __future__ import annotations

import json
from typing import Any, Final

from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.redaction.test_disguises import CARD, MAIL, TOKEN
from tests.shares.sharing import COMPLETION, OWN_ID, publish, sharing_of, snapshot
from tests.support.any_json import Json, values
from webapp.shares import ShareChoices, Terms

SECRETS: Final = (TOKEN, CARD, MAIL)
PATHS: Final = ("", "?limit=1", "/completions/shared/json", "/completions/shared?all=1")

# Digits alone, without a word around them, may be the number of an order.
TEXTS: Final = (TOKEN, MAIL, f"card {CARD} of", f"a {TOKEN} b", f"a {MAIL} b")
HOSTILE: Final = st.sampled_from(
    (
        *TEXTS,
        *(json.dumps({"x": [one, json.dumps({one: one})]}) for one in TEXTS),
        *("".join(f"\\u{ord(letter):04x}" for letter in one) for one in TEXTS),
    )
)


def plant(value: Json, names: st.SearchStrategy[str], draw: Any) -> Any:
    """Return `value` with secrets in the place of some of its names and scalars."""
    if isinstance(value, list):
        return [plant(one, names, draw) for one in value]
    if isinstance(value, dict):
        return {
            draw(names) if draw(st.booleans()) else name: plant(one, names, draw)
            for name, one in value.items()
        }
    return draw(names) if draw(st.booleans()) else value


@st.composite
def messages(draw: st.DrawFn) -> list[Any]:
    """Messages of all shapes, with secrets in their members, names, parts and calls."""
    secret = draw(HOSTILE)
    role = draw(st.sampled_from(["user", "assistant", "tool", "developer", secret]))
    call = {"id": secret, "type": "function", "function": {"name": secret, "arguments": secret}}
    parts = [
        {"type": "text", "text": secret},
        {"type": "image_url", "image_url": {"url": f"https://a.example/{TOKEN}.png"}},
        {"type": "file", "file": {"filename": f"{TOKEN}.pdf", "file_data": secret}},
        {"type": TOKEN, "text": secret},
        {"type": "text", "text": f"{TOKEN[:12]}"},
        {"type": "text", "text": f"{TOKEN[12:]}"},
    ]
    made = {
        "role": role,
        "name": draw(HOSTILE),
        "content": draw(st.sampled_from([secret, parts, None])),
        "tool_calls": [call] if draw(st.booleans()) else None,
        "metadata": plant(draw(values), HOSTILE, draw),
        draw(HOSTILE): plant(draw(values), HOSTILE, draw),
    }
    return [made, plant(draw(values), HOSTILE, draw)]


@given(messages(), st.builds(dict, x=HOSTILE))
@settings(
    deadline=None,
    derandomize=True,
    max_examples=8,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_nothing_planted_is_in_any_output(
    app: Flask, given_messages: list[Any], metadata: dict[str, str]
) -> None:
    made = snapshot(
        ShareChoices(calls=True, system=True, settings=True),
        completion={**COMPLETION, "metadata": metadata, "user": TOKEN},
        messages=given_messages,
    )
    _, token = publish(app, made)
    client = app.test_client()
    for path in PATHS:
        answer = client.get(f"/s/{token}{path}")
        assert answer.status_code == 200
        shown = f"{answer.headers}\n{answer.text}"
        assert not any(one in shown for one in (*SECRETS, TOKEN[4:], TOKEN[12:])), path


STEPS: Final = ("draft", "publish", "renew", "view", "rules", "others", "sweep", "page")


@given(st.lists(st.sampled_from(STEPS), max_size=8))
@settings(
    deadline=None,
    derandomize=True,
    max_examples=20,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_a_snapshot_never_changes_after_it_was_made(app: Flask, steps: list[str]) -> None:
    store = sharing_of(app).store
    share_id, token = publish(app, view_limit=100)
    before = store.read_snapshot(share_id)
    other = snapshot(messages=[{"role": "user", "content": "another"}])
    for step in steps:
        share = store.find(share_id)
        assert share is not None
        if step == "draft":
            assert not store.replace_draft(share_id, other)
        elif step == "publish":
            assert store.publish(share_id, Terms(maker="Eve", seconds=9)) is None
        elif step == "renew":
            token = store.renew_token(share_id) or ""
        elif step == "view":
            assert store.take_view(share, token, agent="x")
        elif step == "rules":
            store.note_rules(share_id, 99)
        elif step == "others":
            store.revoke(store.add_draft("eve", OWN_ID, other))
        elif step == "sweep":
            store.sweep()
        else:
            assert app.test_client().get(f"/s/{token}").status_code == 200
        assert store.read_snapshot(share_id) == before
