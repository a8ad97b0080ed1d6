"""The report as one HTML file: words, tables and figures, plotly.js inside. It loads nothing and sends nothing."""

from collections.abc import Iterator
from datetime import datetime
from html import escape

import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from cockpit.experiments.report import Report, Result, Role
from cockpit.i18n.translate import LANGUAGES
from cockpit.ui.experiments import charts, markup
from cockpit.ui.palette import LIGHT
from cockpit.views import experiment_tables as tables
from cockpit.views.experiment_words import Words
from cockpit.views.experiments import Detail

PAGE = """
body { margin: 0 auto; padding: 1.5rem; max-width: 75rem; background: #FFFFFF; color: #16202B;
  font: 14px/1.45 Inter, 'Segoe UI', Roboto, Arial, sans-serif; }
h1 { font-size: 1.5rem; margin: 0 0 0.25rem; } h2 { font-size: 1.125rem; margin: 2rem 0 0.5rem; }
"""
LOCALES = dict(zip(LANGUAGES, ("pt-BR", "en"), strict=True))


def document(detail: Detail, words: Words, now: datetime) -> str:
    """Readable without Cockpit, in a light look."""
    report = detail.report
    title = f"{report.standing.experiment_id} · {words.say('version', version=report.standing.version)}"
    body = "".join(f"<section><h2>{escape(name)}</h2>{part}</section>" for name, part in _sections(detail, words))
    notes = f"{words.say('method_note')} {words.until(now)}."
    return (
        f'<!doctype html><html lang="{LOCALES[words.language]}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{escape(title)}</title>'
        f"<style>{PAGE}{markup.style(LIGHT)}{markup.RULES}</style><script>{get_plotlyjs()}</script></head>"
        f'<body><div class="ck-exp"><h1>{escape(title)}</h1><small>{escape(notes)}</small>'
        f"{headlines(words, report)}{body}</div></body></html>"
    )


def headlines(words: Words, report: Report) -> str:
    """The verdict on the primary metric of each treatment, above the figures."""
    return "".join(_headline(words, report, result) for result in report.headlines)


def _headline(words: Words, report: Report, result: Result) -> str:
    word, tone = words.verdict(result.judged)
    sample = result.comparison.sample_of_plan
    bar = "" if sample is None else markup.progress(words.say("sample_of_plan", share=words.share(sample)), sample)
    facts = markup.facts(tables.worth_facts(words, report, result.treatment))
    return bar + markup.headline(word, tone, words.headline(report, result)) + facts


def _sections(detail: Detail, words: Words) -> Iterator[tuple[str, str]]:
    """Title and HTML of each part that has anything to say."""
    report, style, say = detail.report, charts.Style(words, LIGHT), words.say
    registered = tables.registered(report)
    yield say("exposure"), markup.facts(tables.standing_facts(words, report))
    yield say("forest"), _drawn(charts.forest(style, registered, report.plan.target))
    yield say("results"), markup.table(tables.results(words, registered, report))
    yield say("curve"), _drawn(charts.curve(style, report, detail.steps))
    if report.guardrails:
        yield say("guardrails"), markup.table(tables.guardrails(words, report.guardrails))
    primary = [one for one in report.segments if one.metric.id == report.plan.primary]
    for found in primary:
        yield say("segments"), markup.table(tables.breakdown(words, found))
    if report.epochs:
        yield say("bandit"), markup.table(tables.epochs(words, report.epochs))
    if detail.weeks:
        yield say("weeks"), _drawn(charts.weekly(style, detail.weeks)) + markup.table(tables.weeks(words, detail.weeks))
    if any(one.role is Role.OTHER for one in report.results):
        yield say("others"), markup.table(tables.results(words, tables.others(report), report))
    yield say("plan_title"), markup.plain(tables.plan_facts(words, report))
    yield say("decisions"), markup.table(tables.decisions(words, detail.decisions))


def _drawn(figure: go.Figure) -> str:
    drawn: str = figure.to_html(full_html=False, include_plotlyjs=False, config=charts.CONFIG)
    return drawn
