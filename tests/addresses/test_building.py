"""Addresses are those that Flask builds, also of several applications with rules written alike."""

from __future__ import annotations

from typing import Any

import flask
import pytest
from flask import Flask
from werkzeug.routing import BaseConverter, UnicodeConverter

from webapp.addresses.building import SharedRule, url_for

CASES: list[tuple[str, dict[str, Any]]] = [
    ("listing.index", {}),
    ("listing.index", {"metadata[a b]": "é&=/?+%", "after": None, "limit": 20, "filter": ""}),
    ("completions.show", {"completion_id": "chatcmpl-1", "range": "2-3"}),
    ("completions.show", {"completion_id": "a/b c%é~", "all": True}),
    ("completions.show", {"completion_id": "x", "_anchor": "end", "_external": True}),
    ("completions.show", {"completion_id": "x", "picked": ["a", "b"]}),
    ("completions.show_from", {"completion_id": "a:b", "message_id": "a:b-0"}),
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


class Loud(UnicodeConverter):
    """Writes its values in capitals, and reads them in small letters."""

    def to_python(self, value: str) -> str:
        return value.lower()

    def to_url(self, value: str) -> str:
        return super().to_url(value.upper())


def create(
    rule: str,
    converter: type[BaseConverter] = UnicodeConverter,
    defaults: dict[str, str] | None = None,
) -> Flask:
    """Return an application with a page at `rule` that shows the values that the rule reads."""
    app = Flask(__name__, static_folder=None)
    app.url_rule_class = SharedRule
    app.url_map.converters["kind"] = converter
    app.add_url_rule(rule, "page", lambda **read: sorted(read.items()), defaults=defaults)
    return app


def build(
    rule: str,
    converter: type[BaseConverter] = UnicodeConverter,
    defaults: dict[str, str] | None = None,
    **values: Any,
) -> str:
    """Return the address of a page at `rule` in an application of its own."""
    with create(rule, converter, defaults).test_request_context():
        return flask.url_for("page", **values)


def read(address: str, app: Flask) -> str:
    response = app.test_client().get(address)
    return str(response.json) if response.status_code == 200 else response.status


def test_rules_that_are_written_alike_build_their_own_addresses() -> None:
    for _ in range(2):
        assert build("/a/<one>/b", one="x y", other="é") == "/a/x%20y/b?other=%C3%A9"
        assert build("/a/<two>/b", two="x") == "/a/x/b"
        assert build("/c/<int:number>", number="7") == "/c/7"
        assert build("/d/<kind:one>", one="x") == "/d/x"
        assert build("/d/<kind:one>", Loud, one="x") == "/d/X"
        assert build("/e/<one>", defaults={"one": "x"}) == "/e/x"
        assert build("/e/<one>", defaults={"one": "y"}) == "/e/y"


def test_rules_that_are_written_alike_read_as_their_own_map_does() -> None:
    for _ in range(2):
        assert read("/d/X", create("/d/<kind:one>")) == "[['one', 'X']]"
        assert read("/d/X", create("/d/<kind:one>", Loud)) == "[['one', 'x']]"
        assert (
            read("/e/x", create("/e/<one>", defaults={"two": "y"}))
            == "[['one', 'x'], ['two', 'y']]"
        )
        assert read("/e/x", create("/e/<one>")) == "[['one', 'x']]"
        assert read("/f/7", create("/f/<int:one>")) == "[['one', 7]]"
        assert read("/f/x", create("/f/<int:one>")) == "404 NOT FOUND"
        assert read("/f/x", create("/f/<one>")) == "[['one', 'x']]"


def test_converters_belong_to_the_map_that_uses_them() -> None:
    first, second = create("/g/<kind:one>", Loud), create("/g/<kind:one>", Loud)
    for app in (first, second):
        [rule] = app.url_map.iter_rules()
        assert rule._converters["one"].map is app.url_map
        assert rule.arguments == {"one"}
