"""Texts that people paste, and the completions that they name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.any_json import checked
from webapp.reading.pasted import CompletionRef, TranscriptPlace, parse_pasted, parse_place

ID = "chatcmpl-CTxOp1E8WvIfQtQ3En3hwngASdj0A"
API = "https://api.openai.com/v1/chat/completions"


@pytest.mark.parametrize(
    "pasted",
    [
        ID,
        f"  {ID}\n",
        f'"{ID}"',
        f"`{ID}`",
        f"<{ID}>",
        f"{API}/{ID}",
        f"{API}/{ID}/messages?limit=2&order=asc",
        f"GET /v1/chat/completions/{ID}/messages",
        f"curl {API}/{ID} -H 'Authorization: Bearer $OPENAI_API_KEY'",
        f'curl "{API}/{ID}/messages" \\\n  -H "Content-Type: application/json"',
        f"https://r.openai.azure.com/openai/v1/chat/completions/{ID}",
        f"http://127.0.0.1:8000/completions/{ID}?order=desc#m-3",
        f"http://127.0.0.1:8000/completions/{ID}/raw",
        f'{{"id": "{ID}", "object": "chat.completion"}}',
        f"2026-11-03 14:03 INFO completion id={ID}, took 2 s",
        f"The completion was {ID}.",
        f"See {API}/{ID}.",
        f"({API}/{ID}): an example",
    ],
)
def test_the_completion_is_found_in_what_is_pasted(pasted: str) -> None:
    assert parse_pasted(pasted) == CompletionRef(ID)


@pytest.mark.parametrize("message_id", [f"{ID}-3", "msg_abc", "a:b~c.d"])
def test_a_link_to_a_message_names_both(message_id: str) -> None:
    link = f"http://127.0.0.1:8000/completions/{ID}/messages/{message_id}"

    assert parse_pasted(link) == CompletionRef(ID, message_id)
    assert parse_pasted(f"{link}?limit=5") == CompletionRef(ID, message_id)


def test_encoded_ids_are_decoded() -> None:
    assert parse_pasted(f"{API}/gen%3A17%7Ea/messages/m%2D1") == CompletionRef("gen:17~a", "m-1")


def test_a_long_id_is_taken_whole_or_not_at_all() -> None:
    encoded = "%3A" * 120 + "x" * 136

    assert parse_pasted(f"{API}/{encoded}") == CompletionRef(":" * 120 + "x" * 136)
    assert parse_pasted(f"{API}/{'x' * 257}") is None
    assert parse_pasted("x" * 257) is None


@pytest.mark.parametrize("pasted", ["gen-1761", "resp_0a", "5f0c4e8e-2b5e-4e0a-9a3e-1c2d3e4f5a6b"])
def test_ids_of_other_servers_are_taken_as_they_are(pasted: str) -> None:
    assert parse_pasted(pasted) == CompletionRef(pasted)


@pytest.mark.parametrize(
    "pasted",
    [
        "",
        "   ",
        ".",
        "..",
        "two words",
        "<a b>",
        API,
        f"{API}/",
        f"{API}/..",
        f"{API}/%2e%2e",
        f"{API}/a%2Fb",
        f"{API}/a%20b",
        f"{API}/%ff",
        f"{API}/{ID}/messages/%2e%2e",
        "sk-proj-abcdef",
        f"{API}/sk-proj-abcdef",
    ],
)
def test_a_text_that_names_no_completion_is_refused(pasted: str) -> None:
    assert parse_pasted(pasted) is None


@given(st.text() | st.text(alphabet="chatmpl-/completions%2e.:~ \n?#").map(f"{API}/".__add__))
@checked
def test_every_id_found_can_be_part_of_a_path(pasted: str) -> None:
    ref = parse_pasted(pasted)
    if ref is None:
        return
    for found in (ref.completion_id, ref.message_id or "m"):
        assert found not in (".", "..")
        assert set(found) <= set(
            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:~-"
        )
        assert 0 < len(found) <= 256


def test_a_dash_that_a_word_processor_put_for_the_hyphen_is_read_as_one() -> None:
    assert parse_pasted("chatcmpl\u2011abc123") == CompletionRef("chatcmpl-abc123")


@pytest.mark.parametrize(
    ("pasted", "place"),
    [
        ("187", TranscriptPlace("message", 187)),
        (" 187\n", TranscriptPlace("message", 187)),
        ("#187", TranscriptPlace("message", 187)),
        ("1,143", TranscriptPlace("message", 1143)),
        ("0", TranscriptPlace("message", 0)),
        ("message 137 of 254", TranscriptPlace("message", 137)),
        ("Message #9", TranscriptPlace("message", 9)),
        ("#m-12", TranscriptPlace("message", 12)),
        ("call 57", TranscriptPlace("call", 57)),
        ("call57", TranscriptPlace("call", 57)),
        ("CALL 57 of 1,140", TranscriptPlace("call", 57)),
        ("3.1", TranscriptPlace("call", 3, 1)),
        ("call 3.12", TranscriptPlace("call", 3, 12)),
    ],
)
def test_a_number_names_a_place_in_a_transcript(pasted: str, place: TranscriptPlace) -> None:
    assert parse_place(pasted) == place


@pytest.mark.parametrize(
    "pasted",
    [
        "",
        "call",
        "-1",
        "1e3",
        "12,34",
        "1" * 10,
        "\u0661\u0662",
        "57 calls",
        "3.",
        ID,
        f"{ID}-3",
        "gen-17",
    ],
)
def test_other_texts_name_no_place(pasted: str) -> None:
    assert parse_place(pasted) is None
