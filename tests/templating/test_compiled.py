"""Templates are compiled once in a process, and again when they have changed."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader

from webapp.app import open_templates
from webapp.templating.compiled import CompiledTemplates


def test_applications_have_the_code_of_their_templates_in_common() -> None:
    codes = {
        open_templates().jinja_env.get_template("completions/show.html").root_render_func.__code__
        for _ in range(2)
    }
    assert len(codes) == 1


def test_a_changed_template_and_another_of_its_name_are_compiled_again(tmp_path: Path) -> None:
    def read(folder: str, text: str) -> str:
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / "a.html").write_text(text)
        loader = FileSystemLoader(tmp_path / folder)
        templates = Environment(loader=loader, bytecode_cache=CompiledTemplates())
        return templates.get_template("a.html").render()

    assert read("one", "{{ 1 + 1 }}") == "2"
    assert read("other", "{{ 3 + 3 }}") == "6"
    assert read("one", "{{ 2 + 2 }}") == "4"
    assert read("other", "{{ 3 + 3 }}") == "6"
