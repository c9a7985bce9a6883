"""Who may import whom, checked in the source."""

from __future__ import annotations

import ast
import re
import sys
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

from tools.paths import ROOT

PACKAGE: Final = ROOT / "webapp"
FILES: Final = tuple(sorted(PACKAGE.rglob("*.py")))

VALUES: Final = "exact_json messages completions conversations finding ids redaction timestamps"
PAGES: Final = (
    f"{VALUES} config formatting media transcript analysis rendering upstream reading services"
    " shares pins notes saved snippets exports templating errors fragments security static_files"
    " access caching recent"
)
EVERYTHING: Final = (
    f"{PAGES} addresses folders http database embedded factories keeping"
    " monitoring serving uploads views app"
)

# The areas of the package, the lower ones first, and what each may import beside the standard
# library and itself: other areas, and packages.
MAY_IMPORT: Final[dict[str, tuple[str, str]]] = {
    "exact_json": ("", ""),
    "addresses": ("", "flask werkzeug"),
    "ids": ("", ""),
    "recent": ("", ""),
    "timestamps": ("exact_json", ""),
    "folders": ("monitoring", ""),
    "http": ("addresses monitoring", "requests urllib3 werkzeug"),
    "formatting": ("", ""),
    "hidden_texts": ("", ""),
    "config": ("addresses", ""),
    "redaction": ("exact_json", "phonenumbers re2"),
    "monitoring": ("config redaction", "prometheus_client"),
    "finding": ("", ""),
    "messages": (VALUES, ""),
    "completions": (VALUES, ""),
    "conversations": ("", ""),
    "transcript": (VALUES, ""),
    "analysis": (
        f"{VALUES} transcript media formatting hidden_texts recent",
        "jsonschema rapidfuzz re2 referencing",
    ),
    "media": (f"{VALUES} folders", "tinytag"),
    "database": ("folders monitoring redaction", "psycopg sqlalchemy"),
    "shares": (f"{VALUES} database formatting notes recent", "sqlalchemy werkzeug"),
    "pins": ("database redaction", "sqlalchemy"),
    "saved": ("database redaction", "sqlalchemy"),
    "notes": ("database exact_json redaction", "sqlalchemy"),
    "rendering": (
        f"{VALUES} config formatting hidden_texts",
        "markdown_it markupsafe math_core mdit_py_plugins nh3 pygments",
    ),
    "upstream": (f"{VALUES} addresses config http", "requests urllib3"),
    "embedded": (
        f"{VALUES} addresses config database folders http monitoring recent",
        "flask requests sqlalchemy urllib3 werkzeug",
    ),
    "exports": (f"{VALUES} formatting media notes rendering transcript", "jinja2"),
    "reading": (f"{VALUES} folders monitoring recent transcript analysis upstream", ""),
    "factories": (
        "access addresses config database notes pins saved shares snippets uploads upstream",
        "platformdirs requests",
    ),
    "snippets": (f"{VALUES} formatting", ""),
    "keeping": (
        f"{VALUES} database embedded services snippets static_files transcript upstream",
        "flask sqlalchemy",
    ),
    "uploads": ("database embedded formatting redaction services", "sqlalchemy"),
    "access": (
        "addresses config database fragments http redaction",
        "authlib flask joserfc limits redis requests sqlalchemy urllib3 werkzeug",
    ),
    "caching": ("access exact_json recent redaction rendering services upstream", "flask"),
    "fragments": ("formatting redaction", "flask htmx_flask"),
    "static_files": ("", "flask"),
    "security": ("addresses fragments redaction", "werkzeug"),
    "errors": ("database fragments redaction upstream", "flask sqlalchemy werkzeug"),
    "services": (PAGES, "flask"),
    "templating": (f"{PAGES} addresses", "flask jinja2 markupsafe"),
    "views": (f"{PAGES} addresses", "flask werkzeug"),
    "serving": ("addresses caching config fragments http redaction security", "flask waitress"),
    "app": (EVERYTHING, "flask htmx_flask requests werkzeug"),
    "cli": (EVERYTHING, "sqlalchemy"),
    "__init__": ("app", ""),
    "__main__": ("cli", ""),
}
MAX_MODULES: Final = 14
"""In one folder; a larger one has several subjects and wants sub-folders."""


def area_of(file: Path) -> str:
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


@cache
def nodes_of(file: Path) -> tuple[ast.AST, ...]:
    """Return all nodes of the syntax tree of `file`."""
    return tuple(ast.walk(ast.parse(file.read_text(encoding="utf-8"))))


