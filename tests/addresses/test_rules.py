"""Rules of several applications that are written alike, and what they build."""

from __future__ import annotations

from typing import Any

from flask import Flask, url_for
from werkzeug.routing import BaseConverter, UnicodeConverter

from webapp.addresses.rules import SharedRule


class Loud(UnicodeConverter):
    """Writes its values in capitals."""

    def to_url(self, value: str) -> str:
        return super().to_url(value.upper())


def build(
    rule: str,
    converter: type[BaseConverter] = UnicodeConverter,
    defaults: dict[str, str] | None = None,
    **values: Any,
) -> str:
    """Return the address of a page at `rule` in an application of its own."""
    app = Flask(__name__, static_folder=None)
    app.url_rule_class = SharedRule
    app.url_map.converters["kind"] = converter
    app.add_url_rule(rule, "page", lambda: "", defaults=defaults)
    with app.test_request_context():
        return url_for("page", **values)


def test_rules_that_are_written_alike_build_their_own_addresses() -> None:
    for _ in range(2):
        assert build("/a/<one>/b", one="x y", other="é") == "/a/x%20y/b?other=%C3%A9"
        assert build("/a/<two>/b", two="x") == "/a/x/b"
        assert build("/c/<int:number>", number="7") == "/c/7"
        assert build("/d/<kind:one>", one="x") == "/d/x"
        assert build("/d/<kind:one>", Loud, one="x") == "/d/X"
        assert build("/e/<one>", defaults={"one": "x"}) == "/e/x"
        assert build("/e/<one>", defaults={"one": "y"}) == "/e/y"
