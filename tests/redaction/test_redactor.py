"""Masking JSON values: everywhere, in every form, and nothing but strings."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given

from tests.support.any_json import Json, checked, values
from webapp.exact_json import Object, parse
from webapp.redaction import Redactor, SecretFinding
from webapp.redaction.pieces import list_known_names

KEY = "sk-proj-" + "Ab3dEf6hIj9kLm2nOp5qRs8tUv1wXy4z"
MASK = "[masked: api-key]"


def redact(value: Any, redactor: Redactor | None = None) -> Any:
    return json.loads((redactor or Redactor()).redact(parse(json.dumps(value))).source)


def scan(value: Any, redactor: Redactor | None = None) -> tuple[SecretFinding, ...]:
    return (redactor or Redactor()).scan(parse(json.dumps(value))).findings


def tokens(*texts: str) -> dict[str, Any]:
    each = [{"token": text, "logprob": -0.5, "bytes": list(text.encode())} for text in texts]
    return {"content": [one | {"top_logprobs": [dict(one)]} for one in each]}


@pytest.mark.parametrize(
    ("value", "masked"),
    [
        ({"id": KEY}, {"id": MASK}),
        ({"metadata": {KEY: "x"}}, {"metadata": {MASK: "x"}}),
        ([f"a {KEY} b", [KEY]], [f"a {MASK} b", [MASK]]),
        ({"arguments": json.dumps({"k": KEY})}, {"arguments": json.dumps({"k": MASK})}),
        (json.dumps(json.dumps(json.dumps([KEY]))), json.dumps(json.dumps(json.dumps([MASK])))),
        (f'{{"cut": "{KEY}", "off', f'{{"cut": "{MASK}", "off'),
        (f'{{"k": "{KEY}", "off'.replace("-", "\\u002d"), f'{{"k": "{MASK}", "off'),
        (f"?k={KEY.replace('-', '%2D')}&y=1", f"?k={MASK}&y=1"),
        (base64.b64encode(KEY.encode()).decode(), MASK),
        (list(f"with {KEY}".encode()), list(f"with {MASK}".encode())),
        (f'data: {{"d": "{KEY}"}}\n\ndata: [DONE]', f'data: {{"d": "{MASK}"}}\n\ndata: [DONE]'),
    ],
)
def test_a_secret_is_masked_in_every_form_of_it(value: Json, masked: Json) -> None:
    assert redact(value) == masked


def test_a_secret_has_one_kind_wherever_it_is_and_that_of_its_vendor() -> None:
    token = "gh" + "p_" + "Rt5Yp2Lm9Xc4Vb8Nz1Kd6Wf3Hs0JgAeUiOqq"
    value = [f"The token is {token}.", {"authorization": f"Bearer {token}"}, {"password": token}]

    assert [one.kind for one in scan(value)] == ["github-token"]
    assert json.dumps(redact(value)).count("[masked: github-token]") == 3


def test_text_in_base64_is_written_in_base64_again() -> None:
    text = base64.b64encode(f"with {KEY}\n".encode()).decode()

    assert base64.b64decode(redact(text)).decode() == f"with {MASK}\n"


@pytest.mark.parametrize(
    "data",
    [
        lambda text: (
            b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\xff\0\xfe\0tEXtComment\0" + text + b"\0\xff" * 40
        ),
        lambda text: (
            b"\xff\xd8\xff\xe1\0\0Exif\0\0" + text.decode().encode("utf-16-le") + b"\xd9" * 40
        ),
        lambda text: b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n/Author (" + text + b")\n" + b"\0\xff" * 40,
        lambda text: b"RIFF\x80\0\0\0WAVEfmt \x10\0LIST" + text + b"\x80\x7f" * 40,
    ],
    ids=["PNG", "JPEG", "PDF", "WAV"],
)
def test_a_file_with_a_secret_in_its_data_is_masked_as_a_whole(
    data: Callable[[bytes], bytes],
) -> None:
    def write(text: str) -> str:
        return f"data:;base64,{base64.b64encode(data(text.encode())).decode()}"

    value = write(f"by {KEY}")
    masked = "data:;base64,[masked: unsearched-data]"
    (found,) = scan(value, Redactor(key=b"k"))

    assert redact(value) == masked
    assert redact(value, Redactor(keep=[found.id], key=b"k")) == value
    assert redact([write("by Schwalbe=Tisch-81"), "password: Schwalbe=Tisch-81"])[0] == masked
    assert redact([write("by nobody that is known"), KEY])[0] == write("by nobody that is known")


def test_zeros_in_a_picture_are_no_token_with_as_in_it() -> None:
    token = f"8mb25{KEY[10:16].lower()}AAAAAAAAAAE{KEY[-20:]}4bMu8m0SVtHFFxswH2_5Ew"
    pictures = [f"/9j/4Q{edge}{'A' * 38}NNM45R4T2AogAAABaMMp8s9gAq{edge}" for edge in "/+"]

    assert len(token) == 64 and scan(token)
    assert not scan([*pictures, f"/9j/{token}/", f"/9j/{token}+"])


@pytest.mark.parametrize("form", [str, quote, json.dumps, lambda text: json.dumps([text])])
def test_what_was_found_by_its_name_is_masked_where_it_stands_alone(form: Any) -> None:
    secret = "tr0ub4dor/&3é"
    shown = json.dumps(redact([{"password": secret}, f"it is {form(secret)}", {"x": secret}]))

    assert "tr0ub" not in shown
    assert shown.count("[masked: password]") == 3


def test_a_secret_split_over_tokens_is_masked_with_its_bytes_and_its_likely_ones() -> None:
    found = redact(tokens("The", " key", " sk-proj", f"-{KEY[8:20]}", KEY[20:], " is"))["content"]

    assert [one["token"] for one in found] == ["The", " key", f" {MASK}", "", "", " is"]
    for one in found:
        assert bytes(one["bytes"]).decode() == one["token"]
        assert one["top_logprobs"][0]["token"] == one["token"]
        assert one["top_logprobs"][0]["bytes"] == one["bytes"]


@pytest.mark.parametrize("length", [4, 20, 30])
def test_a_public_key_split_over_tokens_stays(length: int) -> None:
    public = f"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{KEY[8:24]}Qm7xV2bN9cLpRz4KdT1w me@laptop"
    pieces = [public[at : at + length] for at in range(0, len(public), length)]

    assert redact(tokens(*pieces)) == tokens(*pieces)


@pytest.mark.parametrize("name", ["order_id", "partNumber", "sku"])
def test_numbers_of_goods_in_the_form_of_persons_numbers_stay(name: str) -> None:
    value = {name: "231-45-9001"}

    assert redact(value) == value


@pytest.mark.parametrize(
    "build",
    [
        lambda piece: {"choices": [{"index": 0, "delta": {"content": piece}}]},
        lambda piece: {"type": "response.output_text.delta", "delta": piece},
        lambda piece: {"type": "content_block_delta", "index": 1, "delta": {"text": piece}},
        lambda piece: {"type": "text", "text": piece},
        lambda piece: {
            "choices": [{"delta": {"tool_calls": [{"index": 2, "function": {"arguments": piece}}]}}]
        },
    ],
)
def test_a_secret_split_over_the_pieces_of_a_stream_is_masked(build: Any) -> None:
    pieces = [build(piece) for piece in ("a ", KEY[:9], KEY[9:25], f"{KEY[25:]} b")]
    lines = "\n".join(f"data: {json.dumps(piece)}\n" for piece in pieces)
    logged = f"HTTP/1.1 200 OK\n\n{lines}\ndata: [DONE]\n"
    cut_off = f'{lines}\ndata: {{"choices": [{{"del'

    for shown in (json.dumps(redact(pieces)), *map(redact, (lines, logged, cut_off))):
        assert MASK in shown
        assert not any(part in shown for part in (KEY[:9], KEY[9:25], KEY[25:]))


def test_findings_say_kind_places_and_count() -> None:
    (one,) = scan({"a": [f"{KEY} {KEY}", json.dumps({"b": KEY})], KEY: 0})

    assert (one.kind, one.text, one.count, one.is_kept) == ("api-key", KEY, 4, False)
    assert set(one.paths) == {"/a/0", "/a/1/b", f"/{MASK}"}
    assert KEY not in repr(one)


def test_an_id_is_the_same_under_the_same_key_and_under_no_other() -> None:
    first, again, other = (
        scan([KEY], Redactor(key=key))[0].id for key in (b"k" * 32, b"k" * 32, b"o" * 32)
    )

    assert first == again != other
    assert scan([KEY])[0].id != scan([KEY])[0].id


def test_what_is_kept_by_hand_stays_and_is_still_listed() -> None:
    value = [f"{KEY} password=hunter27", "hunter27"]
    ids = {one.kind: one.id for one in scan(value, Redactor(key=b"k"))}
    keeping = Redactor(keep=[ids["password"]], key=b"k")

    assert redact(value, keeping) == [f"{MASK} password=hunter27", "hunter27"]
    assert {one.kind: one.is_kept for one in scan(value, keeping)} == {
        "api-key": False,
        "password": True,
    }


def test_words_of_the_maker_are_masked_everywhere() -> None:
    assert redact(
        ["Acme's", {"ACME": json.dumps(["acme corp"])}], Redactor(words=["Acme", " "])
    ) == [
        "[masked: word]'s",
        {"[masked: word]": json.dumps(["[masked: word] corp"])},
    ]


def test_a_part_is_masked_with_what_the_whole_tells() -> None:
    whole = Redactor().scan(parse(json.dumps(["password=hunter27", "hunter27"])))

    assert whole.redact(parse('["so hunter27"]')).source == '["so [masked: password]"]'
    assert whole.redact_text("On hunter27") == "On [masked: password]"


def test_names_do_not_grow_with_the_depth_of_objects() -> None:
    node = parse('{"key": "x"}')
    assert isinstance(node, Object)

    (known,) = list_known_names(node, ["key"], "a" * 5000)

    assert known.endswith("a_key") and len(known) < 100


def test_kinds_can_be_chosen() -> None:
    assert redact([KEY, "password=hunter27"], Redactor(kinds=["password"])) == [
        KEY,
        "password=[masked: password]",
    ]


def test_a_source_without_secrets_stays_as_it_is() -> None:
    source = ' {"a": 1.0, "a" : [1e400, "\\u00e9\\/", "\\ud800"], "seed": 12345678901234567890}'

    assert Redactor().redact(parse(source)).source == source.strip()


@given(values)
@checked
def test_any_value_keeps_its_structure(value: Json) -> None:
    def outline(one: Json) -> object:
        if isinstance(one, dict):
            return [outline(inner) for inner in one.values()]
        if isinstance(one, list):
            return [outline(inner) for inner in one]
        return type(one)

    assert outline(redact(value)) == outline(value)
