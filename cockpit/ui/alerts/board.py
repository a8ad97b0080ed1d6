"""The parts of the page: is the engine on duty, what goes on, what was, the rules, the silences, who was told."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import streamlit as st

from cockpit.errors import WarehouseUnreachable
from cockpit.ui import services, theme
from cockpit.ui.alerts import acts, choice, markup, preview
from cockpit.ui.experiments.frame import plain
from cockpit.ui.language import language, translate
from cockpit.ui.reads import read
from cockpit.views import alerts
from cockpit.views.alert_words import Table, Words
from cockpit.views.alerts import Board, Engine

TICK_S = 10.0  # no shorter than an answer is kept


def draw(view: str) -> None:
    """The view, again every few seconds while somebody looks at it; what is typed in above it stays as it is."""
    st.html(markup.style(theme.palette()))
    if view in ("now", "silences", "deliveries"):
        acts.who()
    if view == "rules":
        preview.draw()
    st.fragment(_body, run_every=TICK_S)(view)


def _body(view: str) -> None:
    now = datetime.now(UTC)
    try:
        board = alerts.board(read, now)
        words = Words(language(), services.config().zone, now)
        acts.said()
        _duty(board.engine, words)
        VIEWS[view](board, words)
    except WarehouseUnreachable:
        _box(st.error, "down", ":material/cloud_off:")


def _duty(engine: Engine, words: Words) -> None:
    """A red bar when nobody evaluates."""
    age = words.age(engine.evaluated_at)
    if engine.evaluated_at is None:
        st.error(f"**{translate('alerts.page.never')}** {translate('alerts.page.late_help')}", icon=":material/error:")
    elif engine.is_late(words.now):
        late = translate("alerts.page.late", age=age, time=words.moment(engine.evaluated_at))
        st.error(f"**{late}** {translate('alerts.page.late_help')}", icon=":material/error:")
    else:
        st.html(markup.duty(translate("alerts.page.on_duty", age=age)))
    if engine.error:
        st.error(f"**{translate('alerts.page.bad_file')}** {plain(engine.error)}", icon=":material/error:")


def _now(board: Board, words: Words) -> None:
    if not board.engine.file.rules:
        _box(st.info, "no_rules", ":material/rule:")
        return
    if not board.count(*alerts.OPEN):
        _nothing(board, words)
    for shown in board.goes_on:
        with st.container(border=True, gap="small", key=f"alert_{shown.alert.fingerprint}"):
            st.html(markup.entry(words.entry(shown)))
            acts.buttons(shown, words)


def _nothing(board: Board, words: Words) -> None:
    engine = board.engine
    if engine.is_late(words.now):
        st.info(translate("alerts.page.nothing_late"), icon=":material/help:")
        return
    counts = {"rules": len(engine.file.rules), "alerts": board.alerts, "age": words.age(engine.evaluated_at)}
    helped = translate("alerts.page.nothing_help", **counts)
    st.success(f"**{translate('alerts.page.nothing')}** {helped}", icon=":material/check_circle:")


def _history(board: Board, words: Words) -> None:
    chosen = choice.rule(_names(board, words))
    _table(words.history(alerts.episodes(read, words.now, chosen)), "no_history")


def _rules(board: Board, words: Words) -> None:
    if not board.engine.file.rules:
        _box(st.info, "no_rules", ":material/rule:")
        return
    st.html(markup.table(words.rules(alerts.rule_states(read))))


def _silences(board: Board, words: Words) -> None:
    if not board.silences:
        st.info(translate("alerts.page.no_silences"), icon=":material/notifications_active:")
    for silence in board.silences:
        with st.container(border=True, gap="small", key=f"silence_{silence.id}"):
            st.html(markup.entry(words.silence(silence, board.engine.file.by_id)))
            acts.end(silence)


def _deliveries(board: Board, words: Words) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        chosen = choice.rule(_names(board, words))
        acts.trial(alerts.receivers(board.engine.file))
    _table(words.deliveries(alerts.deliveries(read, words.now, chosen)), "no_deliveries")


def _names(board: Board, words: Words) -> Mapping[str, str]:
    return {rule.id: words.rule(rule) for rule in board.engine.file.rules}


def _table(found: Table, empty: str) -> None:
    if found.rows:
        st.html(markup.table(found))
    else:
        st.info(translate(f"alerts.page.{empty}"), icon=":material/history:")


def _box(kind: Callable[..., object], key: str, icon: str) -> None:
    """What is the matter, and what to do."""
    kind(f"**{translate(f'alerts.page.{key}')}** {translate(f'alerts.page.{key}_help')}", icon=icon)


VIEWS: Mapping[str, Callable[[Board, Words], None]] = {
    "now": _now,
    "history": _history,
    "rules": _rules,
    "silences": _silences,
    "deliveries": _deliveries,
}
