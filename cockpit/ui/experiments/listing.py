"""Every experiment: the running ones first, each with its state, its verdict and what may be doubted about it."""

from collections.abc import Sequence

import streamlit as st

from cockpit.experiments.lifecycle import Status
from cockpit.experiments.report import Report, Result
from cockpit.ui.experiments import markup
from cockpit.ui.experiments.frame import none_yet, plain
from cockpit.ui.language import translate
from cockpit.ui.navigation import page
from cockpit.views.experiment_tables import Fact
from cockpit.views.experiment_words import GLYPHS, Words

NARROWEST_PX = 440  # of a card, where the screen is wider


def draw(reports: Sequence[Report], words: Words) -> None:
    if not reports:
        none_yet()
    past = [one for one in reports if one.standing.status in (Status.STOPPED, Status.CONCLUDED)]
    for title, chosen in (("running", [one for one in reports if one not in past]), ("past", past)):
        if chosen:
            st.subheader(translate(f"experiments.{title}"), anchor=False)
            grid = st.grid("auto", min_column_width=NARROWEST_PX, gap="small")
            for report in chosen:
                with grid.container(border=True, gap="small", height="stretch"):
                    _card(report, words)


def _card(report: Report, words: Words) -> None:
    standing = report.standing
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        name = words.say("name_and_version", name=plain(standing.experiment_id), version=plain(standing.version))
        asked = {"lang": words.language, "experiment": standing.experiment_id, "version": standing.version}
        st.page_link(page("experiments"), label=f"**{name}**", query_params=asked, icon=":material/science:")
        st.caption(plain(words.use_case(standing.use_case)), width="content")
        st.space("stretch")
        badges(report, words)
    learned = (("decision", standing.decision), ("learning", standing.learning))
    facts = [Fact(words.say(key), text) for key, text in learned if text]
    lines = [_line(report, result, words) for result in report.headlines]
    st.html(markup.section(*lines, markup.plain(facts) if facts else ""))


def badges(report: Report, words: Words) -> None:
    """State, and the doubts: sample ratio, contamination."""
    exposure = report.exposure
    st.badge(words.say(f"status.{report.standing.status}"), color="blue")
    if exposure.sample_ratio is not None and exposure.exposed:
        if exposure.sample_ratio.is_broken:
            st.badge(f"{GLYPHS['warn']} SRM", color="orange")
        else:
            st.badge(f"{GLYPHS['good']} SRM", color="green")
    if exposure.contaminated:
        share = words.share(exposure.contaminated_share)
        st.badge(f"{GLYPHS['warn']} {words.say('contaminated')} {share}", color="orange")


def _line(report: Report, result: Result, words: Words) -> str:
    """The verdict and the primary metric; in place of an uplift that may not be shown stands the reason."""
    word, tone = words.verdict(result.judged)
    reasons = "; ".join(words.reasons(report, result))
    reasons = f"{reasons[:1].upper()}{reasons[1:]}"
    estimate, interval = words.estimate(result.comparison)
    exposed = words.say("list_fact", days=words.days(report.days), exposed=words.count(report.exposure.exposed))
    shown = reasons or f"{words.metric(result.metric.id)}: {estimate} ({words.say('ci', interval=interval)})"
    name = f"{words.variant(result.treatment)} · " if len(report.headlines) > 1 else ""
    return markup.headline(f"{name}{word}", tone, shown, exposed)
