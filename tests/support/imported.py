"""Import one value, and read the completion that its server then has."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from flask.testing import FlaskClient

from tools.store_rows import jsonl
from webapp.embedded import Store, import_files

_GIVEN: Final = {"readback.as_given": True}


class Imported:
    """The only completion of a file, as its server has it, without defaults."""

    def __init__(self, store: Store, client: FlaskClient, path: Path, row: object) -> None:
        report = import_files(store, [jsonl(path / "a.jsonl", [row])])
        assert not report.problems, report.problems
        assert import_files(store, [path / "a.jsonl"]).unchanged == 1
        self.forms = [form.name for form in report.formats[path / "a.jsonl"]]
        [listed] = client.get("/chat/completions").get_json()["data"]
        self.id, self.created = listed["id"], listed["created"]
        url = f"/chat/completions/{self.id}"
        self.json: dict[str, Any] = client.get(url, environ_base=_GIVEN).get_json()
        self.answers = [one["message"]["content"] for one in self.json["choices"]]
        page = client.get(f"{url}/messages?limit=100", environ_base=_GIVEN).get_json()
        self.messages: list[dict[str, Any]] = page["data"]
        self.asked = [(one["role"], one["content"]) for one in self.messages]
