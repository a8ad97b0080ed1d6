from datetime import timedelta

import pytest

from cockpit.experiments.observed import days, weeks
from cockpit.experiments.program import BY_WEEK, SINCE_START, Week, over_time, weeks_of
from cockpit.experiments.report import report_of
from tests.experiments.answers import TODAY, Answers, Version, observed
from tests.experiments.shop import open_, program


@pytest.fixture(scope="module")
def version() -> Version:
    return program()


@pytest.fixture(scope="module")
def found(version: Version) -> tuple[Week, ...]:
    key = {"experiment_id": version.registration.experiment_id, "version": "1"}
    answers = Answers(version)
    by_week = weeks(answers("experiment_weeks", **key))
    by_day = days(answers("experiment_curve", **key, metrics=list(BY_WEEK)))
    return weeks_of(observed(version), by_week, by_day, TODAY)


def test_the_last_day_of_the_curve_is_the_report(version: Version) -> None:
    found = observed(version)
    key = {"experiment_id": "global", "version": "1"}
    by_day = days(Answers(version)("experiment_curve", **key, metrics=["revenue_per_profile"]))
    steps = over_time(found, "revenue_per_profile", by_day)
    assert [step.day for step in steps] == sorted({*version.people["day"]})
    assert steps[-1].comparison.interval == report_of(found).headlines[0].comparison.interval


def test_the_curve_has_a_line_for_each_treatment() -> None:
    version = open_()
    key = {"experiment_id": "reco-home", "version": "1"}
    by_day = days(Answers(version)("experiment_curve", **key, metrics=["aov"]))
    assert {step.treatment for step in over_time(observed(version), "aov", by_day)} == {"a", "b"}


def test_a_week_holds_what_happened_in_it_of_all_who_were_exposed_by_its_end(
    version: Version, found: tuple[Week, ...]
) -> None:
    people = version.people
    for week in (found[0], found[-1]):
        treated = people.filter(variant_id="treatment")
        inside = treated.filter((treated["day"] >= week.monday) & (treated["day"] < week.monday + timedelta(days=7)))
        moments = week.alone["revenue_per_profile"].treated.moments
        assert moments.n == treated.filter(treated["day"] < week.monday + timedelta(days=7)).height
        assert moments.y == inside["value_cents"].sum()


def test_weeks_add_up_to_the_total_and_the_last_one_stands_where_the_report_does(
    version: Version, found: tuple[Week, ...]
) -> None:
    total = report_of(observed(version)).result("revenue_per_profile", "treatment").comparison
    assert sum(week.alone["revenue_per_profile"].treated.moments.y for week in found) == total.treated.moments.y
    assert found[-1].so_far["revenue_per_profile"].interval == total.interval


def test_a_week_carries_figures_and_no_verdict(found: tuple[Week, ...]) -> None:
    assert all(set(week.alone) == set(week.so_far) == set(BY_WEEK) for week in found)
    assert not any(hasattr(each, "judged") for week in found for each in week.alone.values())


def test_only_a_week_that_is_over_says_so(found: tuple[Week, ...]) -> None:
    assert [week.is_over for week in found] == [True] * (len(found) - 1) + [False]  # today is a Sunday


def test_what_only_time_shows_is_in_the_report(version: Version) -> None:
    results = {one.metric.id for one in report_of(observed(version)).results}
    assert set(SINCE_START) <= results
