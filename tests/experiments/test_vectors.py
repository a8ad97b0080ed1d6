"""Our numbers against those of public engines: ../shared/data/stat_vectors.json, each with its source and tolerance.

Engines for one look are held against our means and variances through `fixed_sample`. A vector is checked here by a
function that names it, or listed with the reason why Cockpit does not compute what it holds.
"""

import json
import math
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from statistics import NormalDist
from typing import Any

import pytest
from msgspec.structs import replace

from cockpit.config import ROOT
from cockpit.experiments.cuped import Spread, adjusted, spread_of
from cockpit.experiments.interval import (
    Estimate,
    Interval,
    NotEnoughData,
    best_information,
    log_e_value,
    mean_of,
    multiplier,
    ratio_of,
    relative,
    tau_of,
)
from cockpit.experiments.metrics import METRICS
from cockpit.experiments.moments import Moments
from cockpit.experiments.money import incremental, incremental_margin, per_day
from cockpit.experiments.power import POWER, profiles_for_difference
from cockpit.experiments.rates import bernoulli_interval
from cockpit.experiments.sample_ratio import log_bayes_factor, sequential
from cockpit.experiments.strata import post_stratified
from cockpit.kpis.alive import BgNbd, alive
from tests.experiments.fixed_sample import Fixed, Sample, delta, difference
from tests.experiments.samples import Profile, moments_of, shares_of

FILE = ROOT.parent / "shared" / "data" / "stat_vectors.json"
VECTORS: dict[str, Any] = (
    {each["id"]: each for each in json.loads(FILE.read_text())["vectors"]} if FILE.exists() else {}
)  # fmt: skip
pytestmark = pytest.mark.skipif(not VECTORS, reason="../shared/data has no stat_vectors.json")

NOT_COMPUTED = {
    "cs-quantile-ab": "percentiles are not compared between variants (section 16: not decided)",
    "gb-quantile-abs": "percentiles are not compared between variants (section 16: not decided)",
    "gb-seq-onesided-gt-abs": "no one-sided interval; its estimate is that of gb-onesided-gt-abs",
    "sc-gst-adjusted-alpha": "no group sequential test: it needs a planned end (section 5.4)",
    "tt-by": "no correction of p-values: segments have e-BH (section 13)",
    "tt-holm": "no correction of p-values: segments have e-BH (section 13)",
    "tt-power-effect": "noncentral t, one-sided; ours is the normal formula of section 10",
    "tt-power-nobs": "noncentral t: 8,236 where the normal formula of section 10 gives 8,234",
    "tt-prop-z-corr": "pooled variance of a proportion; ours is each variant's own",
}

SIDES = ("treatment", "control")
DIGITS = 12  # sums of fractions are put into whole numbers, as money is into cents
Vector = Mapping[str, Any]
Check = Callable[[Vector], None]
CHECKED: dict[str, Check] = {}


def checks(*ids: str) -> Callable[[Check], Check]:
    def named(check: Check) -> Check:
        CHECKED.update(dict.fromkeys(ids, check))
        return check

    return named


def test_every_vector_is_checked_or_has_a_reason_not_to_be() -> None:
    assert not CHECKED.keys() & NOT_COMPUTED.keys()
    assert CHECKED.keys() | NOT_COMPUTED.keys() == VECTORS.keys()
    assert all(re.fullmatch(r"\S.{10,}", reason) for reason in NOT_COMPUTED.values())


@checks("cs-normal-bound", "cs-rho")
def the_multiplier_at_its_best(vector: Vector) -> None:
    alpha = vector["params"].get("alpha", 0.05)
    v_opt = vector["inputs"]["v_opt"]
    if "rho" in vector["expected"]:
        assert v_opt / best_information(alpha) == near(vector, "rho")
    else:
        assert vector["inputs"]["v"] == v_opt
        assert math.sqrt(v_opt) * multiplier(best_information(alpha), alpha) == near(vector, "bound")


@checks("cs-bernoulli")
def the_interval_of_one_rate(vector: Vector) -> None:
    for (successes, trials, t_opt), bounds in zip(vector["inputs"]["cases"], vector["expected"]["ci"], strict=True):
        found = bernoulli_interval(successes, trials, t_opt, vector["params"]["alpha"])
        assert found is not None
        assert (found.low, found.high) == pytest.approx(bounds, abs=vector["abs_tol"])


