from functools import cache
from zoneinfo import ZoneInfo

import plotly.graph_objects as go
import pytest

from cockpit.experiments.registration import Variant
from cockpit.ui.experiments import charts
from cockpit.ui.palette import LIGHT
from cockpit.views.experiment_tables import registered as of_plan
from cockpit.views.experiment_words import Words
from cockpit.views.experiments import Asked, Detail, detailed
from tests.experiments.answers import NOW, Answers, Version, profiles, registered
from tests.experiments.shop import bandit, broken, program, won

ZONE = ZoneInfo("America/Sao_Paulo")
STYLE = charts.Style(Words("en", ZONE), LIGHT)


@cache
def detail(experiment_id: str) -> Detail:
    found = detailed(Answers(won(), broken(), bandit(), program()), Asked(experiment_id), NOW, ZONE)
    assert found is not None
    return found


def forest(found: Detail) -> go.Figure:
    return charts.forest(STYLE, of_plan(found.report), found.report.plan.target)


def test_a_forest_has_a_row_for_each_metric_with_a_percentage_and_the_target_on_the_first() -> None:
    figure = forest(detail("cart"))
    assert figure.layout.yaxis.ticktext[0] == "Conversion per visitor"
    assert len(figure.data) == len(figure.layout.yaxis.ticktext) == 6
    assert [shape.x0 for shape in figure.layout.shapes] == [0.1, 0]
    low, estimate, high = figure.data[0].x
    assert low < estimate < high


def test_marks_are_green_only_where_the_verdict_is_and_hollow_where_there_is_none() -> None:
    colours = [trace.line.color for trace in forest(detail("cart")).data]
    assert colours[:3] == [LIGHT.good, LIGHT.good, LIGHT.control]
    held = forest(detail("price-badge")).data
    assert {trace.marker.symbol for trace in held} == {"circle-open"}
    assert {trace.line.color for trace in held} == {LIGHT.control}


def test_an_axis_is_written_as_every_other_number_is() -> None:
    ticks = list(forest(detail("cart")).layout.xaxis.ticktext)
    assert "0%" in ticks
    assert all(tick == "0%" or tick[0] in "+-" for tick in ticks)
    assert charts._axis((-0.1, 0.3), STYLE.words.percent)["tickvals"] == pytest.approx([-0.1, 0, 0.1, 0.2, 0.3])


def test_the_first_wide_days_do_not_flatten_the_curve() -> None:
    found = detail("cart")
    figure = charts.curve(STYLE, found.report, found.steps)
    widest = max(step.comparison.interval.high for step in found.steps if step.comparison.interval)
    assert figure.layout.yaxis.range[1] < widest
    assert figure.data[-1].line.color == LIGHT.series[0]
    assert len(figure.data[-1].x) == len([step for step in found.steps if step.comparison.interval])


def test_a_curve_that_is_not_to_be_trusted_is_grey() -> None:
    found = detail("price-badge")
    assert charts.curve(STYLE, found.report, found.steps).data[-1].line.color == LIGHT.control


def test_shares_of_a_day_add_up_and_a_moved_plan_moves_its_line() -> None:
    found = detail("subject-line")
    variants = list(found.report.exposure.counts)
    figure = charts.enrolment(STYLE, variants, found.looks, found.plans)
    areas, edges = figure.data[:3], figure.data[3:]
    assert [sum(day) for day in zip(*(area.y for area in areas), strict=True)] == pytest.approx([1.0] * len(areas[0].x))
    assert {round(value, 6) for value in edges[0].y} == {0.2}
    assert [round(edges[1].y[at], 6) for at in (0, -1)] == [0.6, 0.4]


def test_weeks_are_bars_with_their_intervals_and_the_running_one_is_hatched() -> None:
    weeks = detail("global").weeks
    (bars,) = charts.weekly(STYLE, weeks).data
    assert list(bars.marker.pattern.shape)[-2:] == ["", "/"]
    assert len(bars.x) == len([week for week in weeks if week.alone["revenue_per_profile"].worth])
    total = charts.cumulated(STYLE, weeks).data[-1]
    assert len(total.x) == len([week for week in weeks if week.so_far["revenue_per_profile"].worth])


def test_the_share_that_bought_again_starts_at_0_with_the_control_dashed() -> None:
    figure = charts.repurchase(STYLE, detail("cart").report.repurchase)
    lines = [trace for trace in figure.data if trace.name]
    assert [(line.name, line.line.dash) for line in lines] == [("control", "dash"), ("treatment", "solid")]
    assert {line.y[0] for line in lines} == {0}


def test_the_first_day_is_drawn_too() -> None:
    plan = registered(variants=(Variant("control", 0.5), Variant("treatment", 0.5)))
    today = Version(plan, profiles({"control": 400, "treatment": 400}, days=1))
    found = detailed(Answers(today), Asked("cart"), NOW, ZONE)
    assert found is not None
    point = charts.curve(STYLE, found.report, found.steps).data[-1]
    assert (point.mode, len(point.error_y.array)) == ("markers", 1)
    bars = charts.enrolment(STYLE, list(found.report.exposure.counts), found.looks, found.plans).data
    assert [type(bar).__name__ for bar in bars[:2]] == ["Bar", "Bar"]


def test_without_anything_to_draw_the_figures_are_empty() -> None:
    plan = registered(variants=(Variant("control", 0.5), Variant("treatment", 0.5)))
    empty = detailed(Answers(Version(plan, profiles({"control": 0}), status="draft")), Asked("cart"), NOW, ZONE)
    assert empty is not None
    assert len(forest(empty).data) == 0
    assert len(charts.curve(STYLE, empty.report, empty.steps).data) == 0
    assert len(charts.cumulated(STYLE, empty.weeks).data[-1].x) == 0
    assert len(charts.weekly(STYLE, empty.weeks).data[0].x) == 0
