"""Secrets in disguise: encoded, escaped, with characters that nobody sees, or split."""

from __future__ import annotations

import base64
import gzip
import json
import re
import unicodedata
import zlib
from collections.abc import Callable
from functools import partial
from typing import Final
from urllib.parse import quote

import pytest

from webapp.exact_json import parse
from webapp.redaction import Redactor

TOKEN: Final = "ghp" + "_Ab3dEf6hIj9kLm2nOp5qRs8tUv1wXy4zAb12"
CARD: Final = "4539148803436467"
MAIL: Final = "jane.roe@harbour-mail.com"
PASSWORD: Final = "tr0ub4dor-Zebra7"


def _write_base64(before: str, charset: str, text: str) -> str:
    return base64.b64encode(f"{before}{text} .".encode(charset)).decode()


def _dump(write: Callable[[bytes, int], str], text: str) -> str:
    """Write a text as a program that dumps bytes does, sixteen in a line."""
    content = f"it is {text} .\n".encode()
    lines = (write(content[at : at + 16], at) for at in range(0, len(content), 16))
    return "\n".join(["", *lines, ""])


def _write_as_xxd(row: bytes, at: int) -> str:
    return f"{at:08x}: {row.hex(' ', -2)}  {_show(row)}"


def _write_as_hexdump(row: bytes, at: int) -> str:
    return f"{at:08x}  {row[:8].hex(' ')}  {row[8:].hex(' ')}  |{_show(row)}|"


def _show(row: bytes) -> str:
    return re.sub("[^ -~]", ".", row.decode("latin-1"))


DISGUISES: Final[dict[str, Callable[[str], str]]] = {
    "escapes": lambda text: "".join(f"\\u{ord(one):04X}" for one in text),
    "escapes in braces": lambda text: "".join(f"\\u{{{ord(one):x}}}" for one in text),
    "escapes of 32 bits": lambda text: "".join(f"\\U{ord(one):08x}" for one in text),
    "a dump of xxd": partial(_dump, _write_as_xxd),
    "a dump of hexdump": partial(_dump, _write_as_hexdump),
    "a list of bytes": lambda text: f"bytes([{', '.join(map(str, text.encode()))}])",
    "a list of bytes in hexadecimal": lambda text: (
        f"{{{','.join(f'0x{one:02X}' for one in f'it is {text} .'.encode())}}}"
    ),
    "bytes": lambda text: "".join(f"\\x{ord(one):02x}" for one in text),
    "octal": lambda text: "".join(f"\\{ord(one):03o}" for one in text),
    "entities": lambda text: "".join(f"&#{ord(one)};" for one in text),
    "entities in hexadecimal": lambda text: "".join(f"&#x{ord(one):X};" for one in text),
    "percent": lambda text: "".join(f"%{ord(one):02X}" for one in text),
    "percent twice": lambda text: quote("".join(f"%{ord(one):02x}" for one in text)),
    "base64": lambda text: base64.b64encode(f"it is {text} .".encode()).decode(),
    "base64 with escaped slashes": lambda text: (
        base64.b64encode(f"???>>> {text} .".encode()).decode().replace("/", "\\/")
    ),
    "base64 in percents": lambda text: quote(
        base64.b64encode(f"???>>> {text} .".encode()).decode(), safe=""
    ),
    "base64 in JSON in percents": lambda text: quote(
        json.dumps({"data": base64.b64encode(f"it is {text} .".encode()).decode()}), safe=""
    ),
    "base64 after an escaped line break": lambda text: (
        f"log:\\n{base64.b64encode(f'it is {text} .'.encode()).decode()}"
    ),
    "base64 of URLs": lambda text: base64.urlsafe_b64encode(f"ÿ?> {text}".encode()).decode(),
    "base64 twice": lambda text: base64.b64encode(base64.b64encode(text.encode())).decode(),
    "base64 in lines": lambda text: base64.encodebytes(
        f"{'a line ' * 8}{text} {'and more ' * 20}".encode()
    ).decode(),
    "base64 in indented lines": lambda text: (
        base64.encodebytes(f"{'a line ' * 8}{text} {'and more ' * 20}".encode())
        .decode()
        .replace("\n", "\n    ")
    ),
    **{
        f"base64 of {name}": partial(_write_base64, before, charset)
        for name, before, charset in (
            ("a file with a mark", "\ufeff", "utf-8"),
            ("a terminal", "\x1b[1mit\x1b[0m is ", "utf-8"),
            ("UTF-16", "\ufeff", "utf-16-le"),
            ("UTF-16 of other machines", "", "utf-16-be"),
            ("Latin letters", "für mich ist es hier ", "latin-1"),
        )
    },
    "hexadecimal": lambda text: text.encode().hex(),
    "hexadecimal in capitals": lambda text: text.encode().hex().upper(),
    "hexadecimal number": lambda text: f"0x{text.encode().hex()}",
    "gzip": lambda text: base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode(),
    "zlib": lambda text: base64.b64encode(zlib.compress(text.encode())).decode(),
    "no width": "\u200b".join,
    "soft hyphen": lambda text: f"{text[:5]}\u00ad{text[5:]}",
    "marks of order": lambda text: f"{text[:3]}\u202e\ufeff{text[3:]}",
    "full width": lambda text: "".join(chr(ord(one) + 0xFEE0) for one in text),
    "two literals": lambda text: f'"{text[:8]}" + "{text[8:]}"',
    "two lines": lambda text: f"{text[:9]}\\\n{text[9:]}",
    "Markdown": lambda text: text.replace("_", "\\_").replace("-", "\\-").replace("@", "&commat;"),
    "punctuation in Markdown": lambda text: re.sub(r"(\W)", r"\\\1", text),
}