@checks("gb-mean-abs", "gb-onesided-gt-abs", "gb-onesided-lt-abs", "sc-mean-small")
def difference_of_means(vector: Vector) -> None:
    hold(vector, difference(*pair(vector)))


@checks("gb-mean-rel", "ph-prop-rel")
def relative_difference_of_means(vector: Vector) -> None:
    hold(vector, delta(*pair(vector)))


@checks("ph-bayes-mean")
def relative_difference_under_a_flat_prior(vector: Vector) -> None:
    """The posterior is the sampling distribution: chance to win is the normal tail."""
    found = delta(*pair(vector))._replace(freedom=None)
    hold(vector, found)
    assert found.below() == near(vector, "chance_to_win")


@checks("gb-bayes-mean-prior")
def relative_difference_under_a_normal_prior(vector: Vector) -> None:
    """Both weighed by their precision; risk is the normal's mean beyond 0."""
    seen, prior = delta(*pair(vector)), vector["params"]["prior"]
    precision = 1 / seen.se**2 + 1 / prior["variance"]
    mean = (seen.estimate / seen.se**2 + prior["mean"] / prior["variance"]) / precision
    found = Fixed(mean, precision**-0.5)
    hold(vector, found)
    assert found.below() == near(vector, "chance_to_win")
    gain = mean * found.below() + found.se * NormalDist().pdf(mean / found.se)
    assert [gain, gain - mean] == near(vector, "risk")


@checks("gb-ratio-rel")
def relative_difference_of_ratios(vector: Vector) -> None:
    samples = {name: ratio_sample(vector["inputs"][name]) for name in ("control", "treatment")}
    for name, sample in samples.items():
        assert sample.estimate.mean == near(vector, f"{name}_value")
    hold(vector, delta(samples["treatment"], samples["control"]))


@checks("tt-ratio-greater-eqvar")
def ratios_with_the_variance_of_both(vector: Vector) -> None:
    """Student's t: the profiles' variance is pooled, on either scale."""
    control, treatment = (orders_per_session(vector["inputs"][name]) for name in ("control", "treatment"))
    assert control.estimate.mean == near(vector, "control_value")
    assert treatment.estimate.mean == near(vector, "treatment_value")
    found = pooled(treatment, control)
    assert found.estimate == near(vector, "abs_estimate")
    assert found.estimate / found.se == near(vector, "statistic")
    assert 1 - found.below() == near(vector, "p")
    assert [found.interval(0.90)[0], None] == near(vector, "abs_ci")
    assert treatment.estimate.mean / control.estimate.mean - 1 == near(vector, "rel_estimate")
    logs = pooled(on_the_log_scale(treatment), on_the_log_scale(control))
    assert [math.expm1(logs.interval(0.90)[0]), None] == near(vector, "rel_ci_log")


@checks("tt-delta-var")
def the_variance_of_a_ratio(vector: Vector) -> None:
    """Three profiles with these means, variances and covariance: y 15 and yy 81, z 12 and zz 52, yz 62."""
    found = ratio_of(Moments(n=3, y=15, yy=81, z=12, zz=52, yz=62))
    assert 3 * found.variance == near(vector, "ratio_var")


@checks("sc-prop-ci")
def shares_of_one_group(vector: Vector) -> None:
    """Wald's variance is that of the population: ours times (n - 1)/n."""
    found = [Fixed(*wald(group["sum"], group["n"])).interval() for group in vector["inputs"]["groups"]]
    assert [low for low, _ in found] == near(vector, "ci_lower")
    assert [high for _, high in found] == near(vector, "ci_upper")


@checks("tt-prop-z-unpooled-corr")
def shares_of_two_groups_on_the_log_scale(vector: Vector) -> None:
    """Its continuity correction, half a profile on either side, is added here."""
    (n_t, treated), (n_c, held) = (vector["inputs"][name].values() for name in SIDES)
    (mean_t, se_t), (mean_c, se_c) = wald(treated, n_t), wald(held, n_c)
    step = (1 / n_t + 1 / n_c) / 2
    low, high = Fixed(mean_t - mean_c, math.hypot(se_t, se_c)).interval()
    assert [low - step, high + step] == near(vector, "abs_ci")
    found = relative(Estimate(mean_t, se_t**2), Estimate(mean_c, se_c**2), tau_of(0.2))
    low, high = Fixed(found.effect, found.se).interval()
    assert [math.expm1(low - step / mean_c), math.expm1(high + step / mean_c)] == near(vector, "rel_ci_log")


