"""`python -m cockpit experiment`: the list and the report of the screens, as text and as a file."""

import argparse
import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

import polars as pl

from cockpit.config import Config
from cockpit.errors import CallerError
from cockpit.experiments.report import Report
from cockpit.i18n.translate import language_of
from cockpit.ui.experiments.document import document
from cockpit.ui.warehouse import Warehouse
from cockpit.views import experiment_tables as tables
from cockpit.views.experiment_tables import Fact, Table
from cockpit.views.experiment_words import Words
from cockpit.views.experiments import Asked, Detail, detailed, listed
from cockpit.views.reads import Reads


def add_arguments(parser: argparse.ArgumentParser) -> None:
    choices = parser.add_subparsers(dest="what", required=True, metavar="what")
    report = choices.add_parser("report", help="one version: verdict, metrics, guardrails, segments, decisions")
    report.add_argument("id", help="the experiment, such as cart")
    report.add_argument("--version", help="the one that began last without it")
    report.add_argument("--html", type=Path, metavar="FILE", help="write it there as one file too, with its figures")
    every = choices.add_parser("list", help="every version: state, verdict, uplift")
    for each in (report, every):
        each.add_argument("--lang", choices=("pt-BR", "en"), default="pt-BR", help="of the words")


def printed(args: argparse.Namespace, config: Config, now: datetime) -> str:
    """The text. CallerError for an experiment that is not there, WarehouseUnreachable without an answer."""
    words = Words(language_of(args.lang), config.zone)
    reads = reads_of(Warehouse.of(config))
    if args.what == "list":
        return as_list(listed(reads, now), words)
    detail = detailed(reads, Asked(args.id, args.version), now, config.zone)
    if detail is None:
        raise CallerError(words.say("unknown", name=repr(args.id)))
    text = as_text(detail, words)
    if args.html is None:
        return text
    _write(args.html, document(detail, words, now))
    return f"{text}\n{words.say('cli.written', file=args.html)}\n"


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CallerError(f"cannot write {file}: {error.strerror}") from error


def reads_of(warehouse: Warehouse) -> Reads:
    def read(name: str, **params: object) -> pl.DataFrame:
        return warehouse.read(name, json.loads(json.dumps(params, default=str)), "reader")

    return read


def as_list(reports: Iterable[Report], words: Words) -> str:
    lines = [line for report in reports for line in _headed(report, words)]
    return "\n".join(lines or [words.say("cli.none")]) + "\n"


def as_text(detail: Detail, words: Words) -> str:
    report = detail.report
    parts = ["\n".join(_headed(report, words))]
    parts += [_facts(tables.standing_facts(words, report))]
    parts += [_facts(tables.worth_facts(words, report, one.treatment)) for one in report.headlines]
    parts += [_table(words.say("results"), tables.results(words, tables.registered(report), report))]
    if report.guardrails:
        parts.append(_table(words.say("guardrails"), tables.guardrails(words, report.guardrails)))
    parts += [_table(words.say("segments"), tables.breakdown(words, found)) for found in report.segments[:1]]
    if report.epochs:
        parts.append(_table(words.say("bandit"), tables.epochs(words, report.epochs)))
    if detail.weeks:
        parts.append(_table(words.say("weeks"), tables.weeks(words, detail.weeks)))
    parts.append(_table(words.say("others"), tables.results(words, tables.others(report), report)))
    return "\n\n".join(parts) + f"\n\n{words.say('method_note')}\n"


def _headed(report: Report, words: Words) -> list[str]:
    standing = report.standing
    name = {
        "name": standing.experiment_id,
        "version": standing.version,
        "status": words.say(f"status.{standing.status}"),
    }
    said = [f"  {words.verdict(one.judged)[0]}. {words.headline(report, one)}" for one in report.headlines]
    return [words.say("cli.about", **name), *said]


def _facts(facts: Sequence[Fact]) -> str:
    width = max(len(fact.label) for fact in facts)
    lines = []
    for fact in facts:
        lines.append(f"{fact.label:<{width}}  {fact.value}")
        lines += [f"{'':<{width}}  {line}" for line in fact.more.splitlines()]
    return "\n".join(lines)


def _table(title: str, table: Table) -> str:
    """Columns as wide as what is in them; the smaller line of a cell stands below it."""
    rows = [row for each in table.rows for row in ([cell.text for cell in each], [cell.more for cell in each])]
    grid = [list(table.head), *(row for row in rows if any(row))]
    widths = [max(map(len, column)) for column in zip(*grid, strict=True)]
    lines = ["  ".join(f"{text:<{width}}" for text, width in zip(row, widths, strict=True)).rstrip() for row in grid]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join([title, *lines, *table.notes])
