"""`readback share`, `shares` and `revoke`: share transcripts of the embedded server's store."""

from __future__ import annotations

import argparse
import getpass
import re
import sys
from typing import Final

from webapp.access import SHELL, Event
from webapp.cli.commands import Commands, add_command, parse_count
from webapp.cli.deleting import confirm
from webapp.cli.stores import open_shares, open_store
from webapp.cli.terminal import print_line, strip_controls
from webapp.config import Config
from webapp.embedded.store.originals import iter_original_json
from webapp.exact_json import Object, parse
from webapp.formatting import count, moment
from webapp.shares import ShareChoices, Terms, make_snapshot

_UNITS: Final = {"h": 3600, "d": 86400}


def add_parser(commands: Commands) -> None:
    _add_share(commands)
    shares = add_command(
        commands,
        "shares",
        run_shares,
        description="Lists shares, the newest first: id, state, views, completion, title.",
        example="readback shares",
    )
    shares.add_argument("--completion", default="", metavar="ID", help="only those of this one")
    revoke = add_command(
        commands,
        "revoke",
        run_revoke,
        description="Ends shares at once and deletes their copies. The exit status is 1 if an ID "
        "is not that of an open share.",
        example="readback revoke 4f1c09d2aa31be07",
    )
    revoke.add_argument(
        "ids", nargs="*", metavar="ID", help="ids of shares, from `readback shares`"
    )
    revoke.add_argument("--completion", metavar="ID", help="all shares of this completion")
    revoke.add_argument("--all", action="store_true", help="every share")


def _add_share(commands: Commands) -> None:
    share = add_command(
        commands,
        "share",
        run_share,
        description="Makes a frozen copy of a completion of the embedded server, in which secrets "
        "and personal data are masked, and prints the link to it. Lists what is masked, and asks "
        "on a terminal.",
        example="readback share chatcmpl-9Xk2fA --calls --for 1d",
    )
    share.add_argument("id", metavar="ID", help="a completion")
    share.add_argument(
        "--messages",
        type=_parse_range,
        default=(1, None),
        metavar="FROM-TO",
        help="such as 3-20 or 3- (default: all)",
    )
    share.add_argument("--without-answer", action="store_true", help="leave out the answer")
    share.add_argument("--calls", action="store_true", help="share tool calls and results")
    share.add_argument("--system", action="store_true", help="share system messages")
    share.add_argument("--settings", action="store_true", help="share metadata and settings")
    share.add_argument(
        "--mask", action="append", default=[], metavar="WORD", help="mask this word as well"
    )
    share.add_argument(
        "--for",
        dest="seconds",
        type=_parse_duration,
        default=7 * 86400,
        metavar="TIME",
        help="such as 1h or 30d (default: 7d)",
    )
    share.add_argument("--views", type=parse_count, metavar="N", help="a limit of views")
    share.add_argument("--passphrase", action="store_true", help="ask for a passphrase")
    share.add_argument("--name", default="", help="your name, as the reader sees it")
    share.add_argument("--yes", action="store_true", help="do not ask")
    share.add_argument("--base", metavar="URL", help="the address of Readback in the link")


