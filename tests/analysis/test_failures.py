"""Failures: where results and answers report one, and where words of failure report none."""

from __future__ import annotations

import json
from typing import Any

import pytest

from webapp.analysis import find_answer_failure, find_result_failure
from webapp.exact_json import parse
from webapp.messages import Message


def result(content: str, **members: Any) -> Message:
    return Message.from_json(parse(json.dumps({"role": "tool", "content": content, **members})))


FAILED = {
    "JSON error": (
        '{"error": "no such seat"}',
        '{"error": {"message": "no such seat", "code": 7}}',
        '{"error": true}',
        '{"status": "error", "detail": "late"}',
        '{"errors": [{"message": "bad field"}], "data": null}',
    ),
    "marked as an error": ('{"is_error": true, "text": "no"}', '{"isError": true}'),
    "marked as failed": ('{"ok": false}', '{"success": false, "reason": "full"}'),
    "exit code": (
        '{"exit_code": 2, "output": ""}',
        '{"output": "x", "metadata": {"exit_code": 1}}',
        '{"returncode": -9}',
        "some output\n[exit code 1]",
        "Exit code: 127\nmake: not found",
        "output\nProcess exited with code 3.",
        "output\n(exit status 1)",
        "Command failed with exit code 1",
        "output\nCommand exited with non-zero status 2",
        "The process returned exit code 1.",
        '{"exit_code": "1", "output": ""}',
        "output\n\x1b[31m[exit code 1]\x1b[0m\n",
    ),
    "HTTP status": (
        '{"status_code": 404, "body": ""}',
        '{"status": 503}',
        "HTTP/1.1 404 Not Found\nContent-Length: 0",
        "404 Not Found",
        "HTTP 500: it broke",
    ),
    "error message": (
        "Command failed with exit code 1: npm test\nmore\nlines\nof output",
        "<tool_use_error>File has not been read yet.</tool_use_error>",
        "Error: not enough seats",
        "error: pathspec did not match",
        "fatal: not a git repository",
        "ValueError: bad zone",
        "zoneinfo.ZoneInfoNotFoundError: none",
        "Error executing tool read_file: denied",
        "2 validation errors:\n[]",
        "bash: rg: command not found",
        "cat: a.txt: No such file or directory",
    ),
    "traceback": ('Traceback (most recent call last):\n  File "a.py", line 1\nKeyError: 3',),
    "failed": (
        "F..\n1 failed, 2 passed in 0.85s",
        "======= 2 failed, 61 passed in 3.10s =======",
        "===== 1 passed, 1 error in 0.3s =====",
        "FAILED (failures=1)",
        "ok\n--- FAIL: TestTide (0.00s)\nFAIL",
        "FAILED tests/test_a.py::test_b - assert 1 == 2\nsee above",
        "test result: FAILED. 3 passed; 1 failed",
        "Tests:       1 failed, 3 passed, 4 total\nTime: 2 s",
        "make: *** [all] Error 2",
    ),
}


@pytest.mark.parametrize(
    ("rule", "text"), [(rule, text) for rule, texts in FAILED.items() for text in texts]
)
def test_a_reported_failure_is_found_and_says_why(rule: str, text: str) -> None:
    failure = find_result_failure(result(text), tool="run", program="pytest")

    assert failure is not None
    assert failure.rule == rule
    assert failure.words


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        '{"error": null}',
        '{"error": ""}',
        '{"error": false}',
        '{"error": "none"}',
        '{"error": []}',
        '{"errors": []}',
        '{"status": "ok", "failed": 0}',
        '{"status": 200}',
        '{"exit_code": 0, "output": "Error: 3"}',
        '{"order": {"status": "failed"}}',
        '[{"error": "of another time"}]',
        "Traceback (most recent call last): is what Python prints first.",
        "all good\n[exit code 0]",
        "Command finished with exit code 0",
        '{"exit_code": "0", "status": "open"}',
        "Command failed with exit code 0: it was expected",
        "Error: caught and mended\n[exit code 0]",
        "30 passed in 1.1s",
        "0 failed, 3 passed in 1.1s",
        "3 failed, 27 passed in 1.1s\nnothing changed: 30 passed in 1.2s",
        "Error handling in Rust is done with Result.",
        "404 items were found",
        "500 rows written",
        "Errors are listed below: none",
        "The exit code 1 means that nothing matched.",
        "FAILURES are rare",
        "Failure is an option",
    ],
)
def test_words_about_failure_are_no_failure(text: str) -> None:
    assert find_result_failure(result(text), tool="run") is None


