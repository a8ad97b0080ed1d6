"""What a replay is drawn as: values, the limits across them, and what would have fired."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

import plotly.graph_objects as go

from cockpit.alerts.film import Episode, Line
from cockpit.alerts.messages import span
from cockpit.alerts.replay import Replayed
from cockpit.alerts.rules import Severity
from cockpit.ui import figures
from cockpit.ui.figures import Series, Style
from cockpit.ui.palette import Palette
from cockpit.views.replay_words import ReplayWords
from cockpit.views.tables import KINDS, Kind

MOST_LINES, MOST_BANDS = 3, 300
FALL = 3.0  # of an axis, when to fall is bad: so many times the limits
SHADE = 0.14
OF_HOURS = "%d/%m %H:%M"
HEIGHT_PX, MARK_PX = 360, 12


def replayed(words: ReplayWords, palette: Palette, found: Replayed, end: datetime) -> go.Figure:
    """At most MOST_LINES lines; the time of each episode is shaded, and marked where it would have fired."""
    rule, style = found.rule, Style(words.words.language, palette)
    unit = KINDS.get(rule.unit, Kind.NUMBER)
    series = [_series(words, found, line) for line in drawn(found)]
    limit = figures.Rule(rule.fire.limit, words.words.say("fires", limit=words.words.condition(rule, rule.fire)))
    figure = figures.lines(style, series, unit, [limit])
    _others(figure, words, palette, found)
    longest = sorted(found.episodes, key=lambda episode: episode.lasted(end), reverse=True)[:MOST_BANDS]
    figure.layout.shapes += tuple(_band(palette, episode, end, words.words.zone) for episode in longest)
    for trace in _marks(words, palette, found, end):
        figure.add_trace(trace)
    if not rule.fire.is_upward:
        top = FALL * max(condition.limit for condition in (rule.fire, rule.recover, rule.warn) if condition is not None)
        figure.update_yaxes(figures.axis((0.0, top), figures.ticks_of(style.language, unit)) if top > 0 else {})
    figure.update_annotations(bgcolor=palette.background)
    figure.update_layout(height=HEIGHT_PX, showlegend=len(series) > 1 or bool(found.episodes))
    return figure.update_xaxes(tickformat="%d/%m<br>%H:%M", hoverformat=OF_HOURS)


def drawn(found: Replayed) -> Sequence[Line]:
    """First what would have fired most, then what came farthest."""
    fired = [episode.labels for episode in found.episodes]

    def rank(line: Line) -> tuple[int, float]:
        values = [value for _, value in line.points if value is not None]
        is_upward = found.rule.fire.is_upward
        farthest = (max(values) if is_upward else -min(values)) if values else float("-inf")
        return fired.count(line.labels), farthest

    return sorted(found.lines, key=rank, reverse=True)[:MOST_LINES]


def _band(palette: Palette, episode: Episode, end: datetime, zone: ZoneInfo) -> dict[str, Any]:
    """All at once: Plotly takes minutes to add hundreds one by one."""
    x0, x1 = _here(episode.fired_at, zone), _here(episode.resolved_at or end, zone)
    look = {"fillcolor": _look(palette, episode)["color"], "opacity": SHADE, "line": {"width": 0}, "layer": "below"}
    return {"type": "rect", "yref": "y domain", "x0": x0, "x1": x1, "y0": 0, "y1": 1, **look}


def _series(words: ReplayWords, found: Replayed, line: Line) -> Series:
    x = [_here(at, words.words.zone) for at, _ in line.points]
    return Series(words.thing(found.rule, line.labels), x, [value for _, value in line.points])


def _others(figure: go.Figure, words: ReplayWords, palette: Palette, found: Replayed) -> None:
    """Where it recovers and where it warns; their words on the other side than the limit's."""
    rule, said = found.rule, words.words
    for key, condition, tone, place in (
        ("recovers", rule.recover, "good", "top right"),
        ("warns", rule.warn, "warn", "bottom right"),
    ):
        if condition is not None:
            colour = palette.tone(tone)
            figure.add_hline(
                y=condition.limit,
                line={"color": colour, "dash": "dot", "width": 1},
                annotation_text=said.say(key, limit=said.condition(rule, condition)),
                annotation_font={"color": colour},
                annotation_position=place,
            )


def _marks(words: ReplayWords, palette: Palette, found: Replayed, end: datetime) -> Iterator[go.Scatter]:
    """On the limit that it was beyond, where it would have fired; one trace of each kind."""
    for name, kind in groupby(sorted(found.episodes, key=words.kind), words.kind):
        episodes = list(kind)
        yield go.Scatter(
            x=[_here(episode.fired_at, words.words.zone) for episode in episodes],
            y=[found.rule.limit_of(episode.severity).limit for episode in episodes],
            mode="markers",
            name=f"{words.say('mark')} ({name})",
            marker={"size": MARK_PX, **_look(palette, episodes[0])},
            text=[_about(words, found, episode, end) for episode in episodes],
            hovertemplate="%{text}",
        )


def _look(palette: Palette, episode: Episode) -> dict[str, str]:
    """As the glyphs of the states: a hexagon fires, a triangle warns, what is hollow has no data."""
    if episode.is_about_data:
        return {"color": palette.control, "symbol": "circle-open"}
    if episode.severity is Severity.WARN:
        return {"color": palette.warn, "symbol": "triangle-up"}
    return {"color": palette.bad, "symbol": "hexagon"}


def _about(words: ReplayWords, found: Replayed, episode: Episode, end: datetime) -> str:
    return f"{words.thing(found.rule, episode.labels)} · {span(episode.lasted(end).total_seconds())}"


def _here(at: datetime, zone: ZoneInfo) -> datetime:
    """By the clocks of a zone: Plotly knows none."""
    return at.astimezone(zone).replace(tzinfo=None)
