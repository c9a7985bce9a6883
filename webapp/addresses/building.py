"""Build the addresses of pages, of which a page of messages has hundreds."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Final
from urllib.parse import quote, quote_plus

import flask
from flask.globals import request_ctx
from werkzeug.routing import Map, MapAdapter

_VARIABLE: Final = re.compile(r"<(?:(?:int|path|any\([^)]*\)):)?(\w+)>")


def url_for(endpoint: str, **values: Any) -> str:
    """Build the URL that `flask.url_for` returns, for most endpoints in a fraction of its time."""
    # Looked up in one step: a page of messages has hundreds of addresses.
    context = request_ctx._get_current_object()  # type: ignore[attr-defined]
    adapter: MapAdapter = context.url_adapter
    try:
        start, variables = _cut_rule(adapter.map, endpoint)
        rest = dict(values)
        address = adapter.script_name.rstrip("/") + start
        for name, after in variables:
            address += _quote_in_path(rest.pop(name)) + after
        separator = "?"
        for name, value in rest.items():
            if name.startswith("_"):
                raise KeyError(name)
            if value is not None:
                address += f"{separator}{_quote_in_query(name)}={_quote_in_query(value)}"
                separator = "&"
    except (KeyError, TypeError):
        # An option of Flask, an endpoint of several rules or of another application, or a list.
        return flask.url_for(endpoint, **values)
    return address


@lru_cache(maxsize=1024)
def _cut_rule(rules: Map, endpoint: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Split a rule into the text before its first variable, and each with the text after it.

    Raise `KeyError` if `endpoint` has no rule, several, or one with defaults.
    """
    found = list(rules.iter_rules(endpoint))
    if len(found) != 1 or found[0].defaults:
        raise KeyError(endpoint)
    start, *rest = _VARIABLE.split(found[0].rule)
    return start, tuple(zip(rest[::2], rest[1::2], strict=True))


@lru_cache(maxsize=4096, typed=True)
def _quote_in_path(value: object) -> str:
    return quote(_write(value), "!$&'()*+,/:;=@")


@lru_cache(maxsize=4096, typed=True)
def _quote_in_query(value: object) -> str:
    return quote_plus(_write(value), "!$'()*,/:;?@")


def _write(value: object) -> str:
    if not isinstance(value, str | int):
        raise TypeError(value)
    return str(value)
