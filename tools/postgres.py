"""Run a PostgreSQL server or a replica of one in a temporary folder, reached by a socket in it."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from sqlalchemy import NullPool, create_engine, make_url

from tools.memory import find_children

HOW_TO_INSTALL = "it needs PostgreSQL: on Debian, apt-get install postgresql"
# Nothing of it outlives the program, so nothing needs to reach the disk.
_OPTIONS = "-c fsync=off -c full_page_writes=off -c listen_addresses= -c max_connections=200"
# Standard input ends with the process that asked for the server, however that process ends: a
# killed test run leaves no server. A busy machine may take minutes to start one.
_SUPERVISE = """
programs=$1 folder=$2 options=$3 primary=$4
trap 'rm -rf "$folder"' EXIT
{
  if [ "$primary" ]; then
    "$programs/pg_basebackup" -D "$folder/data" -h "$primary" -U postgres -R -c fast --no-sync
  else
    "$programs/initdb" -D "$folder/data" -U postgres -A trust -E UTF8 --locale=C --no-sync
  fi &&
    "$programs/pg_ctl" start -D "$folder/data" -w -t 600 -l "$folder/log" -o "$options"
} >"$folder/start" 2>&1 || { cat "$folder/start" "$folder/log"; exit 1; }
echo started
read -r _
"$programs/pg_ctl" stop -s -D "$folder/data" -w -m immediate
"""


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """A running server; its socket is in `folder`."""

    folder: Path
    programs: Path
    options: str
    user: dict[str, Any]
    _numbers: Iterator[int] = field(default_factory=count, repr=False)
    _emptied: list[str] = field(default_factory=list, repr=False)

    @contextmanager
    def database(self) -> Iterator[str]:
        """Yield the URL of an empty database.

        It is emptied for the next caller, which costs a tenth of making a new one.
        """
        name = self._emptied.pop() if self._emptied else self.create("UTF8")
        yield self.url(name)
        self.drop_connections(self.url(name))
        self.run("DROP SCHEMA public CASCADE; CREATE SCHEMA public", database=name)
        self._emptied.append(name)

    @contextmanager
    def database_in(self, encoding: str) -> Iterator[str]:
        """Yield the URL of an empty database in this encoding; drop it at the end."""
        name = self.create(encoding)
        try:
            yield self.url(name)
        finally:
            self.run(f"DROP DATABASE {name} WITH (FORCE)")

    def create(self, encoding: str) -> str:
        """Create an empty database in this encoding; return its name."""
        name = f"test_{next(self._numbers)}"
        self.run(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING '{encoding}'")
        return name

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://postgres@/{database}?host={self.folder}"

    def drop_connections(self, url: str) -> None:
        """Disconnect the clients of the database at `url`, as a restart of the server does."""
        self.run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            f" WHERE datname = '{make_url(url).database}'"
        )

    def start(self) -> None:
        """Start the server again, after `stop` or `kill`."""
        self._control("start", "-w", "-t", "600", "-l", f"{self.folder}/log", "-o", self.options)

    def stop(self) -> None:
        """Shut the server down; its clients are disconnected."""
        self._control("stop", "-w", "-t", "600", "-m", "fast")

    def kill(self) -> None:
        """Kill all processes of the server, as a lack of memory or a power cut does."""
        first = (self.folder / "data" / "postmaster.pid").read_text().split()[0]
        for pid in (int(first), *find_children(int(first))):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def is_running(self) -> bool:
        """Return whether the server accepts connections or starts to."""
        return self._run_program("status").returncode == 0

    def _control(self, *arguments: str) -> None:
        ended = self._run_program(*arguments)
        if ended.returncode:
            raise RuntimeError(f"PostgreSQL did not {arguments[0]}: {ended.stdout}")

    def _run_program(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        # The server must not hold a pipe of ours open, so the output goes to a file.
        with tempfile.TemporaryFile("w+") as output:
            ended = subprocess.run(
                [self.programs / "pg_ctl", *arguments, "-D", self.folder / "data"],
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                **self.user,
            )
            output.seek(0)
            ended.stdout = output.read()
            return ended

    def run(self, statements: str, *, database: str = "postgres") -> None:
        """Run `statements` in `database`, each committed by itself."""
        engine = create_engine(self.url(database), isolation_level="AUTOCOMMIT", poolclass=NullPool)
        with engine.connect() as connection:
            connection.exec_driver_sql(statements)


def find_programs() -> Path | None:
    """Return the folder of the server's programs, which Debian keeps out of PATH, or None."""
    named = os.environ.get("READBACK_POSTGRES")
    if named:
        return Path(named)
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


@contextmanager
def running_postgres(
    programs: Path,
    *,
    options: str = _OPTIONS,
    parent: Path | None = None,
    primary: PostgresServer | None = None,
) -> Iterator[PostgresServer]:
    """Run a new server in a temporary folder, in `parent` if set; stop and remove it at the end.

    It is a replica of `primary` if there is one. Raise `RuntimeError` with the server's log if it
    does not start.
    """
    # The path of a socket has 107 characters at most: pytest's folders are too deep.
    folder = Path(tempfile.mkdtemp(prefix="readback-postgres-", dir=parent))
    user: dict[str, Any] = {}
    if os.getuid() == 0:
        # The server refuses to run as root.
        uid, gid = _find_unprivileged_user()
        os.chown(folder, uid, gid)
        user = {"user": uid, "group": gid, "extra_groups": []}
    supervisor = subprocess.Popen(
        [
            *("sh", "-c", _SUPERVISE, "sh", programs, folder, f"-k {folder} {options}"),
            primary.folder if primary else "",
        ],
        cwd="/",
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
        text=True,
        **user,
    )
    assert supervisor.stdin is not None and supervisor.stdout is not None
    with supervisor:
        said = supervisor.stdout.readline()
        if said != "started\n":
            raise RuntimeError(f"PostgreSQL did not start:\n{said}{supervisor.stdout.read()}")
        try:
            yield PostgresServer(folder, programs, f"-k {folder} {options}", user)
        finally:
            supervisor.stdin.close()


def _find_unprivileged_user() -> tuple[int, int]:
    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    account = names.get("postgres") or names["nobody"]
    return account.pw_uid, account.pw_gid
