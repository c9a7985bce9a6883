"""HTML files that are written at once leave the pages their share of the interpreter."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Event, Lock, Semaphore
from typing import Any

from jinja2 import DictLoader, Environment

from webapp.completions import Completion
from webapp.exact_json import Object, parse
from webapp.exports.html import WRITTEN_AT_ONCE, iter_html
from webapp.exports.transcript import Span, Transcript
from webapp.messages import Message

MESSAGE = parse('{"role": "user", "content": "Hi"}')
COMPLETION = parse('{"choices": []}')
FILES = WRITTEN_AT_ONCE + 4


@dataclass
class Writing:
    """How many messages are being written, and how many were at most."""

    now: int = 0
    most: int = 0
    begun: Semaphore = field(default_factory=lambda: Semaphore(0))
    over: Event = field(default_factory=Event)
    lock: Lock = field(default_factory=Lock)

    def write(self) -> None:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        self.begun.release()
        assert self.over.wait(60)
        with self.lock:
            self.now -= 1


def test_many_html_files_are_written_in_turns() -> None:
    """A file waits for its turn with each block, so a client that takes it slowly delays nobody."""
    writing = Writing()

    class Watched(Message):
        __slots__ = ()

        @property
        def text_count(self) -> int:
            writing.write()
            return super().text_count

    pages = {name: "" for name in ("start", "head", "note", "end")}
    pages["message"] = "{% for block in blocks %}{{ block.kind }}{% endfor %}"
    env = Environment(loader=DictLoader({f"exports/{name}.html": pages[name] for name in pages}))

    def write_one(_: Any) -> str:
        assert isinstance(COMPLETION, Object)
        completion = Completion.from_json(COMPLETION)
        message = Watched.from_json(MESSAGE)
        one = Transcript("c1", completion, [message], span=Span(last=1))
        return "".join(iter_html(one, env, ""))

    with ThreadPoolExecutor(FILES) as threads:
        written = threads.map(write_one, range(FILES))
        for _ in range(WRITTEN_AT_ONCE):
            assert writing.begun.acquire(timeout=60)
        writing.over.set()
        files = [*written]

    assert writing.most == WRITTEN_AT_ONCE
    assert all("text" in file for file in files)
