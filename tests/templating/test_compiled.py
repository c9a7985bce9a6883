"""Templates are compiled once a process, and a changed source is another template."""

from __future__ import annotations

from jinja2 import DictLoader, Environment

from webapp.templating.compiled import CompiledOnce


def environment(source: str, compiled: CompiledOnce) -> Environment:
    return Environment(loader=DictLoader({"page.html": source}), bytecode_cache=compiled)


def test_a_second_environment_runs_the_code_of_the_first() -> None:
    compiled = CompiledOnce()
    first = environment("a{{ 1 }}", compiled).get_template("page.html")
    second = environment("a{{ 1 }}", compiled).get_template("page.html")
    assert first.root_render_func.__code__ is second.root_render_func.__code__
    assert second.render() == "a1"


def test_another_source_of_the_same_name_is_compiled_for_itself() -> None:
    compiled = CompiledOnce()
    assert environment("a", compiled).get_template("page.html").render() == "a"
    assert environment("b", compiled).get_template("page.html").render() == "b"
