"""Updating metadata: what is stored, what is refused, and in which words."""

from __future__ import annotations

import json

import pytest
from flask.testing import FlaskClient

from tests.support.api_answers import assert_error
from tools.store_rows import add, completion
from webapp.embedded import Store

ONE = "/chat/completions/c1"

BAD_UPDATES = {
    "{": (
        "We could not parse the JSON body of your request: the text ends early: "
        "expected a name in double quotes at line 1, column 2.",
        None,
        None,
    ),
    "[]": (
        "Invalid type for the JSON body of your request: "
        "expected an object, but got an array instead.",
        None,
        "invalid_type",
    ),
    "{}": ("Missing required parameter: 'metadata'.", "metadata", "missing_required_parameter"),
    '{"metadata": "x"}': (
        "Invalid type for 'metadata': expected an object, but got a string instead.",
        "metadata",
        "invalid_type",
    ),
    '{"metadata": {"a": 1}}': (
        "Invalid type for 'metadata.a': expected a string, but got a number instead.",
        "metadata.a",
        "invalid_type",
    ),
    json.dumps({"metadata": {"a": "x" * 513}}): (
        "Invalid 'metadata.a': string too long. Expected a string with maximum length 512, "
        "but got a string with length 513 instead.",
        "metadata.a",
        "string_above_max_length",
    ),
    json.dumps({"metadata": {"k" * 65: "x"}}): (
        "Invalid 'metadata': property name too long. Expected at most 64 characters, "
        "but got a name with 65 characters instead.",
        "metadata",
        "string_above_max_length",
    ),
    json.dumps({"metadata": {str(at): "x" for at in range(17)}}): (
        "Invalid 'metadata': too many properties. Expected an object with at most 16 properties, "
        "but got an object with 17 properties instead.",
        "metadata",
        "object_above_max_properties",
    ),
}


@pytest.mark.parametrize("body", BAD_UPDATES)
def test_a_bad_update_is_refused_and_changes_nothing(
    store: Store, client: FlaskClient, body: str
) -> None:
    add(store, completion("c1", metadata={"a": "b"}))
    message, param, code = BAD_UPDATES[body]

    assert_error(client.post(ONE, data=body), 400, message, param, code)
    assert client.get(ONE).get_json()["metadata"] == {"a": "b"}


def test_a_body_that_is_not_utf_8_is_refused(client: FlaskClient) -> None:
    answer = client.post(ONE, data=b'{"metadata": {"a": "\xff"}}')

    assert answer.status_code == 400
    assert "We could not parse the JSON body of your request" in answer.text


def test_a_body_beyond_the_cap_is_refused(client: FlaskClient) -> None:
    answer = client.post(ONE, data=b" " * 1_000_001)

    assert answer.status_code == 413
    assert answer.get_json()["error"]["type"] == "invalid_request_error"


def test_an_update_of_far_too_many_values_is_refused(store: Store, client: FlaskClient) -> None:
    add(store, completion("c1"))
    deep = '{"a":' * 100_000 + "1" + "}" * 100_000
    answer = client.post(ONE, data=f'{{"metadata": {deep}}}')

    assert answer.status_code == 400
    assert "more than 1,000 values" in answer.get_json()["error"]["message"]


def test_an_error_can_name_a_key_that_has_no_utf_8(store: Store, client: FlaskClient) -> None:
    add(store, completion("c1"))
    answer = client.post(ONE, data=rb'{"metadata": {"\ud800": 1}}')

    assert answer.status_code == 400
    assert answer.get_json()["error"]["param"] == "metadata.?"


def test_an_update_at_its_limits_is_stored_as_sent(store: Store, client: FlaskClient) -> None:
    add(store, completion("c1", metadata={"gone": "x"}))
    metadata = {f"{at:064}": "\u00e9" * 512 for at in range(16)}

    answer = client.post(ONE, data=json.dumps({"metadata": metadata}))

    assert answer.get_json()["metadata"] == metadata
    assert client.get(ONE).get_data() == answer.get_data()
    assert rf'"{0:064}":"\u00e9\u00e9' in answer.text


def test_an_update_takes_the_last_of_a_key_and_null_as_none(
    store: Store, client: FlaskClient
) -> None:
    add(store, completion("c1"))

    twice = client.post(ONE, data='{"metadata": {"a": 1, "b": "2", "a": "3"}}')
    assert '"metadata":{"a":"3","b":"2"}' in twice.text
    none = client.post(ONE, data='{"metadata": null}')
    assert '"metadata":{},' in none.text
