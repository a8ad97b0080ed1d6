from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.ui import figures
from cockpit.ui.figures import MOST_POINTS, Bar, Effect, Matrix, Role, Rule, Series, Stage, Style
from cockpit.ui.palette import DARK, LIGHT
from cockpit.views.tables import Kind

STYLE = Style("pt", LIGHT)
DAYS = [date(2026, 11, 1) + timedelta(days=at) for at in range(4)]
FINITE = st.floats(min_value=-1e12, max_value=1e12)


def test_the_personalized_is_solid_the_control_grey_and_dashed_the_period_before_dotted() -> None:
    series = [Series(role, DAYS, [1, 2, 3, 4], role) for role in Role]
    looks = {trace.name: trace.line for trace in figures.lines(STYLE, series, Kind.COUNT).data}
    assert (looks["personalised"].color, looks["personalised"].dash) == (LIGHT.series[0], None)
    assert (looks["control"].color, looks["control"].dash) == (LIGHT.control, "dash")
    assert (looks["previous"].color, looks["previous"].dash) == (LIGHT.previous, "dot")


def test_the_next_treatment_has_the_next_colour_and_the_control_takes_none() -> None:
    series = [Series("a", DAYS, [1] * 4), Series("c", DAYS, [1] * 4, Role.CONTROL), Series("b", DAYS, [1] * 4)]
    drawn = figures.lines(Style("en", DARK), series, Kind.COUNT).data
    assert [trace.line.color for trace in drawn] == [DARK.series[0], DARK.control, DARK.series[1]]


def test_a_gap_stays_a_gap_in_the_line_and_in_its_band() -> None:
    holed = [0.1, None, 0.3, 0.4]
    low, high = [0.0, None, 0.2, 0.3], [0.2, None, 0.4, 0.5]
    *bands, line = figures.lines(STYLE, [Series("a", DAYS, holed, low=low, high=high)], Kind.SHARE).data
    assert list(line.y) == holed
    assert line.connectgaps is None
    assert [list(band.x) for band in bands] == [DAYS[:1], DAYS[:1], DAYS[2:], DAYS[2:]]


def test_a_line_begins_at_zero_unless_it_falls_below() -> None:
    assert figures.lines(STYLE, [Series("a", DAYS, [5, 6, 7, 8])], Kind.COUNT).layout.yaxis.range[0] == 0
    assert figures.lines(STYLE, [Series("a", DAYS, [5, -6, 7, 8])], Kind.COUNT).layout.yaxis.range[0] < -6


def test_a_limit_is_drawn_where_its_rule_says_and_named() -> None:
    figure = figures.lines(STYLE, [Series("a", DAYS, [1, 2, 3, 4])], Kind.COUNT, [Rule(9, "limite 9")])
    assert [(shape.y0, shape.line.color) for shape in figure.layout.shapes] == [(9, LIGHT.bad)]
    assert [note.text for note in figure.layout.annotations] == ["limite 9"]
    assert figure.layout.yaxis.range[1] > 9


