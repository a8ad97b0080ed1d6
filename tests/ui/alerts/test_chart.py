from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import plotly.graph_objects as go

from cockpit.alerts.conditions import read_condition
from cockpit.alerts.replay import Replayed
from cockpit.alerts.rules import Severity
from cockpit.kpis.kpi import Unit
from cockpit.ui.alerts import chart
from cockpit.ui.palette import LIGHT
from cockpit.views.alert_words import Words
from cockpit.views.replay_words import ReplayWords
from tests.alerts.rounds import rule_of
from tests.alerts.shop import HOUR, MINUTE
from tests.views.replayed import END, START, episode, line, replayed

ZONE = ZoneInfo("America/Sao_Paulo")
WORDS = ReplayWords(Words("en", ZONE, END))
BEHIND = timedelta(hours=3)  # São Paulo is, of UTC


def errors(**changes: object) -> Replayed:
    limits = {"fire": read_condition("> 0.05"), "recover": read_condition("< 0.04"), "warn": read_condition("> 0.03")}
    rule = rule_of(every=MINUTE, unit=Unit.SHARE, **limits)
    return replayed(*(episode(hours) for hours in (40, 20)), **{"rule": rule, **changes})


def drawn(found: Replayed) -> go.Figure:
    return chart.replayed(WORDS, LIGHT, found, END)


def naive(at: datetime) -> datetime:
    return at.replace(tzinfo=None) - BEHIND


def test_values_are_a_line_by_the_clocks_of_the_zone_and_gaps_stay_gaps() -> None:
    figure = drawn(errors(lines=(line("whatsapp", 0.01, None, 0.072),)))
    assert list(figure.data[0].y) == [0.01, None, 0.072]
    assert figure.data[0].x[0] == naive(START)
    assert figure.data[0].name == "WhatsApp"


def test_the_limits_are_those_of_the_rule_and_say_so() -> None:
    figure = drawn(errors())
    lines = [shape for shape in figure.layout.shapes if shape.type == "line"]
    assert [(shape.y0, shape.line.dash) for shape in lines] == [(0.05, "dash"), (0.04, "dot"), (0.03, "dot")]
    said = [note.text for note in figure.layout.annotations]
    assert said == ["fires >\u00a05%", "recovers <\u00a04%", "warns >\u00a03%"]


def test_each_episode_is_shaded_while_it_lasts_and_marked_where_it_would_have_fired() -> None:
    figure = drawn(errors())
    bands = [shape for shape in figure.layout.shapes if shape.type == "rect"]
    assert [(band.x0, band.x1) for band in bands] == [
        (naive(END - hours * HOUR), naive(END - hours * HOUR + 30 * MINUTE)) for hours in (40, 20)
    ]
    marks = figure.data[-1]
    assert (marks.name, marks.mode, list(marks.y)) == ("would have fired here (critical)", "markers", [0.05, 0.05])
    assert list(marks.x) == [band.x0 for band in bands]
    assert (marks.marker.color, marks.marker.symbol) == (LIGHT.bad, "hexagon")
    assert marks.text[0] == "WhatsApp · 30\u00a0min"


def test_a_warning_and_missing_data_look_otherwise_not_by_colour_alone() -> None:
    episodes = (episode(9, severity=Severity.WARN), episode(3, None, is_about_data=True))
    found = errors(episodes=episodes)
    data, warning = drawn(found).data[-2:]
    assert (data.name, data.marker.symbol, data.marker.color) == (
        "would have fired here (no data)", "circle-open", LIGHT.control
    )  # fmt: skip
    assert (warning.marker.symbol, warning.marker.color, list(warning.y)) == ("triangle-up", LIGHT.warn, [0.03])
    ends = [shape.x1 for shape in drawn(found).layout.shapes if shape.type == "rect"]
    assert ends == [naive(END), naive(END - 9 * HOUR + 30 * MINUTE)]  # the longest first; one goes on


def test_of_many_things_those_are_drawn_that_would_have_fired_and_then_the_farthest() -> None:
    others = [line(f"c{number}", number / 1000) for number in range(8)]
    found = errors(lines=(*others, line("whatsapp", 0.0)))
    assert [each.labels["channel"] for each in chart.drawn(found)] == ["whatsapp", "c7", "c6"]
    falling = rule_of(fire=read_condition("< 0.4"), recover=None, unit=Unit.SHARE)
    found = errors(lines=(*others,), episodes=(), rule=falling)
    assert [each.labels["channel"] for each in chart.drawn(found)] == ["c0", "c1", "c2"]


def test_where_falling_is_bad_the_axis_is_for_the_low_values() -> None:
    falling = rule_of(fire=read_condition("< 0.4"), recover=read_condition("> 0.6"), unit=Unit.SHARE)
    figure = drawn(errors(lines=(line("push", 12.0, 0.9),), episodes=(), rule=falling))
    assert figure.layout.yaxis.range == (0.0, 0.6 * chart.FALL)


def test_of_very_many_episodes_all_are_marked_and_the_longest_shaded() -> None:
    found = errors(episodes=tuple(episode(number / 4, number * MINUTE) for number in range(1, 600)))
    figure = drawn(found)
    assert len(figure.data[-1].x) == 599
    assert sum(shape.type == "rect" for shape in figure.layout.shapes) == chart.MOST_BANDS