@checks("sc-prop-diff-naive-rel")
def the_relative_interval_that_takes_the_control_for_certain(vector: Vector) -> None:
    """Ours, and the ordinary one on our scale, must be wider."""
    treatment, control = pair(vector)
    naive_low, naive_high = vector["expected"]["naive_rel_ci"]
    found = relative(treatment.estimate, control.estimate, tau_of(0.20))
    assert found.estimate == near(vector, "naive_rel_estimate")
    assert found.low < naive_low < naive_high < found.high
    low, high = Fixed(found.effect, found.se).interval()
    assert math.expm1(high) - math.expm1(low) > naive_high - naive_low


@checks("gb-zero-variance")
def squares_too_small_for_their_sum(vector: Vector) -> None:
    with pytest.raises(NotEnoughData):
        mean_of(sums_of(vector["inputs"]["control"]))


@checks("gb-seq-prop-rel")
def the_sequential_interval_of_means(vector: Vector) -> None:
    hold_sequential(vector, delta(*pair(vector)))


@checks("gb-seq-cuped-rel")
def the_sequential_interval_after_cuped(vector: Vector) -> None:
    treatment, control = (paired(vector["inputs"][name]) for name in SIDES)
    both = spread_of(treatment + control)
    times = treatment.y / treatment.n / (control.y / control.n)
    hold_sequential(vector, cuped_delta(treatment, control, both.joint / both.covariate, times))


@checks("gb-theta")
def the_slope_of_cuped(vector: Vector) -> None:
    """What `adjusted` takes off a side, over how far its covariate is from everybody's."""
    rows = [(y, 0.0, x, 0.0) for y, x in zip(vector["inputs"]["post"], vector["inputs"]["pre"], strict=True)]
    half, everybody = raw(rows[:2]), raw(rows * 2)
    found = adjusted(METRICS["revenue_per_profile"], everybody - half, half)
    assert found is not None
    assert (half.y / 2 - found[1].mean) / (half.x / 2 - everybody.x / 8) == near(vector, "theta")


@checks("gb-cuped-ratio-rel")
def cuped_of_ratios(vector: Vector) -> None:
    """Its slope adds the variants without weights; they are of equal size here."""
    treatment, control = (components(vector["inputs"][name]) for name in SIDES)
    t, c = spread_of(treatment), spread_of(control)
    hold(vector, cuped_delta(treatment, control, (t.joint + c.joint) / (t.covariate + c.covariate)))


@checks("gb-cuped-ratio-raw-declining")
def cuped_of_ratios_of_a_metric_below_zero(vector: Vector) -> None:
    columns, slope = vector["inputs"]["raw"], vector["params"]["theta"]
    names = ("m_post", "d_post", "m_pre", "d_pre")
    rows = [zip(*(columns[f"{name}_{side}"] for name in names), strict=True) for side in ("b", "a")]
    treatment, control = (raw(list(side)) for side in rows)
    found = cuped_delta(treatment, control, slope)
    hold(vector, found)
    turned = cuped_delta(negated(treatment), negated(control), slope)
    assert (turned.estimate, turned.se) == pytest.approx((-found.estimate, found.se))


@checks("gb-poststrat")
def the_mix_of_all_on_both_sides(vector: Vector) -> None:
    strata = vector["inputs"]["strata_control_treatment"]
    found = post_stratified(
        METRICS["revenue_per_profile"],
        [(of_sums(*control), of_sums(*treatment)) for control, treatment in strata],
    )
    treatment, control, covariance = found
    plain_se = math.sqrt(treatment.variance + control.variance - 2 * covariance)
    unit = whole(1)
    assert (treatment.mean - control.mean) / unit == near(vector, "estimate_abs")
    assert plain_se / unit == near(vector, "se_abs")
    uplift = relative(treatment, control, tau_of(0.2), covariance=covariance)
    assert uplift.estimate == near(vector, "estimate_rel")
    assert uplift.se * (1 + uplift.estimate) == near(vector, "se_rel")