LOG = "def test():\n    pass\nTraceback (most recent call last):\nKeyError: 3"


@pytest.mark.parametrize(
    ("tool", "program"), [("read_file", None), ("open", None), ("shell", "cat"), ("search", None)]
)
def test_a_text_that_was_only_read_is_judged_by_its_beginning(
    tool: str, program: str | None
) -> None:
    assert find_result_failure(result(LOG), tool="shell", program="python") is not None
    assert find_result_failure(result(LOG), tool=tool, program=program) is None
    assert find_result_failure(result("Error: no such file"), tool=tool, program=program)


@pytest.mark.parametrize(
    ("text", "head", "cause", "sentence"),
    [
        ('{"output": "3 of 7", "exit_code": 2}', "exit code 2", "", "exit code: exit_code: 2"),
        (
            "ls: 5 are missing\nexit code: 127",
            *("exit code 127", "ls: 5 are missing", "exit code 127: ls: 5 are missing"),
        ),
        ('{"returncode": -9}', "exit code -9", "", "exit code: returncode: -9"),
        (
            '{"error": "7 are missing"}',
            *("JSON error", "7 are missing", "JSON error: 7 are missing"),
        ),
        ("Error: no seat", "error message", "no seat", "error message: Error: no seat"),
        ("Error:", "error message", "Error: …", "error message: Error:"),
        (
            "2 validation errors:\n- a",
            *("error message", "2 validation errors: …", "error message: 2 validation errors:"),
        ),
    ],
)
def test_the_head_of_a_call_has_the_exit_code_and_its_cause_the_rest(
    text: str, head: str, cause: str, sentence: str
) -> None:
    failure = find_result_failure(result(text), tool="run")
    assert failure is not None
    assert (failure.head, failure.cause, failure.sentence) == (head, cause, sentence)


def test_a_member_of_the_message_may_mark_it() -> None:
    assert find_result_failure(result("no", is_error=True)) is not None
    assert find_result_failure(result("yes", is_error=False)) is None


def test_only_the_ends_of_a_huge_text_are_read() -> None:
    middle = "x = 1\n" * 200_000

    assert find_result_failure(result(f"{middle}[exit code 1]"), tool="run") is not None
    assert find_result_failure(result(f"a\n{middle}1 failed in 2s\n{middle}"), tool="run") is None


@pytest.mark.parametrize(
    ("members", "reason", "rule"),
    [
        ({"content": "So far"}, "length", "cut off"),
        ({"content": None}, "content_filter", "content filter"),
        ({"refusal": "I cannot."}, "stop", "refused"),
        ({"content": "I cannot."}, "refusal", "refused"),
        ({"content": "I'm sorry, I cannot."}, "stop", None),
        ({"content": "Done."}, "stop", None),
        ({"content": "Done.", "refusal": ""}, None, None),
        ({"content": None}, "tool_calls", None),
    ],
)
def test_an_answer_that_is_no_whole_one_is_a_failure(
    members: dict[str, Any], reason: str | None, rule: str | None
) -> None:
    message = Message.from_json(parse(json.dumps({"role": "assistant", **members})))

    failure = find_answer_failure(message, reason)

    assert (failure.rule if failure else None) == rule
