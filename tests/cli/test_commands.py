"""Commands on the store and on its shares, and `readback password`, as a user runs them."""

from __future__ import annotations

import argparse
import html
import json
import os
import re
import signal
import stat
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.command import PATIENCE, Readback, open_terminal, read_until
from tools.forking import Forkable
from tools.outages import MountRefused, small_disk
from tools.reference import find_commands
from tools.store_rows import compact, completion, database_url, jsonl
from webapp.access import SCHEMA, Record
from webapp.access.passwords import check_password
from webapp.cli import build_parser
from webapp.cli.checking import run_check
from webapp.cli.commands import parse_path
from webapp.cli.redacting import run_redact
from webapp.config import Config
from webapp.database import open_later

BEACON = "data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAACAkQBADs="


@pytest.fixture
def readback(forkable: Forkable, tmp_path: Path) -> Readback:
    return Readback.of_user(tmp_path, forkable=forkable, DATABASE_URL=database_url(tmp_path))


@pytest.fixture
def filled(readback: Readback, tmp_path: Path) -> Readback:
    """A store with three completions; c2 is of another model, c1 has metadata."""
    lines = [
        completion("c1", created=1_700_000_001, model="gpt-x", metadata={"k": "v"}, messages=3),
        completion("c2", created=1_700_000_002, model="gpt-y"),
        completion("c3", created=1_700_000_003, model="gpt-x"),
    ]
    path = jsonl(tmp_path / "filled.jsonl", map(compact, lines))
    assert readback("import", path).status == 0
    return readback


@pytest.mark.parametrize("command", find_commands())
def test_every_command_has_help_with_an_example(readback: Readback, command: str) -> None:
    ended = readback(command, "--help")

    assert ended.status == 0
    assert f"readback {command}" in ended.output.partition("example: ")[2]


def test_an_import_says_what_it_recognised_in_each_file(readback: Readback, tmp_path: Path) -> None:
    example = {"messages": [{"role": "user"}, {"role": "assistant", "content": "Yes."}]}
    first = jsonl(tmp_path / "runs.jsonl", [example, example | {"n": 1}, {"no": "form"}])
    second = jsonl(tmp_path / "whole.jsonl", [completion("c1")])

    ended = readback("import", first, second)

    assert ended.status == 1
    assert ended.errors == f"{first}:3: it has no `messages` list\n"
    assert ended.output == (
        f"{first}: 2 fine-tuning examples\n{second}: 1 completion with messages\n"
        "3 completions loaded, 1 problem.\n"
    )


def test_an_import_takes_standard_input(readback: Readback) -> None:
    ended = readback("import", "-", input=json.dumps(completion("c1")))

    assert (ended.status, ended.errors) == (0, "")
    assert ended.output.startswith("standard input: 1 completion with messages\n")


def test_progress_is_for_terminals(readback: Readback, tmp_path: Path) -> None:
    path = jsonl(tmp_path / "a.jsonl", [completion("c1")])
    with (
        open_terminal() as (shown, device),
        readback.start("import", path, stderr=device) as process,
    ):
        assert "1 completion" in read_until(shown, "completion")
        process.communicate()

    assert process.returncode == 0


def test_an_import_that_is_interrupted_keeps_what_it_stored(
    readback: Readback, tmp_path: Path
) -> None:
    lines = "".join(f"{json.dumps(completion(f'c{at}'))}\n" for at in range(200))
    with (
        open_terminal() as (shown, device),
        readback.start("import", "-", stderr=device) as process,
    ):
        assert process.stdin is not None
        process.stdin.write(lines.encode())
        process.stdin.flush()
        read_until(shown, "200 completions")
        process.send_signal(signal.SIGINT)
        # Closes the input as well: Python may take note of a signal just before it begins to read.
        process.communicate(timeout=PATIENCE)
        said = read_until(shown, "\n")

    assert process.returncode == 130
    assert said.endswith("readback: stopped; what was done before is kept.\r\n")
    assert readback("export").output.count("\n") == 200


