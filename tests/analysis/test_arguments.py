"""Arguments of any type that many checks read are parsed once."""

from __future__ import annotations

import pytest

from webapp.analysis.arguments import parse_arguments
from webapp.exact_json import NotJson


def test_arguments_have_the_value_that_they_had_recently() -> None:
    text = '{"path": "a", "path": 1.0}'

    assert parse_arguments(text) is parse_arguments(f" {text}"[1:])
    assert parse_arguments(text).source == text
    assert parse_arguments('{"path": "a", "path": 1}').source != text


def test_arguments_of_many_values_are_not_kept() -> None:
    text = f"[{'1,' * 10_000}1]"

    assert parse_arguments(text) is not parse_arguments(text)


def test_what_is_no_json_is_refused_each_time() -> None:
    for _ in range(2):
        with pytest.raises(NotJson):
            parse_arguments('{"path": ')
