"""A PostgreSQL server of the tests' own: made in a temporary folder, reached by its socket.

Owns finding Debian's programs, starting and stopping. Knows nothing of the store.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from sqlalchemy import NullPool, create_engine, make_url

HOW_TO_INSTALL = "it needs PostgreSQL: on Debian, apt-get install postgresql"
# Nothing of it outlives the tests, so nothing needs to reach the disk.
_OPTIONS = "-c fsync=off -c full_page_writes=off -c listen_addresses= -c max_connections=200"


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """A running server; its socket is in `folder`."""

    folder: Path
    _numbers: Iterator[int] = field(default_factory=count, repr=False)
    _emptied: list[str] = field(default_factory=list, repr=False)

    @contextmanager
    def database(self) -> Iterator[str]:
        """The URL of an empty database. It is emptied for the next, which costs a tenth of a
        new one."""
        name = self._emptied.pop() if self._emptied else self._created("UTF8")
        yield self.url(name)
        self.drop_connections(self.url(name))
        self.run("DROP SCHEMA public CASCADE; CREATE SCHEMA public", database=name)
        self._emptied.append(name)

    @contextmanager
    def database_in(self, encoding: str) -> Iterator[str]:
        """The URL of an empty database of another encoding, which is dropped at the end."""
        name = self._created(encoding)
        try:
            yield self.url(name)
        finally:
            self.run(f"DROP DATABASE {name} WITH (FORCE)")

    def _created(self, encoding: str) -> str:
        name = f"test_{next(self._numbers)}"
        self.run(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING '{encoding}'")
        return name

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://postgres@/{database}?host={self.folder}"

    def drop_connections(self, url: str) -> None:
        """What a restart of the server does to the clients of the database at `url`."""
        self.run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            f" WHERE datname = '{make_url(url).database}'"
        )

    def run(self, statements: str, *, database: str = "postgres") -> None:
        """Runs what is about a `database`, or about none or another than it is run in."""
        engine = create_engine(self.url(database), isolation_level="AUTOCOMMIT", poolclass=NullPool)
        with engine.connect() as connection:
            connection.exec_driver_sql(statements)


def programs() -> Path | None:
    """The folder of the server's programs, which Debian keeps out of PATH; None without them."""
    named = os.environ.get("READBACK_POSTGRES")
    if named:
        return Path(named)
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


@contextmanager
def running_postgres(programs: Path, *, options: str = _OPTIONS) -> Iterator[PostgresServer]:
    """A new server, stopped and removed at the end."""
    # The path of a socket may have no more than 107 characters: pytest's folders are too deep.
    with tempfile.TemporaryDirectory(prefix="readback-postgres-") as temporary:
        folder = Path(temporary)
        if os.getuid() == 0:
            os.chown(folder, *_unprivileged())
        data = folder / "data"
        _run(
            programs / "initdb",
            ["-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"],
        )
        pg_ctl = programs / "pg_ctl"
        started: list[str | Path] = [
            "-D",
            data,
            "-w",
            "-l",
            folder / "log",
            "-o",
            f"-k {folder} {options}",
        ]
        _run(pg_ctl, ["start", *started])
        try:
            yield PostgresServer(folder)
        finally:
            _run(pg_ctl, ["stop", "-D", data, "-w", "-m", "immediate"])


def _run(program: Path, arguments: Sequence[str | Path]) -> None:
    """Runs as somebody unprivileged: the server refuses to be root."""
    user: dict[str, Any] = {}
    if os.getuid() == 0:
        uid, gid = _unprivileged()
        user = {"user": uid, "group": gid, "extra_groups": []}
    # The server keeps the streams it is given, so a pipe would never end.
    subprocess.run(
        [program, *arguments],
        cwd="/",
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        **user,
    )


def _unprivileged() -> tuple[int, int]:
    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    account = names.get("postgres") or names["nobody"]
    return account.pw_uid, account.pw_gid