def test_an_export_is_what_was_imported(filled: Readback, tmp_path: Path) -> None:
    everything = filled("export")

    assert (everything.status, everything.errors) == (0, "")
    assert everything.output == (tmp_path / "filled.jsonl").read_text()
    assert filled("export", "c3", "c1").output.splitlines() == [
        everything.output.splitlines()[at] for at in (2, 0)
    ]
    assert json.loads(filled("export", "--metadata", "k=v").output)["id"] == "c1"
    assert json.loads(filled("export", "--model", "gpt-y").output)["id"] == "c2"


def test_an_export_has_every_format(filled: Readback, tmp_path: Path) -> None:
    lines = filled("export", "--format", "jsonl", "-o", tmp_path / "examples.jsonl")
    assert lines.output.startswith("3 completions written to ")
    examples = (tmp_path / "examples.jsonl").read_text().splitlines()
    assert all(json.loads(one)["messages"] for one in examples)
    assert filled("export", "--format", "md", "c1").output.startswith("# Completion `c1`\n")
    table = filled("export", "--format", "csv", "c1", "c9")
    assert (table.status, table.errors) == (1, "c9 is not stored\n")
    assert [row.split(",")[0] for row in table.output.splitlines()] == ["\ufeffid", "c1"]
    folder = tmp_path / "files"
    folder.mkdir()
    for form in ("html", "promptfoo"):
        assert filled("export", "--format", form, "-o", folder).status == 0
        assert "into a folder" in filled("export", "--format", form).errors
    assert filled("export", "c1", "c9", "-o", folder).errors == "c9 is not stored\n"
    assert json.loads((folder / "c1.json").read_text())["id"] == "c1"
    assert {one.name for one in folder.iterdir()} == {"c1.json"} | {
        f"c{at}.{extension}" for at in (1, 2, 3) for extension in ("html", "yaml")
    }


def test_an_export_reports_ids_that_are_not_stored(filled: Readback) -> None:
    ended = filled("export", "c1", "c9")

    assert (ended.status, ended.errors) == (1, "c9 is not stored\n")
    assert json.loads(ended.output)["id"] == "c1"


def test_an_exported_file_is_its_owners_and_whole(filled: Readback, tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    path.write_text("before")

    ended = filled("export", "-o", path)

    assert ended.output == f"3 completions written to {path}.\n"
    assert path.read_text() == (tmp_path / "filled.jsonl").read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith(".")] == []


def test_an_export_that_cannot_be_written_is_one_line(filled: Readback, tmp_path: Path) -> None:
    ended = filled("export", "-o", tmp_path / "none" / "out.jsonl")

    assert ended.status == 1
    assert ended.errors.count("\n") == 1
    assert "No such file or directory" in ended.errors


def test_an_export_does_not_follow_a_planted_link(filled: Readback, tmp_path: Path) -> None:
    victim, link, dangling = tmp_path / "victim", tmp_path / "out", tmp_path / "dangling"
    victim.write_text("precious")
    link.symlink_to(victim)
    dangling.symlink_to(tmp_path / "new")
    ended = [filled("export", "-o", path) for path in (link, dangling)]

    assert [one.status for one in ended] == [2, 2]
    assert all("symbolic link" in one.errors for one in ended)
    assert victim.read_text() == "precious"
    assert not (tmp_path / "new").exists()


def test_an_export_can_go_to_standard_output_by_name(filled: Readback) -> None:
    whole = filled("export").output
    assert filled("export", "-o", "/dev/stdout").output == whole
    assert filled("export", "-o", "/dev/fd/1").output == whole
    assert filled("export", "-o", "/dev/null").output == "3 completions written to /dev/null.\n"


def test_a_file_without_a_name_is_refused(filled: Readback) -> None:
    ended = [filled("export", "-o", "", "--format", "md"), filled("import", "")]
    assert [one.status for one in ended] == [2, 2]
    assert all("the name of a file is missing" in one.errors for one in ended)


