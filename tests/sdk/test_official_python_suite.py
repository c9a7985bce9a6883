"""The official Python client's own tests of these operations, unmodified, against `readback serve`.

They come with the client's source distribution, pinned in `requirements/sdk-tests.lock`, and take
for granted what a mock server gives: the ids `completion_id` and `after` are there, messages are
assistant's, what one test deletes is there again for the next, and a stream that one breaks off
leaves nothing behind. Here all of that is data, which the plugin `seeding` puts into the store
from outside, before each test; the server is as it always is.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

from tests.sdk import seeding
from tests.sdk.api import Api, not_here
from tools.paths import ROOT

SUITE: Final = ROOT / ".cache" / "openai-python"
FILES: Final = (
    "tests/api_resources/chat/completions/test_messages.py",
    "tests/api_resources/chat/test_completions.py",
)
TESTS: Final = {
    "TestMessages": 10,
    "TestAsyncMessages": 15,
    "TestCompletions": 48,
    "TestAsyncCompletions": 72,
}
"""How many each class has; those of the asynchronous client run over one transport more."""

SAID: Final = [
    {"role": "assistant", "content": "Ask me."},
    {"role": "assistant", "content": "Anything.", "id": "after"},
    {"role": "assistant", "content": "Within reason."},
]
ANSWER: Final = {"index": 0, "message": {"role": "assistant", "content": "4"}, "logprobs": None}
STORED: Final = {"model": "m", "messages": SAID, "choices": [ANSWER | {"finish_reason": "stop"}]}
SEED: Final = [
    {"id": "completion_id", "created": 2} | STORED,
    {"id": "after", "created": 1} | STORED,
]
"""`after` is a completion and a message, and so a cursor wherever it is sent as one."""


def test_all_of_them_pass_with_the_blocking_and_the_asynchronous_client(
    api: Api, tmp_path: Path
) -> None:
    if not SUITE.is_dir():
        not_here("the official client's source distribution")
    seed, results = tmp_path / "seed.jsonl", tmp_path / "results.xml"
    seed.write_text("".join(f"{json.dumps(one)}\n" for one in SEED), encoding="utf-8")

    ended = run_suite(
        results,
        TEST_API_BASE_URL=api.base_url,
        **{seeding.DATABASE_URL: api.database_url, seeding.FILE: str(seed)},
    )

    assert ended.returncode == 0, ended.stdout
    assert outcomes(results) == {(name, "passed"): count for name, count in TESTS.items()}


def run_suite(results: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Runs the tests one after the other: in parallel, one would delete what another reads."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    options = ["-n", "0", "-p", "no:cacheprovider", "-p", "no:schemathesis", "-p", "seeding"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *options, f"--junit-xml={results}", *FILES],
        cwd=SUITE,
        env=kept | {"PYTHONPATH": str(Path(__file__).parent)} | environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def outcomes(results: Path) -> Counter[tuple[str, str]]:
    """How many tests of each class passed, failed and so on."""
    cases = ElementTree.parse(results).getroot().iter("testcase")
    return Counter(
        (case.attrib["classname"].rpartition(".")[2], "passed" if len(case) == 0 else case[0].tag)
        for case in cases
    )
