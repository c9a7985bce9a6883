"""The environment of the templates, and their code, for all applications of the process."""

from __future__ import annotations

import re
from collections.abc import Callable, MutableMapping
from types import CodeType
from typing import Any, Final

import jinja2
from flask.templating import Environment
from jinja2 import BytecodeCache, Template, nodes
from jinja2.bccache import Bucket
from jinja2.compiler import CodeGenerator, Frame
from jinja2.runtime import Macro
from markupsafe import escape

from webapp.formatting import replace_surrogates

_KEPT: Final[dict[str, tuple[str, CodeType]]] = {}
"""The checksum of the source and the code of each template, by the key that Jinja gives it."""

_find_special: Final = re.compile("[&<>'\"]").search
_Escaped: Final = type(escape(""))


class CompiledTemplates(BytecodeCache):
    """Compiles each template once in a process, although every application has an environment.

    The pages of shares and of kept copies are separate applications. `install` gives all
    environments the same options, which the code depends on as it does on the source.
    """

    def load_bytecode(self, bucket: Bucket) -> None:
        checksum, code = _KEPT.get(bucket.key, (None, None))
        if checksum == bucket.checksum:
            bucket.code = code

    def dump_bytecode(self, bucket: Bucket) -> None:
        if bucket.code is not None:
            _KEPT[bucket.key] = bucket.checksum, bucket.code


class _Code(CodeGenerator):
    """Compiles `a.b` and `f(x)` to the same in Python.

    Jinja's own code looks for an item `b` as well, and passes the context to functions that ask
    for it: none of ours does.
    """

    def visit_Getattr(self, node: nodes.Getattr, frame: Frame) -> None:
        self.visit(node.node, frame)
        self.write(f".{node.attr}")

    def visit_Call(self, node: nodes.Call, frame: Frame, forward_caller: bool = False) -> None:
        arguments = [("", one) for one in node.args]
        arguments += [(f"{one.key}=", one.value) for one in node.kwargs]
        arguments += [("*", node.dyn_args)] if node.dyn_args else []
        arguments += [("**", node.dyn_kwargs)] if node.dyn_kwargs else []
        self.visit(node.node, frame)
        self.write("(")
        for sign, value in arguments:
            self.write(sign)
            self.visit(value, frame)
            self.write(", ")
        self.write("caller=caller)" if forward_caller else ")")


class _Macro(Macro):
    """A macro that is called at once if all of its parameters have a value by their position."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if len(args) == self._argument_count and len(kwargs) == self.caller:
            if not kwargs:
                return _Escaped(self._func(*args))
            if "caller" in kwargs:
                return _Escaped(self._func(*args, kwargs["caller"]))
        return super().__call__(*args, **kwargs)


class _Template(Template):
    """A template whose output UTF-8 can encode, and whose code uses `_escape` and `_Macro`.

    The code that Jinja compiles calls `escape` for each value of a page, more than a thousand
    times. If it calls other names some day, it is only slower.
    """

    def render(self, *args: Any, **kwargs: Any) -> str:
        return replace_surrogates(super().render(*args, **kwargs))

    @classmethod
    def from_code(
        cls,
        environment: jinja2.Environment,
        code: CodeType,
        globals: MutableMapping[str, Any],
        uptodate: Callable[[], bool] | None = None,
    ) -> Template:
        template = super().from_code(environment, code, globals, uptodate)
        template.root_render_func.__globals__.update(escape=_escape, Macro=_Macro)
        return template


def _escape(value: Any) -> str:
    """Escape `value` as `markupsafe.escape` does, but make no `Markup` if none is needed."""
    if type(value) is str:
        return value if _find_special(value) is None else escape(value)
    if type(value) is _Escaped:
        return value
    return str(value) if type(value) is int else escape(value)


class TemplateEnvironment(Environment):
    """Looks up the globals of templates in one step."""

    code_generator_class = _Code
    template_class = _Template

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        # Jinja chains the two, which costs every include and import a search for each global.
        return self.globals if not d else {**self.globals, **d}
