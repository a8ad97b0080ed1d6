"""Figures about an experiment. Each takes values and words, and gives a Plotly figure in the colours of a palette.

The control is grey and dashed, a treatment has its colour and a line; where the interval crosses zero a mark is grey.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from typing import Any

import plotly.graph_objects as go

from cockpit.experiments.interval import Range
from cockpit.experiments.metrics import Unit
from cockpit.experiments.money import Money
from cockpit.experiments.observed import Look
from cockpit.experiments.program import Step, Week
from cockpit.experiments.report import Report, Result
from cockpit.experiments.sample_ratio import Shares
from cockpit.experiments.survival import Point
from cockpit.experiments.verdict import Verdict
from cockpit.i18n.format import MARKS
from cockpit.ui.palette import Palette
from cockpit.views.experiment_words import TONES, Words

CONFIG = {"displaylogo": False, "showSendToCloud": False, "plotlyServerURL": "", "displayModeBar": False}
ROW_PX, FRAME_PX = 34, 70
FARTHEST = 2.0  # of an axis of uplifts: what lies beyond +200 % is cut; the table has it
MOST_TICKS = 7
ALMOST = 1e-9  # of a step: 0.3 is not three times 0.1 to a float
REACH = 3.0  # of an axis of money: so many times the largest estimate
Z = 1.96  # of the band of one look
OF_A_DAY = "%{x|%d/%m}: %{text}<extra></extra>"


Span = tuple[float, float]


@dataclass(frozen=True)
class Style:
    """What every figure needs beside its values."""

    words: Words
    palette: Palette

    def figure(self, height: int, **layout: Any) -> go.Figure:
        marks, palette = MARKS[self.words.language], self.palette
        axis = {"gridcolor": palette.grid, "linecolor": palette.border, "zeroline": False, "automargin": True}
        return go.Figure(
            layout={
                "height": height,
                "separators": marks.decimal + marks.group,
                "font": {"family": "Inter, Segoe UI, Roboto, Arial, sans-serif", "size": 12, "color": palette.text},
                "paper_bgcolor": "rgba(0,0,0,0)",
                "plot_bgcolor": "rgba(0,0,0,0)",
                "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
                "hoverlabel": {"bgcolor": palette.panel, "font": {"color": palette.text}},
                "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
                "xaxis": axis,
                "yaxis": axis,
                **layout,
            }
        )

    @property
    def zero(self) -> dict[str, Any]:
        """The line of the control."""
        return {"color": self.palette.control, "dash": "dash", "width": 2}


def forest(style: Style, results: Sequence[Result], target: float | None) -> go.Figure:
    """One row per comparison that has a percentage, the first on top; zero is the control."""
    drawn = [(one, one.comparison.percent) for one in results if one.comparison.percent]
    several = len({one.treatment for one, _ in drawn}) > 1
    names = [_name(style.words, one, has_treatment=several) for one, _ in drawn]
    figure = style.figure(FRAME_PX + ROW_PX * max(len(drawn), 1), showlegend=False)
    for at, (one, percent) in enumerate(drawn):
        figure.add_trace(_mark(style, one, percent, at))
    if target is not None and drawn:
        _target(figure, style, target)
    figure.add_vline(x=0, line=style.zero)
    rows = [len(names) - 0.4, -0.6]
    figure.update_yaxes(tickvals=list(range(len(names))), ticktext=names, range=rows, showgrid=False)
    span = _uplifts([percent for _, percent in drawn])
    return figure.update_xaxes(_axis(span, lambda value: style.words.percent(value, 0)))


def _name(words: Words, one: Result, *, has_treatment: bool) -> str:
    name = words.metric(one.metric.id)
    return f"{name} · {words.variant(one.treatment)}" if has_treatment else name


def _mark(style: Style, one: Result, percent: Range, at: int) -> go.Scatter:
    """A dot and its interval; hollow and dotted while a gate is not met."""
    tone = TONES[one.judged.verdict] if one.judged else ""
    colour = style.palette.tone(tone) if tone in ("good", "bad") else style.palette.control
    is_held = one.judged is None or one.judged.verdict in (Verdict.INSUFFICIENT, Verdict.NOT_TRUSTWORTHY)
    text = "{} ({})".format(*style.words.relative(one.comparison))
    return go.Scatter(
        x=[percent.low, percent.estimate, percent.high],
        y=[at] * 3,
        mode="lines+markers",
        line={"color": colour, "width": 2, "dash": "dot" if is_held else "solid"},
        marker={"size": [0, 10, 0], "color": colour, "symbol": "circle-open" if is_held else "circle"},
        hovertemplate=f"{text}<extra></extra>",
    )


def _target(figure: go.Figure, style: Style, target: float) -> None:
    """Across the row of the primary metric, which it is of."""
    text = style.words.say("target", target=style.words.percent(target))
    colour = style.palette.warn
    line = {"color": colour, "dash": "dot", "width": 2}
    figure.add_shape(type="line", x0=target, x1=target, y0=-0.45, y1=0.45, line=line)
    figure.add_annotation(x=target, y=-0.45, text=text, showarrow=False, yanchor="bottom", font={"color": colour})


def _uplifts(ranges: Sequence[Range]) -> Span:
    """An axis with all intervals, zero and some air, but nothing below -100 % or beyond FARTHEST."""
    low = max(min([each.low for each in ranges], default=-0.05), -1.0)
    high = min(max([each.high for each in ranges], default=0.05), FARTHEST)
    return _aired(min(low, -0.05), max(high, 0.05))


def curve(style: Style, report: Report, steps: Sequence[Step]) -> go.Figure:
    """The interval as of the end of each day, grey while a gate is not met; the first days are shaded."""
    known = [step for step in steps if step.comparison.interval]
    treatments = list(dict.fromkeys(step.treatment for step in known))
    figure = style.figure(300, showlegend=len(treatments) > 1)
    for name in treatments:
        chosen = [step for step in known if step.treatment == name]
        texts = ["{} ({})".format(*style.words.estimate(step.comparison)) for step in chosen]
        drawn = _line(style, report, chosen[0], treatments)
        line = {"name": style.words.variant(name), "text": texts, "line": drawn, "hovertemplate": OF_A_DAY}
        _band(figure, [step.day for step in chosen], list(map(_drawn, chosen)), line)
    if len({step.day for step in known}) == 1:
        figure.update_xaxes(tickvals=[known[0].day])
    figure.add_hline(y=0, line=style.zero)
    _aim(figure, style, report, known)
    _warm_up(figure, style, report, known)
    figure.update_xaxes(tickformat="%d/%m", showgrid=False)
    return figure.update_yaxes(_axis(_late(list(map(_drawn, known))), _writer(style, known)))


def _line(style: Style, report: Report, step: Step, treatments: Sequence[str]) -> dict[str, Any]:
    judged = report.result(step.comparison.metric.id, step.treatment).judged
    colours = style.palette.variants([report.plan.control, *treatments])
    is_held = judged is None or bool(judged.reasons)
    return {"color": style.palette.control if is_held else colours[step.treatment], "width": 2}


def _writer(style: Style, steps: Sequence[Step]) -> Callable[[float], str]:
    """How a tick of the metric's own scale reads."""
    metric = steps[0].comparison.metric if steps else None
    if metric is None or not metric.is_signed:
        return lambda value: style.words.percent(value, 0)
    return style.words.reais if metric.unit is Unit.CENTS else style.words.points