@checks("ssrm-unit")
def the_evidence_against_the_planned_shares(vector: Vector) -> None:
    """Their prior (1, 1, 1) is ours around thirds: the likelihood of thirds is added back to get theirs.

    The likelihood of the plan is what is left of ours around the plan, of which each step predicts the next profile.
    """
    null = dict(zip("abc", vector["inputs"]["null"], strict=True))
    thirds = dict.fromkeys("abc", 1 / 3)
    counts, predicted, alternative, planned = dict.fromkeys("abc", 0), 0.0, [], []
    for seen, row in enumerate(vector["inputs"]["data"]):
        (variant,) = (name for name, is_there in zip("abc", row, strict=True) if is_there)
        predicted += math.log((3 * null[variant] + counts[variant]) / (3 + seen))
        counts[variant] += 1
        alternative.append(log_bayes_factor(counts, thirds, 3) + (seen + 1) * math.log(1 / 3))
        planned.append(predicted - log_bayes_factor(counts, null, 3))
    assert alternative == near(vector, "log_ml_M1")
    assert planned == near(vector, "log_ml_M0")


@checks("tt-srm-z")
def the_chi_square_of_the_shares(vector: Vector) -> None:
    counts, weights = (dict(zip("ab", vector["inputs"][key], strict=True)) for key in ("counts", "weights"))
    assert sequential([counts], weights).chi_square_p == near(vector, "p")


@checks("gb-annual-impact")
def the_worth_of_an_uplift_in_a_year(vector: Vector) -> None:
    """Of the users in the treatment; a year at this pace, had everybody been treated."""
    given = vector["inputs"]
    treated_total = whole(given["users"] * given["baseline"] * (1 + given["lift"]))
    pace = per_day(incremental(treated_total, certain(given["lift"])), given["days"]).estimate / whole(1)
    assert pace * 365 / (given["coverage"] * given["split"]) == near(vector, "impact_per_year")


@checks("st-topline")
def the_worth_of_a_difference_in_a_day(vector: Vector) -> None:
    """In cents, to the nearest."""
    given = vector["inputs"]
    cents = incremental_margin(certain(100 * given["delta_per_user"], is_relative=False), given["n_treatment"])
    assert per_day(cents, given["days"]).estimate / 100 == near(vector, "topline_per_day")


@checks("lt-bgnbd-cdnow")
def the_chance_to_be_alive(vector: Vector) -> None:
    """Its purchases expected are not computed by Cockpit; the chance in its note is, to the printed digits."""
    given = vector["inputs"]
    model = BgNbd(r=given["r"], alpha=given["alpha"], a=given["a"], b=given["b"])
    assert "0.7266" in vector["note"]
    assert alive(model, repeats=given["x"], last_at=given["t_x"], age=given["T"]) == pytest.approx(0.7266, abs=5.1e-5)


@checks("sc-power-binom")
def profiles_for_a_tenth_in_control(vector: Vector) -> None:
    """The sizes given reach 80 % to half a point, that is a hundredth of the profiles."""
    given, alpha = vector["inputs"], vector["params"]["alpha"]
    total = given["n1"] + given["n2"]
    needed = profiles_for_difference(given["var"], given["n2"] / total, given["mde"], alpha, is_live=False)
    reach = POWER + NormalDist().inv_cdf(1 - alpha / 2)
    power = NormalDist().cdf(reach * math.sqrt(total / needed) - NormalDist().inv_cdf(1 - alpha / 2))
    assert power == near(vector, "power")


@checks("sc-n-binom-small")
def profiles_for_a_small_difference(vector: Vector) -> None:
    """Ours has a power of 80 %: put to theirs by the sum of the two quantiles."""
    given, params = vector["inputs"], vector["params"]
    variance = given["p0"] * (1 - given["p0"])
    needed = profiles_for_difference(variance, 0.5, given["mde"], params["alpha"], is_live=False)
    at = NormalDist().inv_cdf(1 - params["alpha"] / 2)
    scale = ((at + NormalDist().inv_cdf(params["power"])) / (at + POWER)) ** 2
    assert needed * scale == near(vector, "n_total")