def test_a_closed_pipe_ends_an_export_quietly(readback: Readback, tmp_path: Path) -> None:
    big = completion("c1", note="x" * 1_000_000)
    readback("import", jsonl(tmp_path / "a.jsonl", [big, big | {"id": "c2"}]))
    with readback.start("export") as process:
        assert process.stdout is not None and process.stderr is not None
        os.read(process.stdout.fileno(), 10)
        process.stdout.close()
        errors = process.stderr.read()
        process.wait()

    assert (process.returncode, errors) == (141, b"")


def test_a_list_has_a_line_for_each_completion_the_newest_first(filled: Readback) -> None:
    lines = filled("list").output.splitlines()

    assert [line.split()[0] for line in lines] == ["c3", "c2", "c1"]
    assert lines[2].split()[1:] == [
        *("2023-11-14", "22:13", "UTC", "gpt-x", "3", "messages", "message", "0"),
    ]
    assert [line.split()[0] for line in filled("list", "--limit", "1").output.splitlines()] == [
        "c3"
    ]
    assert filled("list", "--metadata", "k=v", "--model", "gpt-x").output.count("\n") == 1
    assert filled("list", "--metadata", "k=w").output == ""


def test_a_list_takes_the_words_of_filters_and_an_order(filled: Readback) -> None:
    listed = filled("list", "metadata:k=v model:gpt-x", "messages:>2", "--format", "json")
    [line] = listed.output.splitlines()
    assert json.loads(line)["messages"] == 3
    assert json.loads(line)["question"] == "message 0"
    listed = filled("list", "--sort", "messages", "--reverse", "--limit", "2")
    assert listed.output.count("\n") == 2
    for words, problem in (("tokens:many", "takes a number"), ("bergen", "is no filter")):
        ended = filled("list", words)
        assert (ended.status, problem in ended.errors) == (2, True)


@pytest.mark.parametrize(
    "usage",
    [
        {"prompt_tokens": 5, "completion_tokens": 2**40 - 5, "total_tokens": 2**40},
        {"prompt_tokens": 2**40 - 5, "completion_tokens": 5},
    ],
)
def test_a_list_counts_tokens_exactly(readback: Readback, tmp_path: Path, usage: object) -> None:
    readback("import", jsonl(tmp_path / "a.jsonl", [completion("c1", usage=usage)]))

    listed = readback("list", "--format", "json").output
    assert json.loads(listed)["total_tokens"] == 2**40


def test_other_content_under_a_stored_id_is_reported_or_kept_too(
    readback: Readback, tmp_path: Path
) -> None:
    lines = [completion("c1", model=model) for model in ("first", "second", "third")]
    path = jsonl(tmp_path / "a.jsonl", lines)

    ended = readback("import", path)
    assert ended.status == 1
    assert f"{path}:2: c1 is stored with other content, which was kept" in ended.errors
    assert "2 not loaded: stored with other content" in ended.output
    assert "--keep-both" in ended.output

    ended = readback("import", "--keep-both", path)
    assert (ended.status, ended.errors) == (0, "")
    assert "2 completions loaded, 1 stored already." in ended.output
    kept = [json.loads(line) for line in readback("export").output.splitlines()]
    by_model = {one["model"]: one for one in kept}
    assert by_model["first"]["id"] == "c1"
    assert [by_model[name]["original_id"] for name in ("second", "third")] == ["c1", "c1"]
    new_id = by_model["second"]["id"]
    said = f"{path}:2: c1 is stored with other content; this one is kept as {new_id}\n"
    assert said in ended.output

    ended = readback("import", "--keep-both", path)
    assert "0 completions loaded, 3 stored already." in ended.output


def test_a_list_says_which_answers_broke_off(readback: Readback, tmp_path: Path) -> None:
    lines = [
        completion("c1", created=3, incomplete={"reason": "The stream ended early."}),
        completion("c2", created=2, error={"message": "out of memory"}),
        completion("c3", created=1, incomplete=None),
    ]
    readback("import", jsonl(tmp_path / "a.jsonl", lines))

    marks = ["[broken off]" in line for line in readback("list").output.splitlines()]

    assert marks == [True, True, False]


