"""A rule tried on the last days, with another limit and another `for`, before it is written into the file."""

from datetime import UTC, datetime, timedelta

import msgspec
import streamlit as st

from cockpit.alerts.film import PIECES
from cockpit.alerts.messages import span
from cockpit.alerts.replay import Replay, Replayed, cause_of, replay, tried
from cockpit.alerts.rules import Rule, RuleFile
from cockpit.alerts.world import MINUTE, Span
from cockpit.errors import UnknownRead, WarehouseUnreachable
from cockpit.i18n.format import pct
from cockpit.kpis.kpi import Unit
from cockpit.ui import services, theme
from cockpit.ui.alerts import chart, markup
from cockpit.ui.experiments.command import reads_of
from cockpit.ui.experiments.frame import plain
from cockpit.ui.figures import CONFIG
from cockpit.ui.language import language, translate
from cockpit.ui.reads import read
from cockpit.views import alerts
from cockpit.views.alert_words import SIGNS, Words
from cockpit.views.replay_words import ReplayWords

DAYS = 7
FLOOR = timedelta(minutes=5)  # replays of the same five minutes are the same one
REMEMBERED = 4  # replays of a session
REPLAYS, SHOWN = "alerts_replays", "alerts_replay_shown"
PERCENT = 100.0

Key = tuple[bytes, datetime]  # of a replay: the rule as it was tried, and until when


@st.fragment
def draw() -> None:
    """The choice, and below it what came of the last replay of that rule. Nothing where there are no rules."""
    now = datetime.now(UTC)
    try:
        file = alerts.board(read, now).engine.file
    except WarehouseUnreachable:
        return  # the page says so itself
    if not file.rules:
        return
    words = ReplayWords(Words(language(), services.config().zone, now))
    with st.container(border=True, key="alerts_replay"):
        st.subheader(words.say("title"), anchor=False, help=words.say("title_help"))
        rule = _rule(file, words)
        if (cause := cause_of(rule)) is not None:
            st.info(words.cause(cause), icon=":material/history_toggle_off:")
            return
        asked = _asked(rule, words)
        if asked is not None:
            _remember(asked, file, words)
        _shown(rule, words)


def _rule(file: RuleFile, words: ReplayWords) -> Rule:
    """The one that is chosen, kept in the URL; else the first that can be replayed.

    It is set in every run: a browser that a rerun overtook has not heard of the first one, and would show the first.
    """
    key = f"alerts_replay_rule_{language()}"
    usual = next((rule.id for rule in file.rules if cause_of(rule) is None), file.rules[0].id)
    known = (st.session_state.get(key), st.query_params.get("rule"), usual)
    st.session_state[key] = next(id_ for id_ in known if id_ in file.by_id)

    def remember() -> None:
        st.query_params["rule"] = st.session_state[key]

    chosen: str = st.selectbox(
        words.say("rule"),
        list(file.by_id),
        format_func=lambda id_: words.words.rule(file.by_id[id_]),
        key=key,
        on_change=remember,
        width=420,
    )
    return file.by_id[chosen]


def _asked(rule: Rule, words: ReplayWords) -> Rule | None:
    """The rule as it is to be tried, once somebody asks for it."""
    scale = PERCENT if rule.unit is Unit.SHARE else 1.0
    unit = words.say(f"unit.{rule.unit}")
    with (
        st.form(f"alerts_replay_{rule.id}", border=False),
        st.container(horizontal=True, vertical_alignment="bottom", gap="small"),
    ):
        label = words.say("limit", sign=SIGNS[rule.fire.op], unit=unit)
        limit = st.number_input(label, value=round(rule.fire.limit * scale, 9), format="%g", width=220)
        minutes = st.number_input(words.say("hold"), value=rule.hold / MINUTE, min_value=0.0, format="%g", width=160)
        is_asked = st.form_submit_button(words.say("go", days=DAYS), icon=":material/replay:", type="primary")
    return tried(rule, round(limit / scale, 9), minutes * MINUTE) if is_asked else None


def _remember(rule: Rule, file: RuleFile, words: ReplayWords) -> None:
    """Replays, unless this session has just done the same."""
    now = words.words.now
    end = now - (now - datetime.min.replace(tzinfo=UTC)) % FLOOR
    key = (msgspec.json.encode(rule), end)
    replays: dict[Key, Replay] = st.session_state.setdefault(REPLAYS, {})
    if key not in replays:
        found = _replayed(msgspec.structs.replace(file, rules=(rule,)), Span(end - timedelta(DAYS), end), words)
        if found is None:
            return
        replays[key] = found
        for oldest in list(replays)[:-REMEMBERED]:
            del replays[oldest]
    st.session_state[SHOWN] = key


def _replayed(file: RuleFile, of: Span, words: ReplayWords) -> Replay | None:
    """None, and it is said why, when the warehouse does not answer."""
    place = st.empty()

    def hear(share: float) -> None:
        place.progress(share, words.say("running", days=DAYS, share=pct(share, words.words.language, 0)))

    try:
        hear(0.0)
        found = replay(file, of, reads_of(services.warehouse()), words.words.zone, hear)
    except WarehouseUnreachable:
        place.error(translate("alerts.page.undone"), icon=":material/cloud_off:")
    except UnknownRead:
        place.error(words.say("too_old"), icon=":material/error:")
    else:
        place.empty()
        return found
    return None


def _shown(rule: Rule, words: ReplayWords) -> None:
    """What came of it, if it was about this rule."""
    found: Replay | None = st.session_state.get(REPLAYS, {}).get(st.session_state.get(SHOWN))
    if found is None:
        return
    for left in found.left_out:
        if left.rule.id == rule.id:
            st.info(words.cause(left.cause), icon=":material/history_toggle_off:")
    for each in found.rules:
        if each.rule.id == rule.id:
            _result(each, found, words)
            _difference(rule, each.rule, words)


def _result(found: Replayed, of: Replay, words: ReplayWords) -> None:
    sentence = words.sentence(found, of.end)
    st.markdown(f"**{plain(sentence)}**")
    lines = chart.drawn(found)
    if any(value is not None for line in lines for _, value in line.points):
        figure = chart.replayed(words, theme.palette(), found, of.end)
        st.plotly_chart(figure, key="alerts_replay_chart", theme=None, config=CONFIG, alt=sentence)
    else:
        st.info(words.say("no_values"), icon=":material/cloud_off:")
    notes = [
        *words.notes(found, of.start),
        words.say("worst", piece=span(((of.end - of.start) / PIECES).total_seconds())),
    ]
    if len(lines) < len(found.lines):
        notes.append(words.say("few", shown=len(lines), count=len(found.lines)))
    st.caption(plain(" ".join(notes)))
    if found.episodes:
        st.html(markup.table(words.episodes(found, of.end)))


def _difference(rule: Rule, tried: Rule, words: ReplayWords) -> None:
    """What was not tried, and what to write into the file to keep it."""
    dropped = [name for name in ("recover", "warn") if getattr(rule, name) != getattr(tried, name)]
    if dropped:
        parts = ", ".join(words.say(f"dropped_{name}") for name in dropped)
        st.caption(words.say("dropped", parts=parts))
    if (rule.fire, rule.hold) != (tried.fire, tried.hold):
        st.caption(words.say("paste"))
        st.code(f'fire = "{tried.fire}"\nfor = "{written(tried.hold)}"', language="toml")


def written(duration: timedelta) -> str:
    """As a rule file has it."""
    minutes, rest = divmod(duration, MINUTE)
    return f"{minutes}m" if not rest else f"{duration // timedelta(seconds=1)}s"