def redact(value: object, **choices: object) -> list[str]:
    redactor = Redactor(**choices)  # type: ignore[arg-type]
    found: list[str] = json.loads(redactor.redact(parse(json.dumps(value))).source)
    return found


@pytest.mark.parametrize("name", DISGUISES)
@pytest.mark.parametrize("secret", [TOKEN, CARD, MAIL, PASSWORD])
def test_a_disguised_secret_is_masked(name: str, secret: str) -> None:
    disguised = DISGUISES[name](secret)
    known = f"password: {secret}" if secret == PASSWORD else f"it is {secret}"
    assert disguised != secret or "Markdown" in name

    assert disguised not in redact([known, f"again {disguised} ."])[1]
    if secret != PASSWORD:
        assert disguised not in redact([f"only {disguised} ."])[0]


@pytest.mark.parametrize(
    "margin",
    [
        "{:6}\t",
        "{:4}→",
        "{}:",
        "> ",
        ">> ",
        "+",
        "2026-03-02T10:11:1{}.1234567Z ",
        "[2026-03-02 10:11:1{}] ",
        "2026-03-02 10:11:1{},250 INFO ",
    ],
)
def test_the_margins_of_lines_are_no_part_of_their_text(margin: str) -> None:
    text = "Your backup codes:\n2ke4y-2r719\npnsmn-eydou\nscheme: bearer\nbearerFormat: JWT"
    lines = [margin.format(at) + line for at, line in enumerate(text.split("\n"), 1)]

    shown = redact(["\n".join(lines)])[0].split("\n")
    assert shown[3:] == lines[3:]
    assert [line for line in lines[1:3] if line[-11:] in "".join(shown)] == []
    assert ["[masked: " in line for line in shown[1:3]] == [True, True]


def test_numbers_that_do_not_count_are_no_margins() -> None:
    assert redact(["gates:\n7301: the gate\n  pin\n8122: a door"])[0].count("7301") == 1
    assert redact(["id\tuser\tpassword\n1\tkim\tTr0ub4dor7\n2\tlee\tTundra_59#"])[0] == (
        "id\tuser\tpassword\n1\tkim\t[masked: password]\n2\tlee\t[masked: password]"
    )


@pytest.mark.parametrize(
    "text",
    [
        '{"input": "name,email,password\\nKim,-,«Falcon823!Com»\\nLee,-,«ebPWH2#Q',
        '{"a": {"Jwt": {"Key": "«pkQe740jjuYFXuhUGYxBCPk7HiE7xbGE3IwA4E',
        '{"a": [{"name": "API_TOKEN", "value": "«pkQe740jjuYFXuhUGYxB»"}, {"na',
        '{"a": [{"name": "API_TOKEN", "value": "«pkQe740jjuYFXuhUGYxB»"}, ',
        '["--password", "«Falcon823!C',
        '{"password": "«Falcon823!C\\u00',
    ],
)
def test_json_that_was_cut_off_is_read_as_json(text: str) -> None:
    secrets = re.findall("«([^»]+)", text.replace("\\u00", ""))

    shown = redact([re.sub("[«»]", "", text)])[0]
    assert [secret for secret in secrets if secret in shown] == []
    assert shown.startswith(text[: text.index("«")].split("«")[0][:6])