@given(st.integers(0, 3000))
def test_no_line_has_more_points_than_a_browser_draws_well(length: int) -> None:
    thinned = figures.thinned(range(length))
    assert len(thinned) <= MOST_POINTS
    assert len(thinned) >= min(length, MOST_POINTS // 2)
    assert list(thinned)[:1] == list(range(length))[:1]


def test_a_bar_has_its_interval_and_is_hatched_while_it_still_grows() -> None:
    found = [Bar("S46", 10, 5, 20), Bar("S47", 12, is_partial=True), Bar("S48", None)]
    (bars,) = figures.bars(STYLE, found, Kind.CENTS).data
    assert (list(bars.error_y.array), list(bars.error_y.arrayminus)) == ([10, None, None], [5, None, None])
    assert list(bars.marker.pattern.shape) == ["", "/", ""]
    assert list(bars.y) == [10, 12, None]
    assert bars.customdata[2] == "—"


def test_what_an_interval_leaves_open_is_grey() -> None:
    found = [Bar("a", 1, tone="good"), Bar("b", 1, tone="bad"), Bar("c", 1, tone=""), Bar("d", 1)]
    (bars,) = figures.bars(STYLE, found, Kind.CENTS).data
    assert list(bars.marker.color) == [LIGHT.good, LIGHT.bad, LIGHT.control, LIGHT.series[0]]


def test_uplifts_are_signed_and_stand_on_the_control() -> None:
    figure = figures.bars(STYLE, [Bar("a", 120_000, 50_000, 190_000)], Kind.CENTS, is_uplift=True)
    assert figure.data[0].customdata[0] == "+R$\u00a01.200,00 (+R$\u00a0500,00 a +R$\u00a01.900,00)"
    assert [shape.line.color for shape in figure.layout.shapes] == [LIGHT.control]
    assert "R$\u00a00,00" in figure.layout.yaxis.ticktext


def test_the_widest_interval_does_not_flatten_the_bars() -> None:
    figure = figures.bars(STYLE, [Bar("a", 1, -1000, 1000), Bar("b", 2, 1, 3)], Kind.NUMBER)
    assert figure.layout.yaxis.range[1] < 10


def test_a_waterfall_adds_up_to_its_total() -> None:
    found = [Bar("cart", 80), Bar("reco", 30), Bar("churn", -10), Bar("total", 100, is_total=True)]
    (bars,) = figures.waterfall(STYLE, found, Kind.CENTS).data
    assert list(bars.base) == [0, 80, 110, 0]
    assert bars.base[2] + bars.y[2] == bars.y[3]


def test_a_mix_is_stacked_with_the_control_in_its_grey() -> None:
    figure = figures.stacked(STYLE, [Series("a", DAYS, [1] * 4), Series("c", DAYS, [1] * 4, Role.CONTROL)], Kind.COUNT)
    assert figure.layout.barmode == "stack"
    assert [trace.marker.color for trace in figure.data] == [LIGHT.series[0], LIGHT.control]


def test_a_forest_is_hollow_while_a_gate_is_not_met_and_its_target_belongs_to_the_first_row() -> None:
    rows = [Effect("a", 0.05, 0.02, 0.08, "good", "n = 9"), Effect("b", 0.05, -0.02, 0.1, is_held=True)]
    figure = figures.forest(STYLE, rows, Rule(0.04, "meta", "warn"))
    assert [trace.marker.symbol for trace in figure.data] == ["circle", "circle-open"]
    assert [trace.line.color for trace in figure.data] == [LIGHT.good, LIGHT.control]
    assert [shape.x0 for shape in figure.layout.shapes] == [0.04, 0]
    assert (figure.layout.shapes[0].y0, figure.layout.shapes[0].y1) == (-0.45, 0.45)
    assert list(figure.layout.yaxis.ticktext) == ["a<br><sub>n = 9</sub>", "b"]


def test_an_axis_of_uplifts_is_cut_where_nothing_is_read_any_more() -> None:
    low, high = figures.forest(STYLE, [Effect("a", 3.0, -5.0, 90.0)]).layout.xaxis.range
    assert low > -1.5
    assert high < 2.5


def test_a_funnel_has_both_groups_side_by_side_and_the_uplift_in_words() -> None:
    stages = [Stage("home", 0.6, 0.5, "+20%", "good"), Stage("cart", 0.2, None, "—", "soft")]
    figure = figures.funnel(STYLE, stages, ("Personalizado", "Controle"))
    assert [(bar.name, list(bar.x)) for bar in figure.data] == [
        ("Controle", [0.5, None]),
        ("Personalizado", [0.6, 0.2]),
    ]
    assert [note.text for note in figure.layout.annotations] == ["+20%", "—"]
    assert [note.font.color for note in figure.layout.annotations] == [LIGHT.good, LIGHT.soft]


def test_a_diverging_map_has_its_middle_at_zero_and_marks_what_is_not_whole() -> None:
    matrix = Matrix(["VIP"], ["LTV", "Churn"], [[0.05, -0.01]], partial=frozenset({(0, 1)}))
    (cells,) = figures.heat(STYLE, matrix, Kind.SHARE, is_diverging=True).data
    assert (cells.zmin, cells.zmax) == (-0.05, 0.05)
    assert [list(row) for row in cells.text] == [["+5,0%", "-1,0% ▨"]]
    assert [colour for _, colour in cells.colorscale] == list(LIGHT.diverging)


def test_the_unknown_field_of_a_map_is_empty() -> None:
    (cells,) = figures.heat(STYLE, Matrix(["a"], ["x", "y"], [[None, 3.0]]), Kind.COUNT).data
    assert [list(row) for row in cells.z] == [[None, 3.0]]
    assert [list(row) for row in cells.text] == [["—", "3"]]


@given(FINITE, FINITE)
def test_an_axis_has_few_round_ticks_inside_its_span(one: float, other: float) -> None:
    low, high = min(one, other), max(one, other)
    if high - low < 1e-6 * max(abs(low), abs(high), 1):
        return
    drawn = figures.axis((low, high), lambda value, step: f"{value} {step}")
    slack = (high - low) * 1e-6
    assert len(drawn["tickvals"]) <= figures.MOST_TICKS + 1
    assert all(low - slack <= tick <= high + slack for tick in drawn["tickvals"])


def test_ticks_are_tenths_where_they_are_and_say_no_more_than_their_step() -> None:
    drawn = figures.axis((-0.1, 0.3), figures.ticks_of("pt", Kind.SHARE, is_signed=True))
    assert drawn["tickvals"] == pytest.approx([-0.1, 0, 0.1, 0.2, 0.3])
    assert drawn["ticktext"] == ["-10%", "0%", "+10%", "+20%", "+30%"]
    fine = figures.axis((0.0, 0.004), figures.ticks_of("en", Kind.SHARE))
    assert fine["ticktext"][:2] == ["0.0%", "0.1%"]


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind not in (Kind.TEXT, Kind.DAY, Kind.INSTANT)])
def test_without_anything_to_draw_a_figure_is_empty_and_no_error(kind: Kind) -> None:
    assert not any(trace.y for trace in figures.lines(STYLE, [Series("a", [], [])], kind).data)
    assert figures.bars(STYLE, [], kind).data[0].x == ()
    assert figures.waterfall(STYLE, [], kind).data[0].x == ()
    assert len(figures.stacked(STYLE, [], kind).data) == 0
    assert len(figures.forest(STYLE, [], unit=kind).data) == 0
    assert figures.funnel(STYLE, [], ("a", "b"), kind).data[0].x == ()
    assert figures.heat(STYLE, Matrix([], [], []), kind).data[0].z in ((), None)
    nothing = figures.bars(STYLE, [Bar("a", None), Bar("b", 0)], kind)
    assert nothing.data[0].customdata[0] == "—"