def _drawn(step: Step) -> Range:
    """The interval on the scale of its metric, money in reais and NPS in points."""
    found = step.comparison.interval
    assert found is not None, "steps without an interval are not drawn"
    scales = {Unit.CENTS: 0.01, Unit.POINTS: 100.0} if step.comparison.metric.is_signed else {}
    scale = scales.get(step.comparison.metric.unit, 1.0)
    return Range(found.estimate * scale, found.low * scale, found.high * scale)


def _aim(figure: go.Figure, style: Style, report: Report, steps: Sequence[Step]) -> None:
    """The target, on the curve of the metric it is of."""
    target = report.plan.target
    if target is None or not steps or steps[0].comparison.metric.id != report.plan.primary:
        return
    text, colour = style.words.say("target", target=style.words.percent(target)), style.palette.warn
    line = {"color": colour, "dash": "dot"}
    figure.add_hline(y=target, line=line, annotation_text=text, annotation_font={"color": colour})


def _warm_up(figure: go.Figure, style: Style, report: Report, steps: Sequence[Step]) -> None:
    """The days before the minimum duration."""
    if report.standing.registration is None or not steps:
        return
    first, last = min(step.day for step in steps), max(step.day for step in steps)
    until = min(first + timedelta(report.plan.minimum_days), last)
    figure.add_vrect(x0=first, x1=until, fillcolor=style.palette.soft, opacity=0.08, line_width=0)