def test_a_list_goes_on_beyond_a_page(readback: Readback, tmp_path: Path) -> None:
    lines = [completion(f"c{at}", created=at) for at in range(45)]
    readback("import", jsonl(tmp_path / "a.jsonl", lines))

    listed = readback("list", "--limit", "41").output.splitlines()

    assert [line.split()[0] for line in listed] == [f"c{at}" for at in range(44, 3, -1)]


def test_a_list_obeys_nothing_that_stands_in_a_completion(
    readback: Readback, tmp_path: Path
) -> None:
    hostile = completion("c1", model="\x1b[31mred\u202e") | {
        "messages": [{"role": "user", "content": "\x1b]0;title\x07 \ud800 words"}]
    }
    readback("import", jsonl(tmp_path / "a.jsonl", [hostile]))

    output = readback("list", "--limit", "300").output.removesuffix("\n")

    assert output.isprintable()
    assert "words" in output


@pytest.mark.parametrize(
    "arguments",
    [
        ("list", "--metadata", "novalue"),
        ("list", "--limit", "0"),
        ("export", "c1", "--model", "m"),
        ("pull", "--all"),
        ("share", "c1", "--for", "1y"),
        ("share", "c1", "--messages", "9"),
        ("share", "c1", "--messages", "2-1", "--yes"),
        ("revoke",),
        ("nonsense",),
    ],
)
def test_what_makes_no_sense_is_refused(readback: Readback, arguments: tuple[str, ...]) -> None:
    ended = readback(*arguments)

    assert ended.status == 2
    assert "Traceback" not in ended.errors


def test_a_deletion_is_for_good_and_tells_what_was_not_there(filled: Readback) -> None:
    ended = filled("delete", "--yes", "c1", "c9", "c1")

    assert (ended.status, ended.output) == (1, "1 completion deleted.\n")
    assert ended.errors == "c9 is not stored\n"
    assert filled("delete", "c2").status == 0
    assert json.loads(filled("export").output)["id"] == "c3"


def test_commands_are_recorded_as_the_shells(filled: Readback, tmp_path: Path) -> None:
    filled("export", "c1", "c9")
    filled("export")
    for _ in range(3):
        assert filled("share", "c1").status == 0
    first = filled("shares").output.partition(" ")[0]
    filled("revoke", first, first)
    filled("revoke", "--all")
    assert filled("share", "c1").status == 0
    filled("delete", "c1", "c9")

    database = open_later(database_url(tmp_path), SCHEMA)
    entries = Record(database, days=1, now=time.time).list_entries()[::-1]
    database.close()
    assert {(one.name, one.way, one.address) for one in entries} == {("shell", "shell", "")}
    assert [f"{one.event} {one.completion}" for one in entries] == [
        *("export c1", "export None"),
        *["share made c1"] * 3,
        *["share revoked c1"] * 3,
        *("share made c1", "share revoked c1", "delete c1"),
    ]
    assert entries[1].details == {"completions": 3, "form": "json"}
    assert first in [one.details["share"] for one in entries[5:6]]


@pytest.mark.parametrize(
    ("input", "problem"),
    [
        ("correct horse\ncorrect horse\n", ""),
        ("correct horse\r\ncorrect horse\r\n", ""),
        ("correct horse\ncorrect house\n", "The two passwords differ."),
        ("correct horse\n", "The two passwords differ."),
        ("", "The password must have at least 10 characters."),
        ("short\nshort\n", "The password must have at least 10 characters."),
    ],
)
def test_a_password_is_read_from_two_lines(readback: Readback, input: str, problem: str) -> None:
    # Settings that are wrong are no hindrance to making one.
    ended = readback.with_settings(PORT="none")("password", input=input)

    if problem:
        assert (ended.status, ended.output) == (2, "")
        assert ended.errors == f"readback: {problem}\n"
    else:
        assert (ended.status, ended.errors) == (0, "")
        assert check_password(ended.output.removesuffix("\n"), "correct horse")