@pytest.mark.parametrize(
    "text", ['{"a": [1, 2, {"pass', '["a", tru', "[", '{"a": "b", ', '{"a": 5']
)
def test_json_that_was_cut_off_stays_without_a_secret(text: str) -> None:
    assert redact([text]) == [text]


def test_tokens_are_read_from_their_bytes_if_they_are_not_written() -> None:
    content = f"passwörter: {TOKEN} war für 日本".encode()
    pieces = [content[at : at + 4] for at in range(0, len(content), 4)]
    tokens = [
        {"token": f"token_id:{at}", "bytes": list(one), "logprob": -0.1}
        for at, one in enumerate(pieces)
    ]

    shown = redact({"choices": [{"logprobs": {"content": tokens}}]})["choices"][0]  # type: ignore[call-overload]
    left = b"".join(bytes(one["bytes"]) for one in shown["logprobs"]["content"])
    assert left.decode() == "passwörter: [masked: github-token] war für 日本"


def test_base64_that_is_split_over_tokens_is_masked() -> None:
    written = base64.b64encode(f"it is {TOKEN}".encode()).decode()
    pieces = [written[at : at + 5] for at in range(0, len(written), 5)]
    tokens = [{"token": one, "bytes": list(one.encode()), "logprob": -0.1} for one in pieces]
    value = {"choices": [{"logprobs": {"content": tokens}}]}

    shown = json.loads(Redactor().redact(parse(json.dumps(value))).source)
    left = "".join(one["token"] for one in shown["choices"][0]["logprobs"]["content"])
    assert base64.b64decode(left) == b"it is [masked: github-token]"


def test_a_word_is_masked_in_any_case_and_normal_form() -> None:
    word = "Café Noir"
    forms = [
        word,
        word.upper(),
        unicodedata.normalize("NFD", word),
        "café\n noir",
        "Ca\u200bfé Noir",
    ]
    forms += [base64.b64encode(f"at the {word}!".encode()).decode(), quote(word)]

    for wanted in (word, unicodedata.normalize("NFD", word)):
        shown = redact([f"at {form}." for form in forms], words=[wanted])
        assert [one for one, form in zip(shown, forms, strict=True) if form in one] == []


@pytest.mark.parametrize("charset", ["utf-8", "utf-16-le", "utf-16-be", "latin-1"])
def test_base64_is_written_again_in_its_encoding(charset: str) -> None:
    before = f"für {TOKEN} und mehr als das".encode(charset)
    after = base64.b64decode(redact([base64.b64encode(before).decode()])[0])
    assert after.decode(charset) == "für [masked: github-token] und mehr als das"


@pytest.mark.parametrize("name", ["content", "text", "card_number"])
def test_a_card_alone_is_masked(name: str) -> None:
    shown = Redactor().redact(parse(json.dumps({name: CARD, "seed": CARD})))
    assert json.loads(shown.source)[name] == "[masked: card]"


@pytest.mark.parametrize("hyphen", "\u2010\u2011")
def test_hyphens_of_print_are_hyphens(hyphen: str) -> None:
    secrets = ["sk-proj-Ab3dEf6hIj9kLm2nOp5qRs8tUv1wXy4z", "jane.roe@harbour-mail.com"]
    for secret in (*secrets, "SSN 231-45-9001"):
        assert "[masked: " in redact([f"it is {secret.replace('-', hyphen)} ."])[0]


def test_a_disguise_without_a_secret_stays() -> None:
    texts = [
        "a state\u2011of\u2011the\u2011art pipe\u2010line",
        "価格は１２３４５円、全角ＡＢＣ",
        "naïve cafe\u0301 and so\u00adft",
        "٠١٢٣ and ۴۵۶",
        gzip.compress(b"nothing", mtime=0).hex(),
        base64.b64encode(gzip.compress(b"nothing to see here", mtime=0)).decode(),
        b"nothing to see here".hex(),
        base64.encodebytes(b"nothing to see here " * 20).decode(),
        '"a long" + "literal"',
        "a fraction of 0,4539148803436467 and 4539148803436467.12",
        "years 2221 2003 2004 2005 2006 2007 2008 2009",
        "a line \\\n that goes on \\u{1F600} \\u{FFFFFFF} \\101",
    ]

    assert redact(texts) == texts