@checks("gb-power-seq")
def the_power_of_a_sequential_test(vector: Vector) -> None:
    """The present sample and the factor times it more: the smallest effect beyond B standard errors."""
    treatment, control = pair(vector)
    present, times = delta(treatment, control), 1 + vector["expected"]["scaling_factor"]
    information = (treatment.n + control.n) * times * rho2(vector)
    effect = vector["params"]["mde"] / (present.se / math.sqrt(times))
    found = NormalDist().cdf(effect - multiplier(information, vector["params"]["alpha"]))
    assert found == near(vector, "power_at_factor")


@pytest.mark.parametrize("vector_id", CHECKED)
def test_it_is_found_to_its_tolerance(vector_id: str) -> None:
    CHECKED[vector_id](VECTORS[vector_id])


def near(vector: Vector, key: str) -> Any:
    """What is expected there; a bound that is None there must be None."""
    expected = vector["expected"][key]
    if isinstance(expected, list) and None in expected:
        return [None if each is None else pytest.approx(each, abs=vector["abs_tol"]) for each in expected]
    return pytest.approx(expected, abs=vector["abs_tol"])


def hold(vector: Vector, found: Fixed) -> None:
    """All of the estimate, its error, its interval and p that the vector has."""
    side = vector["params"].get("alternative")
    low, high = found.interval(0.90 if side else 0.95)
    p = {None: found.p(), "greater": 1 - found.below(), "less": found.below()}[side]
    bounds = {None: [low, high], "greater": [low, None], "less": [None, high]}[side]
    for key, value in {"estimate": found.estimate, "se": found.se, "p": p, "ci": bounds}.items():
        if key in vector["expected"]:
            assert value == near(vector, key), key


def hold_sequential(vector: Vector, found: Fixed) -> None:
    """Information counted in users, tuned to N*: section 5.1's table, first row."""
    users = sum(vector["inputs"][side].get("n") or vector["inputs"][side]["post"]["n"] for side in SIDES)
    information = users * rho2(vector)
    reach = found.se * multiplier(information, vector["params"]["alpha"])
    assert found.estimate == near(vector, "estimate")
    assert found.se == near(vector, "se")
    assert [found.estimate - reach, found.estimate + reach] == near(vector, "ci")
    assert min(1.0, math.exp(-log_e_value(information, found.estimate / found.se))) == near(vector, "p")


def rho2(vector: Vector) -> float:
    n_star: int = vector["params"]["n_star"]
    return best_information(vector["params"]["alpha"]) / n_star


def cuped_delta(treatment: Moments, control: Moments, slope: float, times: float | None = None) -> Fixed:
    """Adjusted difference over the unadjusted control, as gbstats has it (section 22).

    The control's noise counts `times`: treatment over control, adjusted unless it is given.
    """
    (ratio_t, past_t), (ratio_c, past_c) = ((side.y / side.z, side.x / side.w) for side in (treatment, control))
    gap = ratio_t - ratio_c - slope * (past_t - past_c)
    variance = rest(spread_of(treatment), slope) + rest(spread_of(control), slope, times or 1 + gap / ratio_c)
    sides = [Sample(Estimate(0, rest(spread_of(side), slope)), side.n) for side in (treatment, control)]
    return difference(*sides)._replace(estimate=gap / abs(ratio_c), se=math.sqrt(variance) / abs(ratio_c))


def rest(spread: Spread, slope: float, times: float = 1) -> float:
    return times**2 * spread.outcome - 2 * slope * times * spread.joint + slope**2 * spread.covariate


def negated(side: Moments) -> Moments:
    return replace(side, y=-side.y, x=-side.x, yz=-side.yz, yw=-side.yw, zx=-side.zx, xw=-side.xw)


def pooled(treatment: Sample, control: Sample) -> Fixed:
    sizes, freedom = (treatment.n, control.n), treatment.n + control.n - 2
    spreads = (n * (n - 1) * each.estimate.variance for n, each in zip(sizes, (treatment, control), strict=True))
    one = sum(spreads) / freedom
    gap = treatment.estimate.mean - control.estimate.mean
    return Fixed(gap, math.sqrt(one * (1 / sizes[0] + 1 / sizes[1])), freedom)


