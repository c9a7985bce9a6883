"""Write completions to a store of the embedded server, and read its tables as others do."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import NullPool, Row, create_engine, event, text

from webapp.embedded import Store
from webapp.embedded.documents.records import parse_record

ANSWER = {"index": 0, "message": {"role": "assistant", "content": "Yes."}, "finish_reason": "stop"}


def database_url(folder: Path) -> str:
    """Return the URL of a SQLite file in `folder`."""
    return f"sqlite:///{folder / 'store.db'}"


def completion(completion_id: str, *, messages: int = 1, **members: object) -> dict[str, object]:
    """Return a completion to import, with this many user messages."""
    said = [{"role": "user", "content": f"message {at}"} for at in range(messages)]
    return {"id": completion_id, "messages": said, "choices": [ANSWER], **members}


def add(store: Store, *completions: dict[str, object]) -> None:
    """Store `completions` as an import would."""
    store.add([parse_record(compact(one)) for one in completions])


def copy_completion(url: str, completion_id: str, copy_id: str, *, created: int) -> None:
    """Store a completion without messages once more; to import a large one takes seconds."""
    statement = (
        "INSERT INTO completions (seq, id, created, model, digest, is_large, wire_json, given_json)"
        " SELECT (SELECT max(seq) + 1 FROM completions), :copy_id, :created, model,"
        " randomblob(32), is_large, replace(wire_json, :old, :new), replace(given_json, :old, :new)"
        " FROM completions WHERE id = :completion_id"
    )
    names = {"completion_id": completion_id, "copy_id": copy_id, "created": created}
    rows(url, statement, **names, old=f'"{completion_id}"', new=f'"{copy_id}"')


def jsonl(path: Path, lines: Iterable[object]) -> Path:
    """Write one line for each of `lines`: text unchanged, anything else as JSON."""
    texts = (line if isinstance(line, str) else json.dumps(line) for line in lines)
    path.write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")
    return path


def rows(url: str, statement: str, **binds: object) -> list[Row[*tuple[Any, ...]]]:
    """Run `statement` on a connection of its own; return the rows that another program sees."""
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        result = connection.execute(text(statement), binds)
        return list(result) if result.returns_rows else []


@contextmanager
def listening(target: object, name: str, listener: Callable[..., None]) -> Iterator[None]:
    """Call `listener` for SQLAlchemy's events called `name` while this is open."""
    event.listen(target, name, listener)
    try:
        yield
    finally:
        event.remove(target, name, listener)


def compact(value: object) -> str:
    """Serialize `value` as JSON without white space."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