def for_types_only(nodes: tuple[ast.AST, ...]) -> set[ast.AST]:
    """Return everything under `if TYPE_CHECKING`, which never runs."""
    guarded = (
        node
        for node in nodes
        if isinstance(node, ast.If)
        and isinstance(node.test, ast.Name)
        and node.test.id == "TYPE_CHECKING"
    )
    return {inner for guard in guarded for body in guard.body for inner in ast.walk(body)}


def modules_imported(file: Path) -> Iterator[str]:
    """Yield every module that `file` imports anywhere, by its full name."""
    nodes = nodes_of(file)
    skipped = for_types_only(nodes)
    for node in nodes:
        if node in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: a relative import"
            yield from _from(node)


def _from(node: ast.ImportFrom) -> Iterator[str]:
    """Yield a module for `from webapp import messages`, the package for `create_app`."""
    if node.module != "webapp":
        yield node.module or ""
        return
    for alias in node.names:
        is_module = (PACKAGE / alias.name).is_dir() or (PACKAGE / f"{alias.name}.py").is_file()
        yield f"webapp.{alias.name}" if is_module else "webapp"


@cache
def ours_and_others(file: Path) -> tuple[set[str], set[str]]:
    """Return the areas and the packages that `file` imports, without its own area."""
    modules = [module for module in modules_imported(file) if module != "__future__"]
    ours = {name.split(".")[1] for name in modules if name.startswith("webapp.")}
    others = {name.split(".")[0] for name in modules if not name.startswith("webapp.")}
    return ours - {area_of(file)}, others - sys.stdlib_module_names


def test_every_area_has_its_rule_and_every_rule_its_area() -> None:
    assert {area_of(file) for file in FILES} == set(MAY_IMPORT)


def test_a_module_imports_only_what_it_may() -> None:
    assert {
        str(file.relative_to(PACKAGE)): forbidden
        for file in FILES
        if (forbidden := find_forbidden(file))
    } == {}


def find_forbidden(file: Path) -> set[str]:
    """Return the areas and packages that `file` imports and may not."""
    areas, packages = MAY_IMPORT[area_of(file)]
    ours, others = ours_and_others(file)
    return (ours - set(areas.split())) | (others - set(packages.split()))


def importers_of(area: str) -> set[str]:
    return {area_of(file) for file in FILES if area in ours_and_others(file)[0]}


def test_only_the_assembling_modules_know_the_server_we_bring() -> None:
    assert importers_of("embedded") == {"app", "cli", "keeping", "uploads"}
    users = {area_of(file) for file in FILES if "webapp.http.loopback" in file.read_text("utf-8")}
    assert users == {"app"}


def test_nobody_imports_what_assembles_but_the_package_and_its_command() -> None:
    assert importers_of("app") <= {"__init__", "cli"}
    assert importers_of("cli") == {"__main__"}
    assert {area_of(file) for file in FILES if "webapp" in ours_and_others(file)[1]} <= {"cli"}


def test_markup_is_made_in_rendering_alone() -> None:
    makers = {
        area_of(file)
        for file in FILES
        for node in nodes_of(file)
        if (isinstance(node, ast.Name) and node.id == "Markup")
        or (isinstance(node, ast.Attribute) and node.attr == "Markup")
        or (isinstance(node, ast.alias) and node.name == "Markup")
    }

    assert makers == {"rendering"}
    templates = (ROOT / "templates").rglob("*.html")
    assert not [file.name for file in templates if re.search(r"\|\s*safe\b", file.read_text())]


def test_no_folder_holds_too_many_modules() -> None:
    """A command is a module, so the folder of commands may be as large as their number."""
    modules = (file for file in FILES if file.name != "__main__.py")
    folders = Counter(file.parent.relative_to(PACKAGE).as_posix() for file in modules)
    del folders["cli"]

    assert {folder for folder, count in folders.items() if count > MAX_MODULES} == set()


def test_the_areas_import_each_other_in_no_circle() -> None:
    done: set[str] = set()
    while ready := {area for area in MAY_IMPORT if area not in done and actual(area) <= done}:
        done |= ready

    assert done == set(MAY_IMPORT)


@cache
def actual(area: str) -> set[str]:
    """Return the areas that `area` really imports."""
    files = (file for file in FILES if area_of(file) == area)
    return {one for file in files for one in ours_and_others(file)[0]}


def test_benchmarks_and_tests_do_not_import_each_other() -> None:
    assert imports_between("tests", "bench") == imports_between("bench", "tests") == []
    assert imports_between("tools", "tests") == imports_between("tools", "bench") == []


def imports_between(folder: str, package: str) -> list[Path]:
    """Return the files of `folder` that import `package`."""
    imports = re.compile(rf"^\s*(?:from|import) {package}\b", re.MULTILINE)
    return [
        file
        for file in sorted((ROOT / folder).rglob("*.py"))
        if imports.search(file.read_text(encoding="utf-8"))
    ]