def on_the_log_scale(sample: Sample) -> Sample:
    mean, variance = sample.estimate
    return Sample(Estimate(math.log(mean), variance / mean**2), sample.n)


def certain(effect: float, *, is_relative: bool = True) -> Interval:
    return Interval(
        estimate=effect, low=effect, high=effect, log_e=0, se=0, information=1, multiplier=1, is_relative=is_relative
    )


def wald(successes: int, n: int) -> tuple[float, float]:
    mean, variance = mean_of(shares_of(successes, n))
    return mean, math.sqrt(variance * (n - 1) / n)


def pair(vector: Vector) -> tuple[Sample, Sample]:
    """Treatment and control, in the vector's unit."""
    first, second = (mean_sample(vector["inputs"][name]) for name in SIDES)
    return first, second


def mean_sample(given: Mapping[str, Any]) -> Sample:
    if "sum_squares" not in given:
        mean, se = wald(given["sum"], given["n"])
        return Sample(Estimate(mean, se**2), given["n"])
    mean, variance = mean_of(sums_of(given))
    return Sample(Estimate(mean / whole(1), variance / whole(1) ** 2), given["n"])


def sums_of(given: Mapping[str, Any]) -> Moments:
    return of_sums(given["n"], given["sum"], given["sum_squares"])


def of_sums(n: int, total: float, squares: float) -> Moments:
    return Moments(n=n, y=whole(total), yy=whole(squares, 2))


def ratio_sample(given: Mapping[str, Any]) -> Sample:
    (m, mm), (d, dd) = given["m"], given["d"]
    sums = Moments(n=given["n"], y=whole(m), yy=whole(mm, 2), z=whole(d), zz=whole(dd, 2), yz=whole(given["m_d"], 2))
    return Sample(ratio_of(sums), given["n"])


def orders_per_session(given: Mapping[str, Any]) -> Sample:
    """Whole orders and sessions, back from their means, variances and covariance."""
    n, mean, var = given["n"], given["mean"], given["var"]
    y, z = round(n * mean["orders"]), round(n * mean["sessions"])
    products = {
        "yy": (n - 1) * var["orders"] + y * y / n,
        "zz": (n - 1) * var["sessions"] + z * z / n,
        "yz": (n - 1) * given["cov"]["sessions*orders"] + y * z / n,
    }
    sums = Moments(n=n, y=y, z=z, **{name: round(value) for name, value in products.items()})
    return Sample(ratio_of(sums), n)


def paired(given: Mapping[str, Any]) -> Moments:
    """A mean and its covariate, both per 1."""
    post, pre, n = given["post"], given["pre"], given["post"]["n"]
    y, x = whole(post["sum"]), whole(pre["sum"])
    return Moments(
        n=n, y=y, z=n, x=x, w=n, yy=whole(post["sum_squares"], 2), xx=whole(pre["sum_squares"], 2),
        yx=whole(given["post_pre"], 2), yz=y, yw=y, zx=x, xw=x, zz=n, zw=n, ww=n,
    )  # fmt: skip


def components(given: Mapping[str, Any]) -> Moments:
    m, d, p, q = (given[name] for name in ("m_post", "d_post", "m_pre", "d_pre"))
    products = {
        "yx": "m_post_m_pre", "zw": "d_post_d_pre", "xw": "m_pre_d_pre", "yz": "m_post_d_post", "yw": "m_post_d_pre",
        "zx": "m_pre_d_post",
    }  # fmt: skip
    return Moments(
        n=given["n"], y=whole(m[0]), z=whole(d[0]), x=whole(p[0]), w=whole(q[0]),
        yy=whole(m[1], 2), zz=whole(d[1], 2), xx=whole(p[1], 2), ww=whole(q[1], 2),
        **{name: whole(given[key], 2) for name, key in products.items()},
    )  # fmt: skip


def raw(rows: list[tuple[float, float, float, float]]) -> Moments:
    """Of profiles one by one."""
    return moments_of(Profile(*(whole(value) for value in row)) for row in rows)


def whole(value: float, power: int = 1) -> int:
    """In the smallest unit, or its square: exact for the digits that are printed."""
    return round(Decimal(str(value)).scaleb(power * DIGITS))
