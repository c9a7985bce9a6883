"""What the tests of the embedded server share: completions to store, and reading the store."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import NullPool, Row, create_engine, event, text
from werkzeug.test import TestResponse

from webapp.embedded import Store
from webapp.embedded.documents.records import read_completion

ANSWER = {"index": 0, "message": {"role": "assistant", "content": "Yes."}, "finish_reason": "stop"}


def database_url(folder: Path) -> str:
    """The address of a SQLite file in `folder`."""
    return f"sqlite:///{folder / 'store.db'}"


def completion(completion_id: str, *, messages: int = 1, **members: object) -> dict[str, object]:
    """A completion to import, with as many user messages as asked for."""
    said = [{"role": "user", "content": f"message {at}"} for at in range(messages)]
    return {"id": completion_id, "messages": said, "choices": [ANSWER], **members}


def add(store: Store, *completions: dict[str, object]) -> None:
    store.add([read_completion(compact(one)) for one in completions])


def jsonl(path: Path, lines: Iterable[object]) -> Path:
    """Writes a line each: text as it is, anything else as JSON."""
    texts = (line if isinstance(line, str) else json.dumps(line) for line in lines)
    path.write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")
    return path


def rows(url: str, statement: str, **binds: object) -> list[Row[*tuple[Any, ...]]]:
    """What another program sees in the database at `url`."""
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        result = connection.execute(text(statement), binds)
        return list(result) if result.returns_rows else []


@contextmanager
def listening(target: object, name: str, listener: Callable[..., None]) -> Iterator[None]:
    """SQLAlchemy tells `listener` of its events while this is open."""
    event.listen(target, name, listener)
    try:
        yield
    finally:
        event.remove(target, name, listener)


def compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def ids(items: Sequence[dict[str, Any]]) -> list[str]:
    return [item["id"] for item in items]


def assert_error(
    answer: TestResponse, status: int, message: str, param: str | None, code: str | None
) -> None:
    error = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
    assert answer.status_code == status
    assert answer.content_type == "application/json"
    assert answer.get_data() == json.dumps({"error": error}, indent=2).encode()