def enrolment(style: Style, variants: Sequence[str], looks: Sequence[Look], plans: Sequence[Shares]) -> go.Figure:
    """The share of each variant in the first exposures of each day, the control at the bottom; dashed: the plan."""
    figure = style.figure(260, barmode="stack")
    seen: dict[tuple[date, str], int] = {}
    for look in looks:
        seen[look.day, look.variant] = seen.get((look.day, look.variant), 0) + look.exposed
    days = sorted({look.day for look in looks})
    totals = {day: sum(n for (on, _), n in seen.items() if on == day) for day in days}
    for name, colour in style.palette.variants(variants).items():
        counts = [seen.get((day, name), 0) for day in days]
        shares = [n / totals[day] for day, n in zip(days, counts, strict=True)]
        figure.add_trace(_area(days, shares, counts, (name, colour)))
    for trace in _planned(style, variants, looks, plans):
        figure.add_trace(trace)
    figure.update_xaxes(tickformat="%d/%m", showgrid=False)
    return figure.update_yaxes(tickformat=".0%", range=[0, 1])


def _area(
    days: Sequence[date], shares: Sequence[float], counts: Sequence[int], named: tuple[str, str]
) -> go.Scatter | go.Bar:
    """A single day has no area: it is a bar."""
    name, colour = named
    hover = {"customdata": counts, "hovertemplate": "%{y:.1%} (%{customdata})"}
    if len(days) == 1:
        return go.Bar(x=days, y=shares, name=name, marker={"color": f"{colour}99"}, **hover)
    line = {"width": 1, "color": colour}
    return go.Scatter(x=days, y=shares, name=name, stackgroup="one", line=line, fillcolor=f"{colour}99", **hover)


def _planned(
    style: Style, variants: Sequence[str], looks: Sequence[Look], plans: Sequence[Shares]
) -> Iterator[go.Scatter]:
    """Where one planned share ends and the next begins, day by day: a bandit's plan moves. None without a plan."""
    epochs = {day: max(look.epoch for look in on_day) for day, on_day in groupby(looks, lambda look: look.day)}
    for at in range(1, len(variants) if plans else 0):
        edges = [
            sum(plans[min(epoch, len(plans) - 1)].get(name, 0) for name in variants[:at]) for epoch in epochs.values()
        ]
        line = {"color": style.palette.text, "dash": "dash", "width": 1.5, "shape": "hv"}
        yield go.Scatter(x=list(epochs), y=edges, mode="lines", line=line, hoverinfo="skip", showlegend=False)


def repurchase(style: Style, curves: Mapping[str, Sequence[Point]]) -> go.Figure:
    """The share that bought again by each day, with the band of one look."""
    figure = style.figure(280, hovermode="x unified")
    for at, (name, colour) in enumerate(style.palette.variants(list(curves)).items()):
        points = [point for point in curves[name] if point.se is not None]
        ranges = [Range(0.0, 0.0, 0.0), *map(_pointwise, points)]
        drawn = {"color": colour, "width": 2, "dash": "solid" if at else "dash", "shape": "hv"}
        line = {"name": name, "line": drawn, "hovertemplate": "%{y:.1%}"}
        _band(figure, [0, *(point.day for point in points)], ranges, line)
    return figure.update_yaxes(tickformat=".0%", rangemode="tozero")


def _pointwise(point: Point) -> Range:
    reach = Z * (point.se or 0.0)
    return Range(point.share, max(point.share - reach, 0.0), min(point.share + reach, 1.0))


def weekly(style: Style, weeks: Sequence[Week]) -> go.Figure:
    """Incremental revenue of each week with its interval; a week that still runs is hatched."""
    rows = [(week, _in_reais(worth.total)) for week in weeks if (worth := week.alone["revenue_per_profile"].worth)]
    ranges = [found for _, found in rows]
    whiskers = {
        "array": [each.high - each.estimate for each in ranges],
        "arrayminus": [each.estimate - each.low for each in ranges],
        "color": style.palette.text,
        "thickness": 1.5,
    }
    figure = style.figure(260, showlegend=False)
    bars = go.Bar(x=[week.monday for week, _ in rows], y=[each.estimate for each in ranges], error_y=whiskers)
    bars.update(
        marker={"color": style.palette.series[0], "pattern": {"shape": ["" if w.is_over else "/" for w, _ in rows]}},
        customdata=_texts(style, ranges),
        hovertemplate=OF_A_DAY.replace("text", "customdata"),
    )
    figure.add_trace(bars)
    return _by_monday(figure, style, [week.monday for week, _ in rows], _near(ranges))


