"""The templates escape each value as Jinja does, and render what UTF-8 can encode."""

from __future__ import annotations

from typing import Any

import jinja2
import pytest
from flask import Flask
from markupsafe import escape

from webapp.app import open_templates
from webapp.templating.compiled import TemplateEnvironment, compile_all

SPECIAL = "<a href='/?x&y'>\""


class _Html:
    def __html__(self) -> str:
        return SPECIAL


@pytest.mark.parametrize("value", ["", "plain", SPECIAL, escape(SPECIAL), _Html(), 7, True, None])
def test_values_are_escaped_as_jinja_escapes_them(value: Any) -> None:
    source = "{% macro show(value) %}[{{ value }}]{% endmacro %}{{ show(value) }}{{ value ~ '<' }}"
    ours = TemplateEnvironment(Flask("pages"), autoescape=True)
    theirs = jinja2.Environment(autoescape=True)
    expected = theirs.from_string(source).render(value=value)
    assert ours.from_string(source).render(value=value) == expected


def test_lone_surrogates_are_replaced() -> None:
    source = "{% macro show(value) %}[{{ value }}]{% endmacro %}{{ show(value) }}"
    ours = TemplateEnvironment(Flask("pages"), autoescape=True)
    assert ours.from_string(source).render(value="a\ud800") == "[a\ufffd]"


def test_later_environments_compile_nothing() -> None:
    compile_all(open_templates().jinja_env)
    later = open_templates().jinja_env
    later.code_generator_class = None  # type: ignore[assignment]
    for name in later.list_templates():
        later.get_template(name)
