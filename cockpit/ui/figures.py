"""The grammar of charts: values and words in, a Plotly figure in the colours of a palette out.

Laws: personalized is solid, the control grey and dashed, the period before dotted. A gap stays a gap. What an interval
leaves open is grey. Numbers on axes are written as every other number is; no line has more than MOST_POINTS points.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import groupby
from typing import Any, TypeVar

import plotly.graph_objects as go

from cockpit.i18n.format import MARKS, compact, money, num, pct, pp, signed
from cockpit.i18n.translate import translate
from cockpit.ui.palette import MOST_SERIES, Palette
from cockpit.views.tables import Kind, number

CONFIG = {"displaylogo": False, "showSendToCloud": False, "plotlyServerURL": "", "displayModeBar": False}
FONT = "Inter, Segoe UI, Roboto, Arial, sans-serif"
HEIGHT_PX, ROW_PX, FRAME_PX = 280, 34, 70
MOST_POINTS = 600
MOST_TICKS = 7
MOST_COLUMNS = 8  # of a heat map whose fields have room for their numbers
FARTHEST, NEAREST = 2.0, 0.05  # of an axis of uplifts: what lies beyond +200 % is cut; the table has it
REACH = 3.0  # of an axis of bars: so many times the largest estimate
FOR_TEXT = 1.25  # of an axis, beside which words stand
ALMOST = 1e-9  # of a step: 0.3 is not three times 0.1 to a float

Span = tuple[float, float]
Values = Sequence[float | None]
T = TypeVar("T")


class Role(StrEnum):
    PERSONALISED = "personalised"  # the first in the first colour, the next in the next
    CONTROL = "control"
    PREVIOUS = "previous"


@dataclass(frozen=True)
class Series:
    """A line or a layer. `x`: business days, instants in the business zone, or names. `low`, `high`: its band."""

    name: str
    x: Sequence[object]
    y: Values
    role: Role = Role.PERSONALISED
    low: Values = ()
    high: Values = ()


@dataclass(frozen=True)
class Rule:
    """A limit (bad) or a target (warn) across a chart."""

    value: float
    label: str
    tone: str = "bad"


@dataclass(frozen=True)
class Bar:
    """`name`: a word or a business day. `tone`: of an estimate, as everywhere; grey where its interval leaves it open.

    `is_partial`: it still grows.
    """

    name: str | date
    value: float | None
    low: float | None = None
    high: float | None = None
    tone: str | None = None
    is_partial: bool = False
    is_total: bool = False


@dataclass(frozen=True)
class Effect:
    """A row of a forest plot. `tone` good or bad, else it is grey. `is_held`: a gate is not met."""

    name: str
    estimate: float
    low: float
    high: float
    tone: str = ""
    note: str = ""  # n and days
    text: str = ""  # under the pointer; else estimate and interval
    is_held: bool = False


@dataclass(frozen=True)
class Stage:
    """A stage of a funnel for both groups, with its uplift in words."""

    name: str
    personalised: float | None
    control: float | None
    uplift: str = ""
    tone: str = ""


@dataclass(frozen=True)
class Matrix:
    """`partial`: places (row, column) whose value is not whole yet. `texts`: what the fields say, if not the values."""

    rows: Sequence[str]
    columns: Sequence[str]
    values: Sequence[Values]
    partial: frozenset[tuple[int, int]] = frozenset()
    texts: Sequence[Sequence[str]] = ()


@dataclass(frozen=True)
class Style:
    """What every figure needs beside its values."""

    language: str
    palette: Palette

    def figure(self, height: int = HEIGHT_PX, **layout: Any) -> go.Figure:
        marks, palette = MARKS[self.language], self.palette
        axis = {"gridcolor": palette.grid, "linecolor": palette.border, "zeroline": False, "automargin": True}
        return go.Figure(
            layout={
                "height": height,
                "separators": marks.decimal + marks.group,
                "font": {"family": FONT, "size": 12, "color": palette.text},
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

    def estimate(self, tone: str) -> str:
        """The colour of an estimate: grey where it is open."""
        return self.palette.tone(tone) if tone in ("good", "bad") else self.palette.control

    def number(self, value: float | None, kind: Kind, *, is_signed: bool = False) -> str:
        return number(value, kind, self.language, is_signed=is_signed)


def lines(style: Style, series: Sequence[Series], unit: Kind, rules: Sequence[Rule] = ()) -> go.Figure:
    """How something moves; from zero unless it falls below."""
    figure = style.figure(hovermode="x unified", showlegend=len(series) > 1)
    for one, look in zip(series, _looks(style, series), strict=True):
        texts = [style.number(value, unit) for value in thinned(one.y)]
        more = {"name": one.name, "line": look, "customdata": texts, "hovertemplate": "%{customdata}"}
        band(figure, thinned(one.x), (thinned(one.y), thinned(one.low), thinned(one.high)), more)
    for rule in rules:
        across(figure, style, rule)
    known = [value for one in series for value in (*one.y, *one.low, *one.high)] + [rule.value for rule in rules]
    figure.update_xaxes(showgrid=False, **_days(series))
    return figure.update_yaxes(axis(from_zero(known), ticks_of(style.language, unit)))


def bars(
    style: Style, found: Sequence[Bar], unit: Kind, rules: Sequence[Rule] = (), *, is_uplift: bool = False
) -> go.Figure:
    """One bar each with its interval; hatched while it still grows. `is_uplift`: signed, and zero is the control."""
    figure = style.figure(showlegend=False)
    figure.add_trace(_bars(style, found, unit, is_uplift=is_uplift))
    if is_uplift:
        figure.add_hline(y=0, line=style.zero)
    for rule in rules:
        across(figure, style, rule)
    named(figure, [one.name for one in found])
    shown = near(found, [rule.value for rule in rules])
    return figure.update_yaxes(axis(shown, ticks_of(style.language, unit, is_signed=is_uplift)))


def waterfall(style: Style, found: Sequence[Bar], unit: Kind) -> go.Figure:
    """Contributions one on the other, then what is marked as a total from the ground."""
    figure = style.figure(showlegend=False)
    feet, reached = [], 0.0
    for one in found:
        feet.append(0.0 if one.is_total else reached)
        reached = feet[-1] + (one.value or 0.0)
    figure.add_trace(_bars(style, found, unit, is_uplift=True).update(base=feet))
    figure.add_hline(y=0, line=style.zero)
    named(figure, [one.name for one in found])
    ends = [foot + end for one, foot in zip(found, feet, strict=True) for end in (one.value, one.low, one.high) if end]
    return figure.update_yaxes(axis(from_zero(ends), ticks_of(style.language, unit, is_signed=True)))


def stacked(style: Style, series: Sequence[Series], unit: Kind) -> go.Figure:
    """A mix over time, one layer on the other; at most MOST_SERIES coloured ones."""
    figure = style.figure(barmode="stack", hovermode="x unified")
    for one, look in zip(series, _looks(style, series), strict=True):
        texts = [style.number(value, unit) for value in one.y]
        hover = {"customdata": texts, "hovertemplate": "%{customdata}"}
        figure.add_trace(go.Bar(x=one.x, y=one.y, name=one.name, marker={"color": look["color"]}, **hover))
    totals = [sum(value or 0.0 for value in column) for column in zip(*(one.y for one in series), strict=True)]
    figure.update_xaxes(showgrid=False, **_days(series))
    return figure.update_yaxes(axis(from_zero(totals), ticks_of(style.language, unit)))


def forest(style: Style, rows: Sequence[Effect], target: Rule | None = None, unit: Kind = Kind.SHARE) -> go.Figure:
    """A row each, the first on top; zero is the control. The target belongs to the first."""
    figure = style.figure(FRAME_PX + ROW_PX * max(len(rows), 1), showlegend=False)
    for at, row in enumerate(rows):
        figure.add_trace(_effect(style, row, at, unit))
    if target and rows:
        _at_first(figure, style, target)
    figure.add_vline(x=0, line=style.zero)
    names = [f"{row.name}<br><sub>{row.note}</sub>" if row.note else row.name for row in rows]
    _named_rows(figure, names)
    return figure.update_xaxes(axis(_reach(rows, unit), ticks_of(style.language, unit, is_signed=True)))


def funnel(style: Style, stages: Sequence[Stage], names: tuple[str, str], unit: Kind = Kind.SHARE) -> go.Figure:
    """Both groups side by side per stage, the first on top; `names`: of the personalized and of the control."""
    figure = style.figure(FRAME_PX + 2 * ROW_PX * max(len(stages), 1), barmode="group")
    for trace in _groups(style, stages, names, unit):
        figure.add_trace(trace)
    for at, one in enumerate(stages):
        place = {"xref": "paper", "x": 1, "xanchor": "right", "y": at, "showarrow": False}
        figure.add_annotation(text=one.uplift, font={"color": style.palette.tone(one.tone)}, **place)
    _named_rows(figure, [one.name for one in stages])
    longest = max(
        (value for one in stages for value in (one.personalised, one.control) if value is not None), default=0
    )
    found = (0.0, longest * FOR_TEXT) if longest else None
    return figure.update_xaxes(axis(found, ticks_of(style.language, unit)))


def heat(style: Style, matrix: Matrix, unit: Kind, *, is_diverging: bool = False) -> go.Figure:
    """Little to much; diverging: worse to better around zero."""
    known = [value for row in matrix.values for value in row if value is not None]
    reach = max(map(abs, known), default=1.0) or 1.0
    colours = style.palette.diverging if is_diverging else style.palette.sequential
    last = len(colours) - 1
    figure = style.figure(FRAME_PX + ROW_PX * max(len(matrix.rows), 1))
    figure.add_trace(
        go.Heatmap(
            z=matrix.values, x=matrix.columns, y=matrix.rows,
            text=matrix.texts or _cells(style, matrix, unit, is_signed=is_diverging),
            texttemplate="%{text}" if len(matrix.columns) <= MOST_COLUMNS else None,
            hovertemplate="%{y} · %{x}: %{text}<extra></extra>", showscale=False, xgap=1, ygap=1,
            colorscale=[(at / last, colour) for at, colour in enumerate(colours)],
            zmin=-reach if is_diverging else min([0.0, *known]), zmax=reach,
        )
    )  # fmt: skip
    figure.update_xaxes(type="category", showgrid=False, side="top")
    return figure.update_yaxes(type="category", showgrid=False, autorange="reversed")


def band(
    figure: go.Figure, x: Sequence[object], curves: tuple[Values, Values, Values], line: Mapping[str, Any]
) -> None:
    """A line of estimates between low and high, where there are any; `line` is what Plotly is told of it.

    A single point has whiskers.
    """
    y, low, high = curves
    for at in _runs(low):
        _fill(figure, x[at], (low[at], high[at]), line["line"])
    look = _whiskers(y, low, high) if len(y) == 1 else {"mode": "lines"}
    figure.add_trace(go.Scatter(x=x, y=y, **look, **line))


def _fill(figure: go.Figure, x: Sequence[object], edges: tuple[Values, Values], drawn: Mapping[str, Any]) -> None:
    edge = {"x": x, "mode": "lines", "line": {"width": 0, "shape": drawn.get("shape", "linear")}}
    silent = {"hoverinfo": "skip", "showlegend": False}
    figure.add_trace(go.Scatter(y=edges[0], **edge, **silent))
    figure.add_trace(go.Scatter(y=edges[1], fill="tonexty", fillcolor=f"{drawn['color']}33", **edge, **silent))


def _runs(values: Values) -> Iterator[slice]:
    """Places of values between gaps: Plotly would fill a band across them."""
    for is_known, run in groupby(range(len(values)), lambda at: values[at] is not None):
        places = list(run)
        if is_known:
            yield slice(places[0], places[-1] + 1)


def aired(low: float, high: float) -> Span:
    air = (high - low) * 0.06
    return low - air, high + air


def from_zero(values: Values) -> Span | None:
    """An axis for them that begins at zero, or below it where they do; None without any."""
    known = [value for value in values if value is not None]
    low, high = min([0.0, *known]), max([0.0, *known])
    return (aired(low, high)[0] if low < 0 else 0.0, aired(low, high)[1]) if high > low else None


def near(found: Sequence[Bar], others: Sequence[float] = ()) -> Span | None:
    """An axis for bars with zero, which the widest intervals leave; None without any."""
    known = [one.value for one in found if one.value is not None]
    if not known:
        return None
    reach = REACH * max(map(abs, known))
    low = min([0.0, *others, *(one.low for one in found if one.low is not None), *known])
    high = max([0.0, *others, *(one.high for one in found if one.high is not None), *known])
    span = aired(max(low, -reach), min(high, max([reach, *others])))
    return (span[0] if low < 0 else 0.0, span[1]) if high > low else None


def _reach(rows: Sequence[Effect], unit: Kind) -> Span:
    """An axis with all intervals, zero and some air; of shares nothing below -100 % or beyond FARTHEST."""
    low, high = min([0.0, *(row.low for row in rows)]), max([0.0, *(row.high for row in rows)])
    if unit is Kind.SHARE:
        low, high = min(max(low, -1.0), -NEAREST), max(min(high, FARTHEST), NEAREST)
    return aired(low, high) if high > low else (-1.0, 1.0)


def axis(span: Span | None, write: Callable[[float, float], str]) -> dict[str, Any]:
    """Round ticks, written by (value, step): Plotly would sign its zero, and minus is another letter to it."""
    if span is None:
        return {}
    low, high = span
    magnitude = 10.0 ** math.floor(math.log10((high - low) / MOST_TICKS))
    step = next(size * magnitude for size in (1, 2, 5, 10) if (high - low) / (size * magnitude) <= MOST_TICKS)
    first, last = math.ceil(low / step - ALMOST), math.floor(high / step + ALMOST)
    ticks = [step * at for at in range(first, last + 1)]
    return {"range": [low, high], "tickvals": ticks, "ticktext": [write(tick, step) for tick in ticks]}


def ticks_of(language: str, unit: Kind, *, is_signed: bool = False) -> Callable[[float, float], str]:
    """How the ticks of a unit read, with as many decimals as their step needs."""
    writers: dict[Kind, Callable[[float, float], str]] = {
        Kind.COUNT: lambda value, _: compact(value, language),
        Kind.NUMBER: lambda value, step: num(value, language, _decimals(step)),
        Kind.SHARE: lambda value, step: pct(value, language, _decimals(step * 100)),
        Kind.POINTS: lambda value, step: pp(value, language, _decimals(step * 100)),
        Kind.CENTS: lambda value, _: money(round(value), language, short=True),
    }

    def write(value: float, step: float) -> str:
        text = writers[unit](value, step) if unit in writers else number(value, unit, language)
        return signed(text) if is_signed else text

    return write


def thinned(values: Sequence[T]) -> Sequence[T]:
    """Evenly, to MOST_POINTS at most."""
    return values[:: -(-len(values) // MOST_POINTS) or 1]


def _decimals(step: float) -> int:
    return max(0, -math.floor(math.log10(step) + ALMOST))


def _looks(style: Style, series: Sequence[Series]) -> Iterator[dict[str, Any]]:
    treated = iter(style.palette.series * (1 + len(series) // MOST_SERIES))
    for one in series:
        if one.role is Role.CONTROL:
            yield style.zero
        elif one.role is Role.PREVIOUS:
            yield {"color": style.palette.previous, "dash": "dot", "width": 1}
        else:
            yield {"color": next(treated), "width": 2}


def _groups(style: Style, stages: Sequence[Stage], names: tuple[str, str], unit: Kind) -> Iterator[go.Bar]:
    """The control below, hatched, so that the personalized one is on top."""
    groups = (
        (names[1], [one.control for one in stages], {"color": style.palette.control, "pattern": {"shape": "/"}}),
        (names[0], [one.personalised for one in stages], {"color": style.palette.series[0]}),
    )
    for name, values, look in groups:
        texts = [style.number(value, unit) for value in values]
        places = {"y": list(range(len(stages))), "x": values, "orientation": "h"}
        yield go.Bar(name=name, marker=look, text=texts, textposition="outside", hovertemplate="%{text}", **places)


def _named_rows(figure: go.Figure, names: Sequence[str]) -> None:
    """The first on top."""
    places = {"tickvals": list(range(len(names))), "ticktext": names}
    figure.update_yaxes(showgrid=False, range=[len(names) - 0.4, -0.6], **places)


def _days(series: Sequence[Series]) -> dict[str, Any]:
    """Numeric dates: Plotly knows the months of English only."""
    first = next((x for one in series for x in one.x), None)
    return {"tickformat": "%d/%m"} if type(first) is date else {}


def across(figure: go.Figure, style: Style, rule: Rule) -> None:
    """A rule from side to side."""
    colour = style.palette.tone(rule.tone)
    line = {"color": colour, "dash": "dash" if rule.tone == "bad" else "dot", "width": 2}
    figure.add_hline(
        y=rule.value,
        line=line,
        annotation_text=rule.label,
        annotation_font={"color": colour},
        annotation_position="top left",
    )


def named(figure: go.Figure, names: Sequence[str | date]) -> None:
    """Places of upright bars; of days only as many are written as there is room for."""
    figure.update_xaxes(showgrid=False)
    if names and isinstance(names[0], date):
        every = -(-len(names) // MOST_TICKS)
        figure.update_xaxes(tickvals=names[::every], tickformat="%d/%m")
    else:
        figure.update_xaxes(type="category")


def _bars(style: Style, found: Sequence[Bar], unit: Kind, *, is_uplift: bool) -> go.Bar:
    colours = [style.palette.series[0] if one.tone is None else style.estimate(one.tone) for one in found]
    hatch = ["/" if one.is_partial else "" for one in found]
    return go.Bar(
        x=[one.name for one in found],
        y=[one.value for one in found],
        error_y={**_reaches(found), "color": style.palette.text, "thickness": 1.5},
        marker={"color": colours, "pattern": {"shape": hatch}},
        customdata=[_ranged(style, (one.value, one.low, one.high), unit, is_uplift=is_uplift) for one in found],
        hovertemplate="%{x|%d/%m}: %{customdata}<extra></extra>"
        if found and isinstance(found[0].name, date)
        else "%{x}: %{customdata}<extra></extra>",
    )


def _reaches(found: Sequence[Bar]) -> dict[str, Values]:
    """How far the whiskers go up and down."""
    up = [None if one.high is None or one.value is None else one.high - one.value for one in found]
    down = [None if one.low is None or one.value is None else one.value - one.low for one in found]
    return {"array": up, "arrayminus": down}


def _ranged(
    style: Style, found: tuple[float | None, float | None, float | None], unit: Kind, *, is_uplift: bool
) -> str:
    """Estimate, low and high as `+3,1% (+2,0% a +4,2%)`."""
    value, low, high = (style.number(each, unit, is_signed=is_uplift) for each in found)
    return (
        value
        if found[1] is None
        else f"{value} ({translate('experiments.from_to', style.language, low=low, high=high)})"
    )


def _effect(style: Style, row: Effect, at: int, unit: Kind) -> go.Scatter:
    """A dot and its interval; hollow and dotted while a gate is not met."""
    colour = style.estimate(row.tone)
    text = row.text or _ranged(style, (row.estimate, row.low, row.high), unit, is_uplift=True)
    return go.Scatter(
        x=[row.low, row.estimate, row.high],
        y=[at] * 3,
        mode="lines+markers",
        line={"color": colour, "width": 2, "dash": "dot" if row.is_held else "solid"},
        marker={"size": [0, 10, 0], "color": colour, "symbol": "circle-open" if row.is_held else "circle"},
        hovertemplate=f"{text}<extra></extra>",
    )


def _at_first(figure: go.Figure, style: Style, rule: Rule) -> None:
    colour = style.palette.tone(rule.tone)
    line = {"color": colour, "dash": "dot", "width": 2}
    figure.add_shape(type="line", x0=rule.value, x1=rule.value, y0=-0.45, y1=0.45, line=line)
    place = {"x": rule.value, "y": -0.45, "yanchor": "bottom", "showarrow": False}
    figure.add_annotation(text=rule.label, font={"color": colour}, **place)


def _cells(style: Style, matrix: Matrix, unit: Kind, *, is_signed: bool) -> list[list[str]]:
    """What stands in each field; ▨ where it is not whole."""
    texts = matrix.texts or [[style.number(one, unit, is_signed=is_signed) for one in row] for row in matrix.values]
    return [
        [f"{text} ▨" if (at, place) in matrix.partial else text for place, text in enumerate(row)]
        for at, row in enumerate(texts)
    ]


def _whiskers(y: Values, low: Values, high: Values) -> dict[str, Any]:
    """The interval of a single point, which has no band."""
    look: dict[str, Any] = {"mode": "markers", "marker": {"size": 10}}
    if not low or y[0] is None or low[0] is None or high[0] is None:
        return look
    return {"error_y": {"array": [high[0] - y[0]], "arrayminus": [y[0] - low[0]], "thickness": 2}, **look}
