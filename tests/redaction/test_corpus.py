"""The planted secrets, all of them masked, and the look-alikes, which all stay."""

from __future__ import annotations

import base64
import json
import random
import re
import string
from pathlib import Path
from typing import Any, Final

from tests.redaction.look_alikes import KINDS, iter_look_alikes
from tests.redaction.planted import find_left, plant
from webapp.exact_json import parse
from webapp.redaction import Redactor

CONTEXTS: Final = (
    Path(__file__).with_name("contexts.txt"),
    Path(__file__).with_name("more_contexts.txt"),
)
"""Lines of files and commands; `@P@` stands for a password, `@Q@` for one that an address can have,
`@T@` and `@S@` for tokens, `@H@` for digits of base 16, `@B@` for a user and a password in base64,
`@U@` for digits of base 32, `@I@` for a UUID, `\\n` for the end of a line, and `\\t` for a
tabulator."""

_ALPHABETS: Final = {"H": "0123456789abcdef", "U": "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"}
_LENGTHS: Final = {"T": 32, "S": 24, "Q": 14, "H": 32, "U": 16, "E": 8}


def redact(value: Any) -> Any:
    return json.loads(Redactor().redact(parse(json.dumps(value))).source)


def test_planted_secrets_are_masked_in_every_place() -> None:
    planted = list(plant())
    missed = [(one.kind, one.place) for one in planted if find_left(redact(one.value), one.secret)]

    assert len(planted) >= 400 and len({one.kind for one in planted}) >= 50
    assert all(find_left(one.value, one.secret) for one in planted)
    print(f"{len(planted) - len(missed)} of {len(planted)} planted secrets are masked")
    assert len(missed) <= len(planted) // 100, missed


def test_look_alikes_stay() -> None:
    look_alikes = list(iter_look_alikes())
    masked = [
        (kind, text)
        for kind, text in look_alikes
        for value in (text, {"content": text}, {"key": text}, json.dumps({"value": text}))
        if redact(value) != value
    ]

    assert len(look_alikes) >= 200 and len(KINDS) >= 50
    print(f"{len(look_alikes)} look-alikes, {len(masked)} masked")
    assert masked == []


def test_secrets_are_known_in_files_and_commands_of_many_kinds() -> None:
    chance = random.Random(22)
    missed = []
    for line in (line for file in CONTEXTS for line in file.read_text("utf-8").splitlines()):
        text = line.replace("\\n", "\n").replace("\\t", "\t")
        secrets = {}
        for name in sorted(set(re.findall("@([A-Z])@", text))):
            secrets[name] = make(name, chance)
            text = text.replace(f"@{name}@", secrets[name])
        shown = redact({"content": text})["content"]
        parts = {name: one for name, one in secrets.items() if name not in "UE"}
        if any(one in shown for one in parts.values()) or "[masked: " not in shown:
            missed.append(line)

    assert missed == []


def make(name: str, chance: random.Random) -> str:
    """Return a secret for a place of a line."""
    letters = string.ascii_letters + string.digits
    if name == "P":
        head = "".join(chance.choices(letters, k=9))
        return f"{head}{chance.choice('!@#%^*-_=+')}{''.join(chance.choices(letters, k=3))}7"
    if name == "B":
        return base64.b64encode(f"bob:{make('Q', chance)}".encode()).decode()
    if name == "I":
        return "-".join("".join(chance.choices("0123456789abcdef", k=n)) for n in (8, 4, 4, 4, 12))
    return "".join(chance.choices(_ALPHABETS.get(name, letters), k=_LENGTHS[name]))
