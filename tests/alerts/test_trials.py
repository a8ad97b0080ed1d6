"""What rules are told of experiments, of profiles that a test draws."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import polars as pl
import pytest

from cockpit.alerts.conditions import read_condition
from cockpit.alerts.machine import Reading
from cockpit.alerts.readings import readings
from cockpit.alerts.rules import OnMissing, Rule
from cockpit.alerts.world import World
from cockpit.experiments.registration import EVERYTHING, Guardrail
from cockpit.views.experiments import listed
from tests.alerts.looks import numbers, rule
from tests.alerts.shop import HOUR, MINUTE, ZONE
from tests.experiments.answers import NOW, Answers, Version, profiles, registered
from tests.experiments.shop import broken, lost, won


def world_of(*versions: Version) -> World:
    answers = Answers(*versions)

    def reads(name: str, **params: Any) -> pl.DataFrame:
        return pl.DataFrame({"position": [1]}) if name == "alert_folded" else answers(name, **params)

    world = World(reads, ZONE)
    world.turn(NOW, {})
    return world


def of_trials(asked: Rule, *versions: Version) -> Mapping[tuple[str, ...], Reading]:
    return readings(asked, NOW, world_of(*versions))


def experiment_rule(metric: str, *by: str, fire: str = ">= 2.9957") -> Rule:
    return rule(metric, by=("experiment", *by), fire=read_condition(fire), every=HOUR, nodata=OnMissing.KEEP)


def running(version: Version, **changes: Any) -> Version:
    version.status = "running"
    version.registration = msgspec.structs.replace(version.registration, **changes)
    return version


def test_a_broken_sample_ratio_is_below_the_limit_and_says_since_when() -> None:
    found = of_trials(experiment_rule("srm_p", fire="< 0.05"), broken(), won())
    p, fine = found["price-badge",], found["cart",]
    assert p.value is not None
    assert p.value < 0.05
    assert fine.value is not None
    assert fine.value > 0.05
    assert fine.context == {}
    assert p.count == 2156  # a fifth of the 11,000 who are in one variant only: 2 % are mixed
    assert p.context["counts"] == "control 2940, treatment 7840"
    assert p.context["split"] == "control 27% (20%), treatment 73% (80%)"
    assert NOW - timedelta(days=28) <= datetime.fromtimestamp(float(p.context["first_day"]), UTC) <= NOW


def test_a_contaminated_control_is_a_share_of_the_control() -> None:
    found = of_trials(experiment_rule("control_contamination_rate", fire="> 0.005"), broken(), won())
    assert numbers(found)["price-badge",] == (pytest.approx(0.05), 3000)
    assert found["price-badge",].context == {"contaminated": 150, "holdout": 3000}
    assert found["cart",].value == 0.0


def test_an_uplift_that_is_surely_negative_is_evidence_with_the_money_at_risk() -> None:
    found = of_trials(experiment_rule("uplift_negative_log_e", "variant"), running(lost()), won())
    harm = found["discount-popup", "treatment"]
    assert harm.value is not None
    assert harm.value >= 2.9957
    assert harm.context["effect"] == pytest.approx(-0.25, abs=0.1)
    assert harm.context["high"] < 0 < harm.context["at_risk_cents"]  # type: ignore[operator]
    assert found["cart", "treatment"].value == 0.0


OF_REPORTS = ("uplift_negative_log_e", "experiment_below_target", "guardrail_harm")


def values_of_reports(version: Version) -> list[float | None]:
    world = world_of(version)
    found = [readings(experiment_rule(metric, "variant"), NOW, world) for metric in OF_REPORTS]
    return [reading.value for each in found for reading in each.values()]


def test_a_winner_is_never_told() -> None:
    plan = {"guardrails": (Guardrail("conversion_rate_profile", -0.05),)}
    assert values_of_reports(running(won(), **plan)) == [0.0, 0.0, 0.0]


def test_evidence_is_kept_back_while_the_sample_ratio_is_broken() -> None:
    assert values_of_reports(broken()) == [None, None, None]


def below(counts: Mapping[str, int], days: int = 28, *, target: float = 0.5) -> float | None:
    plan = registered(target=target, minimum_days=0)
    people = profiles(counts, lift=0.0, days=days, rate=0.3)
    (reading,) = of_trials(experiment_rule("experiment_below_target", "variant"), Version(plan, people)).values()
    return reading.value


def test_below_target_needs_a_week_and_two_thousand_in_each_group() -> None:
    evidence = below({"control": 2500, "treatment": 10_000})
    assert evidence is not None
    assert evidence >= 2.9957
    assert below({"control": 1900, "treatment": 7600}) == 0.0
    assert below({"control": 2500, "treatment": 10_000}, days=6) == 0.0


@pytest.mark.parametrize(
    ("primary", "target"),
    [
        ("conversion_rate_profile", 0.07), ("conversion_rate_profile", 0.08),
        ("net_revenue_per_profile", 0.1), ("net_revenue_per_profile", 0.12),
    ],
)  # fmt: skip
def test_evidence_of_a_target_missed_is_20_exactly_when_the_whole_interval_is_below_it(
    target: float, primary: str
) -> None:
    plan = registered(target=target, minimum_days=0, primary=primary)
    version = Version(plan, profiles({"control": 2500, "treatment": 10_000}, rate=0.5, seed=3))
    (reading,) = of_trials(experiment_rule("experiment_below_target", "variant"), version).values()
    (report,) = listed(Answers(version), NOW)
    assert reading.value is not None
    assert (reading.value >= math.log(20)) == report.headlines[0].is_below_target


def test_above_its_target_or_without_one_there_is_nothing_to_say() -> None:
    assert below({"control": 2500, "treatment": 10_000}, target=-0.5) == 0.0
    plan = running(won(), target=None)
    assert [each.value for each in of_trials(experiment_rule("experiment_below_target"), plan).values()] == [0.0]


def test_a_guardrail_harmed_is_told_before_the_minimum_of_days() -> None:
    plan = registered(minimum_days=60, guardrails=(Guardrail("conversion_rate_profile", -0.05),))
    people = profiles({"control": 9000, "treatment": 36_000}, lift=-0.4, days=5)
    asked = experiment_rule("guardrail_harm", "variant", "metric", fire=">= 1")
    (values, reading), *_ = of_trials(asked, Version(plan, people)).items()
    assert (values, reading.value) == (("cart", "treatment", "conversion_rate_profile"), 1.0)
    assert reading.context["guardrail"] == "conversion_rate_profile"
    assert reading.context["high"] < -0.05  # type: ignore[operator]


def test_what_is_over_or_not_registered_has_no_reading() -> None:
    finished, seen = lost(), broken()
    seen.is_registered = False
    assert of_trials(experiment_rule("srm_p", fire="< 0.05"), finished, seen) == {}


def test_the_worst_counts_where_a_rule_tells_less_apart() -> None:
    world = world_of(running(lost()))
    by_metric = readings(experiment_rule("uplift_negative_log_e", "metric"), NOW, world)
    assert len(by_metric) > 1
    (reading,) = readings(experiment_rule("uplift_negative_log_e"), NOW, world).values()
    assert reading.value == by_metric["discount-popup", "conversion_rate_profile"].value


def test_the_global_control_is_one_experiment_of_all_use_cases() -> None:
    asked = rule("uplift_negative_log_e", by=("use_case", "variant"), fire=read_condition(">= 2.9957"), every=HOUR)
    plan = registered(experiment_id="global", use_case=EVERYTHING)
    assert set(of_trials(asked, Version(plan, profiles({"control": 50, "treatment": 150})))) == {("all", "treatment")}


def test_experiments_are_computed_again_only_when_their_state_has_moved() -> None:
    answers, stamp = Answers(won()), [1]

    def reads(name: str, **params: Any) -> pl.DataFrame:
        return pl.DataFrame({"position": stamp}) if name == "alert_folded" else answers(name, **params)

    world = World(reads, ZONE)
    for later in range(3):
        world.turn(NOW + later * MINUTE, {})
        readings(experiment_rule("uplift_negative_log_e"), NOW, world)
    assert answers.asked.count("experiment_moments") == 1
    stamp[0] = 2
    world.turn(NOW + 3 * MINUTE, {})
    readings(experiment_rule("uplift_negative_log_e"), NOW, world)
    assert answers.asked.count("experiment_moments") == 2
