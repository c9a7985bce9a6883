"""`readback serve` asked all that the published description allows, and much that it does not.

Schemathesis makes the requests; the answers must have a documented status and the recorded shape.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.sdk.api import Api
from tests.sdk.recorded_shapes import as_recorded
from tools.paths import SHARED

PUBLISHED: Final = SHARED / "stored-completions.openapi.yaml"
OPERATIONS: Final = (
    "GET /chat/completions",
    "GET /chat/completions/{completion_id}",
    "POST /chat/completions/{completion_id}",
    "DELETE /chat/completions/{completion_id}",
    "GET /chat/completions/{completion_id}/messages",
)
CHECKS: Final = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
CALL: Final = {"type": "function", "id": "call_1", "function": {"name": "f", "arguments": "{}"}}
ANSWER: Final = {"role": "assistant", "content": None, "tool_calls": [CALL]}
STORED: Final = {
    "model": "gpt-4o-mini-2024-07-18",
    "request_id": "req_1",
    "usage": {"total_tokens": 3, "completion_tokens": 1, "prompt_tokens": 2},
    "seed": -8132613597486110237,
    "system_fingerprint": "fp_1",
    "service_tier": "default",
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "Hi"}], "name": "ada"},
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:,"}}]},
        {"role": "user", "content": [{"type": "file", "file": {"file_id": "file-1"}}]},
    ],
    "choices": [{"index": 0, "message": ANSWER, "finish_reason": "tool_calls"}],
}
COMPLETIONS: Final = [STORED | {"id": f"c{at}", "created": at % 2} for at in range(5)]
IDS: Final = [*(f"c{at}" for at in range(5)), *(f"c0-{at}" for at in range(4)), "unknown"]

Operation: TypeAlias = APIOperation[Any, Any, Any, Any]

pytestmark = pytest.mark.skipif(
    not PUBLISHED.is_file(), reason="the published description is not here"
)


@pytest.fixture(scope="module")
def operations() -> dict[str, Operation]:
    published = schemathesis.openapi.from_path(PUBLISHED)
    recorded = schemathesis.openapi.from_dict(as_recorded(published.raw_schema, ids=IDS))
    found = (one.ok() for one in recorded.get_all_operations() if isinstance(one, Ok))
    return {one.label: one for one in found}


def test_these_are_all_operations_it_describes(operations: dict[str, Operation]) -> None:
    assert tuple(operations) == OPERATIONS


@pytest.mark.parametrize("mode", GenerationMode, ids=["as described", "otherwise"])
@pytest.mark.parametrize("label", OPERATIONS)
def test_every_answer_is_one_that_is_documented(
    api: Api, operations: dict[str, Operation], label: str, mode: GenerationMode
) -> None:
    statuses: set[int] = set()

    @given(case=operations[label].as_strategy(generation_mode=mode))
    @settings(
        max_examples=30,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    def ask(case: Case[Any]) -> None:
        if not label.startswith("GET"):
            api.add(*COMPLETIONS)
        answer = case.call(base_url=api.base_url, session=session)
        statuses.add(answer.status_code)
        case.validate_response(answer, checks=CHECKS)

    api.add(*COMPLETIONS)
    with requests.Session() as session:
        session.trust_env = False
        ask()
    assert mode is GenerationMode.NEGATIVE or 200 in statuses
