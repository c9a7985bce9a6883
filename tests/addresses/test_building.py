"""Addresses are those that Flask builds."""

from __future__ import annotations

from typing import Any

import flask
import pytest
from flask import Flask

from webapp.addresses.building import url_for

CASES: list[tuple[str, dict[str, Any]]] = [
    ("listing.index", {}),
    ("listing.index", {"metadata[a b]": "é&=/?+%", "after": None, "limit": 20, "filter": ""}),
    ("completions.show", {"completion_id": "chatcmpl-1", "range": "2-3"}),
    ("completions.show", {"completion_id": "a/b c%é~", "all": True}),
    ("completions.show", {"completion_id": "x", "_anchor": "end", "_external": True}),
    ("completions.show", {"completion_id": "x", "picked": ["a", "b"]}),
    ("messages.show", {"completion_id": "a:b", "message_id": "a:b-0"}),
    ("texts.show", {"completion_id": "a", "message_id": "m", "place": 3, "from": None}),
    ("exports.message", {"completion_id": "a", "message_id": "m", "form": "md", "show": 1}),
    ("static_files.show", {"digest": "0a", "name": "js/a b.js"}),
    ("listing.neighbor", {"completion_id": "a", "direction": "newer", "created": 5}),
    ("sources.raw", {"completion_id": "a", "choice": 1}),
]


@pytest.mark.parametrize("root", ["", "/below", "/a path/"])
def test_addresses_are_those_of_flask(app: Flask, root: str) -> None:
    with app.test_request_context("/completions", environ_overrides={"SCRIPT_NAME": root}):
        for endpoint, values in CASES:
            assert url_for(endpoint, **values) == flask.url_for(endpoint, **values), endpoint


def test_missing_values_and_unknown_pages_fail_as_with_flask(app: Flask) -> None:
    with app.test_request_context():
        missing: list[tuple[str, dict[str, Any]]] = [
            ("completions.show", {}),
            ("nothing.show", {"a": "b"}),
        ]
        for endpoint, values in missing:
            for build in (url_for, flask.url_for):
                with pytest.raises(Exception, match="Could not build url"):
                    build(endpoint, **values)
