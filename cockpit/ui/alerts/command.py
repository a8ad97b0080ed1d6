"""`python -m cockpit alerts`: checks a rule file, and replays it over what the warehouse has of the last days."""

import argparse
import sys
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import TextIO

import msgspec

from cockpit.alerts.metrics import PAGES, fitted, infos
from cockpit.alerts.replay import LeftOut, Replayed, replay
from cockpit.alerts.rule_file import read_rules
from cockpit.alerts.rules import Known, RuleFile
from cockpit.alerts.world import Span
from cockpit.config import Config
from cockpit.errors import CallerError
from cockpit.i18n.format import pct
from cockpit.i18n.translate import language_of
from cockpit.ui.experiments.command import reads_of
from cockpit.ui.warehouse import Warehouse
from cockpit.views.alert_words import Cell, Table, Words
from cockpit.views.replay_words import ReplayWords

MOST_DAYS = 90
SHOWN = 20  # episodes of a rule
TENTHS = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    choices = parser.add_subparsers(dest="what", required=True, metavar="what")
    check = choices.add_parser("check", help="say whether a rule file is valid, or all that is wrong with it")
    again = choices.add_parser("replay", help="what would have fired in the last days, and who would have been told")
    again.add_argument("--days", type=int, default=7, help=f"how many, at most {MOST_DAYS} (default %(default)s)")
    again.add_argument("--rule", metavar="ID", help="one rule; all of the file without it")
    for each in (check, again):
        each.add_argument("file", type=Path, metavar="FILE", help="such as data/alerts.toml")
        each.add_argument("--lang", choices=("pt-BR", "en"), default="pt-BR", help="of the words")


def printed(args: argparse.Namespace, config: Config, now: datetime) -> str:
    """The text. BadRules for a file that is not valid, WarehouseUnreachable without an answer."""
    file = _read(args.file)
    words = ReplayWords(Words(language_of(args.lang), config.zone, now))
    if args.what == "check":
        counts = {"rules": len(file.rules), "receivers": len(file.receivers)}
        return f"{words.say('checked', file=args.file, **counts)}\n"
    return "\n".join(_replayed(_chosen(file, args.rule), _span(args.days, now), words, config)) + "\n"


def _read(path: Path) -> RuleFile:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CallerError(f"cannot read {path}: {getattr(error, 'strerror', None) or 'it is no UTF-8'}") from error
    return fitted(read_rules(text, str(path), Known(infos(), PAGES)))


def _chosen(file: RuleFile, rule_id: str | None) -> RuleFile:
    if rule_id is None:
        return file
    if rule_id not in file.by_id:
        raise CallerError(f"there is no rule {rule_id!r}; there are {', '.join(file.by_id)}")
    return msgspec.structs.replace(file, rules=(file.by_id[rule_id],))


def _span(days: int, now: datetime) -> Span:
    if not 1 <= days <= MOST_DAYS:
        raise CallerError(f"--days {days}: 1 to {MOST_DAYS} can be replayed")
    end = now.replace(second=0, microsecond=0)
    return Span(end - timedelta(days=days), end)


def _replayed(file: RuleFile, span: Span, words: ReplayWords, config: Config) -> Iterator[str]:
    heard = _bar(sys.stderr, words, (span.end - span.start).days)
    found = replay(file, span, reads_of(Warehouse.of(config)), config.zone, heard)
    for each in found.rules:
        yield from _rule(each, span, words)
    for left in found.left_out:
        yield f"{_name(left, words)}\n  {words.say('left_out', cause=words.cause(left.cause))}\n"
    yield words.summary(found)


def _rule(found: Replayed, span: Span, words: ReplayWords) -> Iterator[str]:
    yield _name(found, words)
    yield f"  {words.sentence(found, span.end)}"
    yield from (f"  {note}" for note in words.notes(found, span.start))
    if found.episodes:
        yield from _grid(words.episodes(found, span.end))
    if (more := len(found.episodes) - SHOWN) > 0:
        yield f"  {words.say('more', count=more)}"
    yield ""


def _name(about: Replayed | LeftOut, words: ReplayWords) -> str:
    return f"{about.rule.id} · {words.words.rule(about.rule)}"


def _grid(table: Table) -> Iterator[str]:
    """Columns as wide as what is in them."""
    rows = [table.head, *(tuple(map(_text, row)) for row in table.rows[:SHOWN])]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in (rows[0], tuple("-" * width for width in widths), *rows[1:]):
        yield "  " + "  ".join(f"{text:<{width}}" for text, width in zip(row, widths, strict=True)).rstrip()


def _text(cell: Cell) -> str:
    return f"{cell.text} ({', '.join(cell.lines)})" if cell.lines else cell.text


def _bar(stream: TextIO, words: ReplayWords, days: int) -> Callable[[float], None]:
    """Says how far it is: in place on a terminal, else every tenth in a line."""
    said = -1

    def hear(share: float) -> None:
        nonlocal said
        text = words.say("running", days=days, share=pct(share, words.words.language, 0))
        if stream.isatty():
            stream.write(f"\r{text}" + ("\n" if share == 1 else ""))
        elif (tenth := int(share * TENTHS)) > said:
            said = tenth
            stream.write(f"{text}\n")
        stream.flush()

    return hear