def test_a_password_is_asked_for_twice_and_not_shown(readback: Readback) -> None:
    with (
        open_terminal() as (shown, device),
        readback.start("password", stdin=device, stderr=device) as process,
    ):
        seen = read_until(shown, "Team password: ")
        os.write(shown, b"correct horse\n")
        seen += read_until(shown, "The same again: ")
        os.write(shown, b"correct horse\n")
        output, _ = process.communicate()

    assert "horse" not in seen
    assert check_password(output.decode().removesuffix("\n"), "correct horse")


def test_a_share_is_made_listed_and_revoked_and_ends_with_its_completion(
    readback: Readback, tmp_path: Path
) -> None:
    one = completion("c1") | {"messages": [{"role": "user", "content": "password: hunter2corvus"}]}
    assert readback("import", jsonl(tmp_path / "one.jsonl", [one])).status == 0

    made = readback("share", "c1", "--views", "2", "--for", "1h", "--base", "https://r.example/x/")
    assert re.fullmatch(r"https://r\.example/x/s/[\w-]{32}\n", made.output)
    assert made.errors.startswith("masked: password at /messages/0/content, 1 time\n")
    assert "hunter2" not in made.output + made.errors
    listed = readback("shares").output
    assert "0 of 2" in listed and "password: [masked: password]" in listed
    share_id = listed.partition(" ")[0]
    assert readback("revoke", share_id).output == "1 share revoked.\n"
    assert (readback("revoke", share_id).status, readback("share", "c9").status) == (1, 2)

    assert readback("share", "c1").status == 0
    assert "is kept" in readback("delete", "c1", "--shares", "keep").output
    assert "  until " in readback("shares").output
    assert "is revoked" in readback("delete", "c1").output
    assert "  until " not in readback("shares").output
    off = readback.with_settings(READBACK_SHARES="0")("share", "c1")
    assert (off.status, "READBACK_SHARES=0" in off.errors) == (2, True)


@pytest.mark.parametrize(
    "settings",
    [{}, {"OPENAI_API_KEY": "sk-of-another-server"}, {"READBACK_API_KEY": "sk-of-this-server"}],
    ids=lambda settings: " ".join(settings) or "as the server",
)
def test_a_deletion_takes_the_images_that_a_server_keeps(
    readback: Readback, tmp_path: Path, settings: dict[str, str]
) -> None:
    parts = [{"type": "image_url", "image_url": {"url": BEACON}}]
    messages = [{"role": "user", "content": parts}]
    two = [completion(one) | {"messages": messages} for one in ("c1", "c2")]
    assert readback("import", jsonl(tmp_path / "two.jsonl", two)).status == 0
    with readback.serve(READBACK_WORKERS="1") as served:
        pages = [served.get(f"/completions/{one}").text for one in ("c1", "c2")]
        images = [re.search(r'src="(/[^"]*/media/[^"]*)"', page) for page in pages]
        first, second = (html.unescape(image[1]) for image in images if image)
        assert [served.get(one).status_code for one in (first, second)] == [200, 200]

        assert readback.with_settings(**settings)("delete", "c1").status == 0
        assert [served.get(one).status_code for one in (first, second)] == [404, 200]
        kept = [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]
        assert len(kept) == 1


@pytest.mark.parametrize(("answer", "left"), [("y\n", 2), ("\n", 3), ("no\n", 3)])
def test_a_deletion_asks_on_a_terminal(filled: Readback, answer: str, left: int) -> None:
    with (
        open_terminal() as (shown, device),
        filled.start("delete", "c1", stdin=device) as process,
    ):
        os.write(shown, answer.encode())
        output, _ = process.communicate()

    assert b"Delete 1 completion? [y/N]" in output
    assert filled("export").output.count("\n") == left


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_every_command_that_is_stopped_says_so(filled: Readback, number: signal.Signals) -> None:
    with (
        open_terminal() as (_, device),
        filled.start("delete", "c1", stdin=device) as process,
    ):
        assert process.stdout is not None
        asked = b""
        while not asked.endswith(b"[y/N] "):
            asked += process.stdout.read(1)
        process.send_signal(number)
        _, said = process.communicate(timeout=PATIENCE)

    assert process.returncode == 130
    assert said.decode().endswith("readback: stopped; what was done before is kept.\n")


