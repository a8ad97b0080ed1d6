"""One experiment version: the verdict first, then the figures, then who was exposed, then what was decided."""

from collections.abc import Sequence
from datetime import datetime

import plotly.graph_objects as go
import streamlit as st

from cockpit.experiments.breakdown import Breakdown
from cockpit.experiments.lifecycle import Status
from cockpit.experiments.metrics import METRICS
from cockpit.experiments.report import Result
from cockpit.ui import theme
from cockpit.ui.experiments import charts, commands, frame, listing, markup
from cockpit.ui.experiments.document import document, headlines
from cockpit.ui.language import language, translate
from cockpit.views import experiment_tables as tables
from cockpit.views.experiment_tables import Table
from cockpit.views.experiment_words import Words
from cockpit.views.experiments import Detail


def draw(detail: Detail, words: Words, now: datetime) -> None:
    _head(detail, words, now)
    if not detail.report.exposure.exposed:
        frame.nobody_yet(is_draft=detail.report.standing.status == Status.DRAFT)
    else:
        _figures(detail, words)
    _plan(detail, words)
    commands.draw(detail, words)
    st.caption(f"{words.say('method_note')} {words.until(now)}.")


def choose_metric(words: Words, default: str | None) -> str | None:
    """The metric of the curve and the segments, kept in the URL; None: the primary one."""
    key = f"metric_{language()}"
    st.session_state.setdefault(key, default if default in METRICS else None)

    def remember() -> None:
        if st.session_state[key] is None:
            st.query_params.pop("metric", None)
        else:
            st.query_params["metric"] = st.session_state[key]

    chosen: str | None = st.selectbox(
        translate("experiments.metric"),
        list(METRICS),
        index=None,
        format_func=words.metric,
        key=key,
        on_change=remember,
        placeholder=translate("experiments.plan.primary"),
        label_visibility="collapsed",
        width=260,
    )
    return chosen


def _head(detail: Detail, words: Words, now: datetime) -> None:
    report, standing = detail.report, detail.report.standing
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        frame.back()
        st.space("stretch")
        listing.badges(report, words)
        st.download_button(
            translate("experiments.download"),
            lambda: document(detail, words, now),
            f"{standing.experiment_id}-{standing.version}.html",
            "text/html",
            on_click="ignore",
            icon=":material/download:",
        )
    title = f"{standing.experiment_id} · {words.say('version', version=standing.version)}"
    st.header(frame.plain(title), anchor=False)
    if standing.registration is None:
        st.warning(translate("experiments.unregistered"), icon=":material/warning:")


def _figures(detail: Detail, words: Words) -> None:
    report, style = detail.report, charts.Style(words, theme.palette())
    st.html(markup.section(headlines(words, report), markup.facts(tables.standing_facts(words, report))))
    registered = tables.registered(report)
    left, right = st.columns(2, gap="medium")
    with left:
        _titled(words, "forest", words.say("forest_sub"))
        _chart(charts.forest(style, registered, report.plan.target), "forest", _said(words, registered))
        if absent := [words.metric(one.metric.id) for one in registered if one.comparison.percent is None]:
            st.caption(words.say("forest_left_out", metrics=", ".join(dict.fromkeys(absent))))
    with right:
        _titled(words, "curve", words.say("curve_sub", metric=words.metric(detail.metric)))
        last = [one for one in report.results if one.metric.id == detail.metric]
        _chart(charts.curve(style, report, detail.steps), "curve", _said(words, last))
    _table(words, "results", tables.results(words, registered, report))
    if report.guardrails:
        _table(words, "guardrails", tables.guardrails(words, report.guardrails))
    _program(detail, words, style)
    _people(detail, words, style)
    with st.expander(translate("experiments.others")):
        st.html(markup.section(markup.table(tables.results(words, tables.others(report), report))))


def _program(detail: Detail, words: Words, style: charts.Style) -> None:
    """Of the global control only: what all personalization brings, week by week."""
    if not detail.weeks:
        return
    left, right = st.columns(2, gap="medium")
    text = "; ".join(" ".join(cell.text for cell in row[:2]) for row in tables.weeks(words, detail.weeks).rows)
    with left:
        _titled(words, "weeks", words.say("weeks_sub"))
        _chart(charts.weekly(style, detail.weeks), "weekly", text)
    with right:
        _titled(words, "program", words.say("so_far_sub"))
        _chart(charts.cumulated(style, detail.weeks), "cumulated", text)
    with st.expander(translate("experiments.table")):
        st.html(markup.section(markup.table(tables.weeks(words, detail.weeks))))
    _table(words, "since_start", tables.results(words, tables.since_start(detail.report), detail.report))


def _people(detail: Detail, words: Words, style: charts.Style) -> None:
    report = detail.report
    left, right = st.columns(2, gap="medium")
    with left:
        _breakdown(words, "segments", report.segments, detail.metric)
        _breakdown(words, "channels", report.channels, detail.metric)
    with right:
        _titled(words, "exposure", words.say("exposure_sub"))
        figure = charts.enrolment(style, list(report.exposure.counts), detail.looks, detail.plans)
        _chart(figure, "enrolment", tables.standing_facts(words, report)[1].more)
        if any(report.repurchase.values()):
            _titled(words, "repurchase", words.say("repurchase_sub"))
            last = {name: points[-1] for name, points in report.repurchase.items() if points}
            text = "; ".join(f"{name}: {words.share(point.share)}" for name, point in last.items())
            _chart(charts.repurchase(style, report.repurchase), "repurchase", text)
    if report.epochs:
        _table(words, "bandit", tables.epochs(words, report.epochs))


def _breakdown(words: Words, key: str, found: Sequence[Breakdown], metric: str) -> None:
    """Of the metric that was chosen, if it is registered; else of the primary one."""
    chosen = next((one for one in found if one.metric.id == metric), next(iter(found), None))
    if chosen is not None:
        _titled(words, key, words.metric(chosen.metric.id))
        st.html(markup.section(markup.table(tables.breakdown(words, chosen))))


def _plan(detail: Detail, words: Words) -> None:
    left, right = st.columns(2, gap="medium")
    if facts := tables.plan_facts(words, detail.report):
        with left:
            _titled(words, "plan_title")
            st.html(markup.section(markup.plain(facts)))
    with right:
        _titled(words, "decisions")
        if detail.decisions:
            st.html(markup.section(markup.table(tables.decisions(words, detail.decisions))))
        else:
            st.caption(words.say("no_decisions"))


def _titled(words: Words, key: str, sub: str = "") -> None:
    st.subheader(words.say(key), anchor=False)
    if sub:
        st.caption(sub)


def _table(words: Words, key: str, table: Table) -> None:
    _titled(words, key)
    st.html(markup.section(markup.table(table)))


def _said(words: Words, results: Sequence[Result]) -> str:
    """A figure's content, for those who do not see it."""
    rows = [(one, *words.estimate(one.comparison)) for one in results]
    return "; ".join(f"{words.metric(one.metric.id)}: {estimate} ({interval})" for one, estimate, interval in rows)


def _chart(figure: go.Figure, key: str, alt: str) -> None:
    st.plotly_chart(figure, key=f"experiments_{key}", theme=None, config=charts.CONFIG, alt=alt)