def cumulated(style: Style, weeks: Sequence[Week]) -> go.Figure:
    """Incremental revenue since the start, as of the end of each week."""
    found = [(week.monday, week.so_far["revenue_per_profile"].worth) for week in weeks]
    rows = [(monday, _in_reais(worth.total)) for monday, worth in found if worth]
    mondays, ranges = [monday for monday, _ in rows], [each for _, each in rows]
    figure = style.figure(260, showlegend=False)
    line = {"color": style.palette.series[0], "width": 2}
    _band(figure, mondays, ranges, {"line": line, "text": _texts(style, ranges), "hovertemplate": OF_A_DAY})
    return _by_monday(figure, style, mondays, _late(ranges))


def _by_monday(figure: go.Figure, style: Style, mondays: Sequence[date], shown: Span | None) -> go.Figure:
    figure.add_hline(y=0, line=style.zero)
    every = -(-len(mondays) // MOST_TICKS) or 1
    figure.update_xaxes(tickvals=mondays[::every], tickformat="%d/%m", showgrid=False)
    return figure.update_yaxes(_axis(shown, style.words.reais))


def _texts(style: Style, reais: Iterable[Range]) -> list[str]:
    cents = [Money(*(round(value * 100) for value in (each.estimate, each.low, each.high))) for each in reais]
    return ["{} ({})".format(*style.words.money(each)) for each in cents]


def _in_reais(money: Money) -> Range:
    return Range(money.estimate / 100, money.low / 100, money.high / 100)


def _band(figure: go.Figure, x: Sequence[object], ranges: Sequence[Range], line: Mapping[str, Any]) -> None:
    """A line of estimates in its band; `line` is what Plotly is told of it."""
    drawn = line["line"]
    edge = {
        "x": x,
        "mode": "lines",
        "line": {"width": 0, "shape": drawn.get("shape", "linear")},
        "hoverinfo": "skip",
        "showlegend": False,
    }
    figure.add_trace(go.Scatter(y=[each.low for each in ranges], **edge))
    figure.add_trace(
        go.Scatter(y=[each.high for each in ranges], fill="tonexty", fillcolor=f"{drawn['color']}33", **edge)
    )
    mode = "lines" if len(ranges) > 1 else "markers"
    figure.add_trace(go.Scatter(x=x, y=[each.estimate for each in ranges], mode=mode, **_alone(ranges), **line))


def _alone(ranges: Sequence[Range]) -> dict[str, Any]:
    """The interval of a single point, which has no band."""
    if len(ranges) != 1:
        return {}
    (only,) = ranges
    whiskers = {"array": [only.high - only.estimate], "arrayminus": [only.estimate - only.low]}
    return {"error_y": {**whiskers, "thickness": 2}, "marker": {"size": 10}}


def _late(ranges: Sequence[Range]) -> Span | None:
    """An axis for the last two thirds, so that the first and widest do not flatten them."""
    late = ranges[len(ranges) // 3 :]
    if not late:
        return None
    return _aired(min(0.0, *(each.low for each in late)), max(0.0, *(each.high for each in late)))


def _near(ranges: Sequence[Range]) -> Span | None:
    """An axis for the estimates, which the widest intervals leave."""
    if not ranges:
        return None
    reach = REACH * max(abs(each.estimate) for each in ranges)
    low, high = min(each.low for each in ranges), max(each.high for each in ranges)
    return _aired(max(min(low, 0.0), -reach), min(max(high, 0.0), reach))


def _aired(low: float, high: float) -> Span:
    air = (high - low) * 0.06
    return low - air, high + air


def _axis(span: Span | None, write: Callable[[float], str]) -> dict[str, Any]:
    """Round ticks, written as every other number is: Plotly would sign its zero, and minus is another letter to it."""
    if span is None:
        return {}
    low, high = span
    magnitude = 10.0 ** math.floor(math.log10((high - low) / MOST_TICKS))
    step = next(size * magnitude for size in (1, 2, 5, 10) if (high - low) / (size * magnitude) <= MOST_TICKS)
    first, last = math.ceil(low / step - ALMOST), math.floor(high / step + ALMOST)
    ticks = [step * at for at in range(first, last + 1)]
    return {"range": [low, high], "tickvals": ticks, "ticktext": [write(tick) for tick in ticks]}
