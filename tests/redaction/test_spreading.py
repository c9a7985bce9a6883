"""A secret that is known in one place is masked in all others, whatever was done to it there."""

from __future__ import annotations

import base64
import bz2
import gzip
import html
import io
import json
import lzma
import quopri
import random
import re
import tarfile
import zipfile
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from webapp.exact_json import parse
from webapp.redaction import Redactor
from webapp.redaction.spreading import SHORTEST, Values

PASSWORD: Final = "Schwalbe=Tisch-&Garten-81"
TOKEN: Final = "ghp" + "_Ab3dEf6hIj9kLm2nOp5qRs8tUv1wXy4zAb12"

FORMS: Final[dict[str, Callable[[str], str]]] = {
    "backwards": lambda text: text[::-1],
    "in capitals": str.upper,
    "in small letters": str.lower,
    "with a small letter first": lambda text: text[0].lower() + text[1:],
    "with the keys of capitals locked": str.swapcase,
    "with one capital": str.capitalize,
    "in the name of a function": lambda text: f"for_{re.sub('[^A-Za-z0-9]+', '_', text)}_now",
    "in the name of a file": lambda text: re.sub("[^a-z0-9]+", "-", text.lower()) + ".txt",
    "with hyphens of print": lambda text: text.replace("-", "\u2011"),
    "spelled": " ".join,
    "spelled in lines": "\n".join,
    "wrapped": lambda text: f"{text[:11]}\n{text[11:]}",
    "wrapped and indented": lambda text: f"{text[:7]}\r\n    {text[7:14]}\r\n    {text[14:]}",
    "wrapped in JSON": lambda text: f'"{text[:11]}\\n{text[11:]}',
    "wrapped in a shell": lambda text: f"{text[:11]}\\\n{text[11:]}",
    "hexadecimal, spaced": lambda text: text.encode().hex(" "),
    "hexadecimal with colons": lambda text: text.encode().hex(":").upper(),
    "quoted-printable": lambda text: quopri.encodestring(f"{text} = {text}".encode()).decode(),
    "quoted-printable, wrapped": lambda text: f"{text[:5]}=\n{text[5:]}".replace("81", "=381"),
    "percent": lambda text: quote(text, safe=""),
    "entities": html.escape,
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "JSON": lambda text: json.dumps({"a": f"'{text}'"}),
}


def redact(value: object) -> Any:
    return json.loads(Redactor().redact(parse(json.dumps(value))).source)


@pytest.mark.parametrize("name", FORMS)
def test_a_known_secret_is_masked_in_every_form(name: str) -> None:
    form = FORMS[name](PASSWORD)
    shown = redact([f'password: "{PASSWORD}"', f"again {form} ."])[1]

    assert form not in shown
    assert not any(form[at : at + 12] in shown for at in range(max(len(form) - 11, 1)))


def test_what_is_compressed_by_bzip2_or_in_two_members_is_searched() -> None:
    texts = b"nothing here\n", PASSWORD.encode()
    members = b"".join(gzip.compress(text, mtime=0) for text in texts)
    known = f'password: "{PASSWORD}"'
    for form, unpack in (
        (bz2.compress(b"".join(texts)), bz2.decompress),
        (members, gzip.decompress),
    ):
        shown = redact([known, base64.b64encode(form).decode()])[1]
        assert unpack(base64.b64decode(shown)) == b"nothing here\n[masked: password]"


def test_a_short_secret_in_base64_is_masked() -> None:
    form = base64.b64encode(b"Uhu!81").decode()

    assert form not in redact(['password: "Uhu!81"', f"again {form}"])[1]


def chat(*texts: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text} for text in texts]}


def test_a_secret_split_over_two_messages_is_masked_without_being_known() -> None:
    parts = [{"type": "text", "text": "the rest"}, {"type": "text", "text": f"so {TOKEN[:15]}"}]
    for first in (f"the token is {TOKEN[:15]}", parts):
        shown = json.dumps(redact(chat(first, f"{TOKEN[15:]}, and no more")))

        assert TOKEN[:15] not in shown and TOKEN[15:] not in shown
        assert "and no more" in shown


def test_both_halves_of_a_known_secret_are_masked_wherever_they_are() -> None:
    first, second = PASSWORD[:15], PASSWORD[15:]
    value = chat(f'password: "{PASSWORD}"', f"begin with {first}", "then", f"end with {second}.")
    shown = redact(value)["messages"]

    assert [one["content"] for one in shown[1:]] == [
        "begin with [masked: password]",
        "then",
        "end with [masked: password].",
    ]