HOW_TO_GO_ON = (
    "The import ended early; the rest is not loaded. To go on, repeat the command: what is loaded "
    "stays, and is not loaded twice.\n"
)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_import_that_is_stopped_says_what_is_loaded_and_how_to_go_on(
    readback: Readback, tmp_path: Path, number: signal.Signals
) -> None:
    lines = [f"{json.dumps(completion(f'c{at}'))}\n" for at in range(300)]
    whole = tmp_path / "whole.jsonl"
    whole.write_text("".join(lines))
    with (
        open_terminal() as (shown, device),
        readback.start("import", "-", stderr=device) as process,
    ):
        assert process.stdin is not None
        process.stdin.write("".join(lines[:200]).encode())
        process.stdin.flush()
        read_until(shown, "200 completions")
        process.send_signal(number)
        output, _ = process.communicate(timeout=PATIENCE)
        status = process.returncode

    assert status == 130
    assert output.decode().endswith(f"200 completions loaded.\n{HOW_TO_GO_ON}")
    assert readback("import", whole).output.endswith(
        "100 completions loaded, 200 stored already.\n"
    )


def test_an_import_into_a_full_disk_says_what_is_loaded_and_how_to_go_on(
    readback: Readback, tmp_path: Path
) -> None:
    lines = [completion(f"c{at}", note="x" * 10_000) for at in range(1500)]
    path = jsonl(tmp_path / "large.jsonl", lines)
    try:
        with small_disk(tmp_path / "disk", megabytes=8) as folder:
            small = readback.with_settings(DATABASE_URL=database_url(folder))
            ended = small("import", path)
            listed = len(small("list", "--limit", "2000").output.splitlines())
    except MountRefused as refusal:
        pytest.skip(str(refusal))

    loaded = int(ended.output.splitlines()[-2].split()[0].replace(",", ""))
    assert ended.status == 1
    assert ended.output.endswith(HOW_TO_GO_ON)
    assert ended.errors.endswith("database or disk is full\n")
    assert 0 < loaded < 1500 and loaded == listed


def test_an_import_that_is_refused_says_that_nothing_is_loaded(
    readback: Readback, tmp_path: Path
) -> None:
    nobody = f"postgresql+psycopg://postgres@/none?host={tmp_path}"
    path = jsonl(tmp_path / "a.jsonl", [completion("c1")])
    ended = readback.with_settings(DATABASE_URL=nobody)("import", path)

    assert ended.status == 2
    assert ended.output == f"0 completions loaded.\n{HOW_TO_GO_ON}"
    assert "cannot be opened" in ended.errors


@pytest.mark.parametrize("options", [("-o", "-"), ("--output", "-"), ("-o-",), ("c1", "-o", "-")])
def test_an_export_to_a_dash_is_standard_output(
    filled: Readback, tmp_path: Path, options: tuple[str, ...]
) -> None:
    ended = filled("export", *options)

    assert (ended.status, ended.errors) == (0, "")
    lines = [json.loads(line)["id"] for line in ended.output.splitlines()]
    assert lines == (["c1"] if "c1" in options else ["c1", "c2", "c3"])


def test_a_file_may_be_called_a_dash() -> None:
    assert parse_path("-") == Path("-")
    assert parse_path("./-") == Path.cwd() / "-" != Path("-")
    assert parse_path("a/-") == Path("a/-")


@pytest.mark.parametrize(
    ("command", "run", "said"),
    [
        ("check", run_check, "1 completion: "),
        ("redact", run_redact, "1 document written"),
    ],
)
def test_a_command_reads_a_file_that_is_called_a_dash(
    command: str,
    run: Callable[[argparse.Namespace, Config], int],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    jsonl(tmp_path / "-", [completion("c1")])
    monkeypatch.chdir(tmp_path)

    status = run(build_parser().parse_args([command, "./-"]), Config())

    assert status == 0
    assert said in "".join(capsys.readouterr())