def run_share(options: argparse.Namespace, config: Config) -> int:
    _check_policy(options, config)
    with open_store(config) as store, store.connect() as connection:
        text = "".join(iter_original_json(connection, options.id))
    if not text:
        raise ValueError(f"{options.id} is not stored")
    completion = parse(text)
    assert isinstance(completion, Object)
    first, last = options.messages
    made = make_snapshot(
        completion,
        completion.items("messages") or (),
        ShareChoices(
            first=first,
            last=last,
            answer=not options.without_answer,
            calls=options.calls,
            system=options.system,
            settings=options.settings,
        ),
        words=options.mask,
    )
    for finding in made.findings:
        place = f"{finding.path}, {count(finding.count, 'time')}"
        print_line(f"masked: {finding.kind} at {place}", file=sys.stderr)
    print_line(f"left out: {made.omitted or 'nothing'}", file=sys.stderr)
    if not options.yes and not confirm("Make the link?"):
        print_line("Nothing was shared.", file=sys.stderr)
        return 1
    passphrase = _ask_passphrase() if options.passphrase else None
    with open_shares(config) as (shares, record):
        share_id = shares.add_draft(SHELL.identity, options.id, made)
        terms = Terms(
            maker=options.name,
            seconds=options.seconds,
            view_limit=options.views,
            passphrase=passphrase,
        )
        token = shares.publish(share_id, terms)
        record.add(Event.SHARE_MADE, SHELL, completion=options.id, share=share_id)
    host = f"[{config.host}]" if ":" in config.host else config.host
    base = options.base or f"http://{host}:{config.port}{config.prefix}"
    # Not by `print_line`, which would mask the token.
    print(strip_controls(f"{base.rstrip('/')}/s/{token}"), flush=True)
    return 0


def _check_policy(options: argparse.Namespace, config: Config) -> None:
    """Raise `ValueError` if the settings do not allow the share."""
    if not config.allows_shares:
        raise ValueError("sharing is turned off (READBACK_SHARES=0)")
    if options.seconds > config.share_days * 86400:
        raise ValueError(f"a share lasts at most {config.share_days} days (READBACK_SHARE_DAYS)")
    if config.shares_need_passphrase and not options.passphrase:
        raise ValueError("every share needs --passphrase (READBACK_SHARE_PASSPHRASE)")


def run_shares(options: argparse.Namespace, config: Config) -> int:
    with open_shares(config) as (shares, _):
        now = shares.now()
        for share in shares.list_shares(completion=options.completion):
            if share.revoked is not None:
                state = "revoked"
            elif share.expires <= now:
                state = "expired"
            else:
                state = "used up" if share.is_used_up else f"until {moment(share.expires)}"
            views = f"{share.views} of {share.view_limit or 'any'}"
            views = views if share.is_counted else "not counted"
            print_line(
                f"{share.id}  {state:<26}  {views:<12}  {share.completion:<38}  {share.title}"
            )
    return 0


def run_revoke(options: argparse.Namespace, config: Config) -> int:
    if sum(map(bool, (options.ids, options.completion, options.all))) != 1:
        raise ValueError("revoke takes either IDs, --completion or --all")
    unknown, revoked = [], []
    with open_shares(config) as (shares, record):
        if options.ids:
            for share_id in options.ids:
                share = shares.find(share_id)
                if share is not None and shares.revoke(share_id):
                    revoked.append(share)
                else:
                    unknown.append(share_id)
        else:
            revoked = shares.revoke_all(completion=options.completion or "")
        for share in revoked:
            record.add(Event.SHARE_REVOKED, SHELL, completion=share.completion, share=share.id)
    for share_id in unknown:
        print_line(f"{share_id} is not an open share", file=sys.stderr)
    print_line(f"{count(len(revoked), 'share')} revoked.")
    return 1 if unknown else 0


def _ask_passphrase() -> str:
    if not sys.stdin.isatty():
        passphrase = sys.stdin.readline().rstrip("\r\n")
    else:
        passphrase = getpass.getpass("Passphrase: ")
        if passphrase != getpass.getpass("Again: "):
            raise ValueError("the two passphrases differ")
    if not passphrase:
        raise ValueError("a passphrase is needed")
    return passphrase


def _parse_range(text: str) -> tuple[int, int | None]:
    match = re.fullmatch(r"([1-9][0-9]{0,6})-([1-9][0-9]{0,6})?", text)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no range such as 3-20 or 3-")
    first, last = int(match[1]), int(match[2]) if match[2] else None
    if last is not None and last < first:
        raise argparse.ArgumentTypeError(f"{text!r} ends before it begins")
    return first, last


def _parse_duration(text: str) -> int:
    match = re.fullmatch(r"([1-9][0-9]{0,4})([hd])", text)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no time such as 1h or 30d")
    return int(match[1]) * _UNITS[match[2]]