def test_a_known_key_that_is_cut_off_elsewhere_is_masked() -> None:
    key = "Ms3vksFLq5GDczVd5OlJex5bfGWMxNF7m6sS10bZ"
    prefixed = f"sk-ant-api03-{key[::-1]}"
    value = chat(
        f"api_key={key}",
        f"it was {key[:20]}…",
        f"**...{key[-18:]}**",
        f"api_key={prefixed}",
        "keys of sk-ant-api03-…",
    )
    shown = [one["content"] for one in redact(value)["messages"]]

    assert shown[1:3] == ["it was [masked: api-key]…", "**...[masked: api-key]**"]
    assert shown[4] == "keys of sk-ant-api03-…"


def test_a_part_of_two_messages_is_masked_by_the_whole() -> None:
    whole = Redactor().scan(parse(json.dumps(chat(f"it is {TOKEN[:15]}", f"{TOKEN[15:]} there"))))

    assert TOKEN[:15] not in whole.redact(parse(json.dumps(f"it is {TOKEN[:15]}"))).source
    assert TOKEN[15:] not in whole.redact(parse(json.dumps(f"{TOKEN[15:]} there"))).source


def test_words_between_messages_and_lines_stay() -> None:
    value = chat(
        "call me v2", "gpt-4o it is", "password: Herbst2024", "Herbst", "in 2024", "a b c d"
    )
    shown = [one["content"] for one in redact(value)["messages"]]

    assert shown == [
        "call me v2",
        "gpt-4o it is",
        "password: [masked: password]",
        "Herbst",
        "in 2024",
        "a b c d",
    ]


def test_compressed_text_is_searched_to_its_end_or_masked_whole() -> None:
    chance = random.Random(7)
    filler = " ".join(f"word{chance.randrange(999)}" for _ in range(130_000)).encode()
    packed = base64.b64encode(gzip.compress(filler + b" " + TOKEN.encode(), 1, mtime=0)).decode()
    shown = gzip.decompress(base64.b64decode(redact([packed])[0])).decode()
    huge = base64.b64encode(gzip.compress(bytes(b"a b " * 5_000_000), mtime=0)).decode()

    assert len(filler) > 1_000_000 and len(shown) > 1_000_000
    assert shown.endswith("[masked: github-token]")
    assert redact([huge]) == ["[masked: unsearched-data]"]


def test_archives_are_masked_whole_and_one_compressed_file_is_searched() -> None:
    secret = f"The key is {TOKEN}.\n".encode()
    zipped, tarred = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("word/document.xml", secret)
    with tarfile.open(fileobj=tarred, mode="w") as tape:
        member = tarfile.TarInfo("notes.txt")
        member.size = len(secret)
        tape.addfile(member, io.BytesIO(secret))
    older = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600)
    binary = gzip.compress(bytes(range(256)) + secret, mtime=0)
    for content in (zipped.getvalue(), tarred.getvalue(), older, binary):
        written = "data:application/octet-stream;base64," + base64.b64encode(content).decode()
        assert redact([written]) == [
            "data:application/octet-stream;base64,[masked: unsearched-data]"
        ]

    [shown] = redact([base64.b64encode(lzma.compress(secret)).decode()])
    assert lzma.decompress(base64.b64decode(shown)) == b"The key is [masked: github-token].\n"
    picture = "data:image/png;base64," + base64.b64encode(b"\x89PNG\r\n\x1a\n" + older).decode()
    assert redact([picture]) == [picture]


def test_an_account_is_masked_without_its_spaces_as_well() -> None:
    value = ["IBAN DE89 3704 0044 0532 0130 00", "so de89370400440532013000"]
    shown = json.loads(Redactor().redact(parse(json.dumps(value))).source)

    assert shown == ["IBAN [masked: iban]", "so [masked: iban]"]


def test_a_word_in_another_case_is_not_the_password() -> None:
    value = ["password=Wanderer", "a wanderer, WANDERER"]
    shown = json.loads(Redactor().redact(parse(json.dumps(value))).source)

    assert shown == ["password=[masked: password]", "a wanderer, WANDERER"]


@given(
    st.lists(st.text("ab1-é\n\ud800", min_size=SHORTEST, max_size=12), min_size=1, max_size=90),
    st.data(),
)
@settings(deadline=None, derandomize=True, max_examples=60)
def test_values_are_found_wherever_they_begin(values: list[str], data: st.DataObject) -> None:
    pieces = st.lists(st.sampled_from([*values, "a", "-", "é"]), max_size=8)
    text = "".join(data.draw(pieces))
    longest = sorted(values, key=len, reverse=True)
    expected = {
        (at, at + len(value))
        for at in range(len(text))
        if (value := next((one for one in longest if text.startswith(one, at)), None))
    }

    found = set(Values(values).search(text, in_words=True))

    assert found <= expected
    # What begins within the same value before is a part of that one's repetition.
    assert {at for place in found for at in range(*place)} >= {start for start, _ in expected}
