"""Recorded exchanges with the real API, requests and answers, in order.

Empty if the collection of real data is not beside the checkout.
"""

from __future__ import annotations

import json
from itertools import groupby
from typing import Any, Final, TypeAlias

from tools.paths import SHARED

Exchange: TypeAlias = dict[str, Any]

RECORDED: Final = SHARED / "data" / "stored_api.jsonl"


def read_exchanges() -> list[Exchange]:
    if not RECORDED.is_file():
        return []
    return [json.loads(line) for line in RECORDED.read_text(encoding="utf-8").splitlines()]


def is_create(exchange: Exchange) -> bool:
    return exchange["method"] == "POST" and str(exchange["path"]).endswith("/completions")


def name(exchange: Exchange) -> str:
    return f"{exchange['test']}-{exchange['step']}"


def request_body(exchange: Exchange) -> str | None:
    """Return an update's metadata, its keys in the order of the recorded answer."""
    if exchange["request_body"] is None:
        return None
    answered = exchange["response_body"]["metadata"]
    assert exchange["request_body"] == {"metadata": answered}
    return json.dumps({"metadata": answered})


ALL: Final = read_exchanges()
CREATED: Final = {one["response_body"]["id"]: one for one in ALL if is_create(one)}
SEQUENCES: Final = {test: list(steps) for test, steps in groupby(ALL, lambda one: str(one["test"]))}
"""The exchanges of each recorded test."""
