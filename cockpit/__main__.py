"""What the screens say, on the command line: metrics, experiments, alerts.

The processes are `python -m ingest`.
"""

import argparse
import os
import sys
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from cockpit.alerts.rule_file import BadRules
from cockpit.clock import system_clock
from cockpit.config import from_environ
from cockpit.errors import CockpitError
from cockpit.i18n.translate import language_of
from cockpit.kpis.registry import GROUPS, KPIS, kpi_of
from cockpit.ui import annotate
from cockpit.ui.alerts import command as alerts
from cockpit.ui.experiments import command as experiment
from cockpit.views.definitions import Entry, Section, entry_of, metrics

SUMMARY = "print every metric: formula, unit, window, denominator, minimum sample, events, screens"
OF_ALERTS = "check a rule file, or replay it over the last days: what would have fired, who would have been told"
OF_ANNOTATIONS = "note a change in the business, such as a deploy: an alert that begins soon after names it"
OF_EXPERIMENTS = "print the experiments, or the report on one, as the warehouse knows them now"


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m cockpit", description=__doc__)
    choices = parser.add_subparsers(dest="command", required=True, metavar="command")
    _add_arguments(choices.add_parser("metrics", help=SUMMARY, description=SUMMARY))
    experiment.add_arguments(choices.add_parser("experiment", help=OF_EXPERIMENTS, description=OF_EXPERIMENTS))
    alerts.add_arguments(choices.add_parser("alerts", help=OF_ALERTS, description=OF_ALERTS))
    annotate.add_arguments(choices.add_parser("annotate", help=OF_ANNOTATIONS, description=OF_ANNOTATIONS))
    args = parser.parse_args(argv)
    try:
        sys.stdout.write(said(args))
    except CockpitError as error:
        sys.stderr.write(f"{parser.prog} {args.command}: {error}\n")
        return 2 if isinstance(error, BadRules) else 1
    return 0


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    shape = parser.add_mutually_exclusive_group()
    shape.add_argument("--json", action="store_true", help="for programs: codes, not words")
    shape.add_argument("--markdown", action="store_true", help="as docs/kpis.md")
    parser.add_argument("--lang", choices=("pt-BR", "en"), default="pt-BR", help="of names and definitions")
    parser.add_argument("id", nargs="?", help="one metric, such as aov; all without it")


def said(args: argparse.Namespace) -> str:
    if args.command == "metrics":
        return printed(args)
    if args.command == "annotate":
        return annotate.printed(args, from_environ(os.environ))
    if args.command == "alerts":
        return alerts.printed(args, from_environ(os.environ), system_clock())
    return experiment.printed(args, from_environ(os.environ), system_clock())


def printed(args: argparse.Namespace) -> str:
    """CallerError for an id that is none."""
    language = language_of(args.lang)
    chosen = [kpi_of(args.id).id] if args.id else list(KPIS)
    if args.json:
        records = [record(kpi_id, language) for kpi_id in chosen]
        return msgspec.json.format(msgspec.json.encode(records[0] if args.id else records)).decode() + "\n"
    if args.id:
        sections: tuple[Section, ...] = (Section("", (entry_of(kpi_of(args.id), language),)),)
    else:
        sections = metrics(language).sections
    return as_markdown(sections) if args.markdown else as_text(sections)


def record(kpi_id: str, language: str) -> Mapping[str, Any]:
    """A KPI as plain values. A formula has its symbols and the measures it takes."""
    kpi = kpi_of(kpi_id)
    entry = entry_of(kpi, language)
    group = next(group for group, kpis in GROUPS.items() if kpi in kpis)
    fields: dict[str, Any] = msgspec.to_builtins(kpi)
    formula = {"symbols": kpi.formula.symbols(), "measures": list(kpi.formula.columns())}
    words = {"name": entry.name, "definition": entry.definition}
    return {"id": kpi.id, "group": group, **words, **fields, "formula": formula}


def as_text(sections: Iterable[Section]) -> str:
    return "".join(_title(section) + "".join(_text(entry) for entry in section.entries) for section in sections)


def _title(section: Section) -> str:
    return f"{section.title}\n{'=' * len(section.title)}\n\n" if section.title else ""


def _text(entry: Entry) -> str:
    width = max(len(fact.label) for fact in entry.facts)
    facts = "".join(f"  {fact.label:<{width}}  {fact.text}\n" for fact in entry.facts)
    warning = f"  ! {entry.warning}\n" if entry.warning else ""
    return f"{entry.id}: {entry.name}\n  {entry.definition}\n{warning}{facts}\n"


MARKDOWN_HEAD = """# KPIs

Every number on the screens. Written by `python -m cockpit metrics --markdown --lang en`, and a test compares them: do
not edit this file but `cockpit/kpis/defined/` and `cockpit/i18n/`.

A KPI is a formula on sums of measures: add the measures up first, a rate is never a mean of rates. An empty denominator
is unknown, shown as a dash. A number below its minimum sample is grey, and a group of fewer than 20 profiles is not
shown.
Codes of the screens: E executive, T tactical, O operational, P experiments, A alerts, G governance, X all.

"""


def as_markdown(sections: Iterable[Section]) -> str:
    body = "".join(
        (f"## {section.title}\n\n" if section.title else "") + "".join(_markdown(entry) for entry in section.entries)
        for section in sections
    )
    return MARKDOWN_HEAD + body.rstrip("\n") + "\n"


def _markdown(entry: Entry) -> str:
    facts = "".join(f"- {fact.label}: {f'`{fact.text}`' if fact.is_code else fact.text}\n" for fact in entry.facts)
    warning = f"**{entry.warning}**\n\n" if entry.warning else ""
    return f"### `{entry.id}`\n{entry.name}. {entry.definition}\n\n{warning}{facts}\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
