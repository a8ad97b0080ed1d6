import math

import numpy as np
import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from cockpit.experiments.interval import Estimate, NotEnoughData, estimate_of, relative
from cockpit.experiments.metrics import METRICS, Metric
from cockpit.experiments.moments import Moments
from cockpit.experiments.strata import PostStratified, Stratum, post_stratified
from tests.experiments.samples import Profile, few, groups, moments_of, shares_of

RATE, AOV, NPS = METRICS["conversion_rate_profile"], METRICS["aov"], METRICS["nps"]
strata = st.lists(st.tuples(groups, groups), min_size=1, max_size=3)
Groups = list[tuple[list[Profile], list[Profile]]]


@few
@given(groups, groups, st.sampled_from([RATE, AOV, NPS]))
def test_one_stratum_is_the_plain_comparison(control: list[Profile], treatment: list[Profile], metric: Metric) -> None:
    c, t = moments_of(control), moments_of(treatment)
    try:
        plain = estimate_of(metric, t), estimate_of(metric, c)
    except NotEnoughData:
        reject()
    found = post_stratified(metric, [(c, t)])
    assert found.treatment == pytest.approx(plain[0])
    assert found.control == pytest.approx(plain[1])
    assert found.covariance == 0


@few
@given(strata)
def test_a_ratio_to_one_is_a_mean(given_groups: Groups) -> None:
    ones = [(_moments(control, per_one=True), _moments(treatment, per_one=True)) for control, treatment in given_groups]
    as_ratio, as_mean = _found(AOV, ones), _found(RATE, ones)
    assert as_ratio.treatment == pytest.approx(as_mean.treatment)
    assert as_ratio.control == pytest.approx(as_mean.control)
    assert as_ratio.covariance == pytest.approx(as_mean.covariance)


@few
@given(strata, st.data())
def test_the_order_of_the_strata_does_not_matter(given_groups: Groups, data: st.DataObject) -> None:
    found = _found(AOV, [(_moments(c), _moments(t)) for c, t in given_groups])
    turned = _found(AOV, [(_moments(c), _moments(t)) for c, t in data.draw(st.permutations(given_groups))])
    assert turned.treatment == pytest.approx(found.treatment)
    assert turned.covariance == pytest.approx(found.covariance, abs=1e-12)


def test_a_mix_that_drifted_apart_does_not_make_an_uplift() -> None:
    # In both segments the treated convert as the control does; only the mix differs, and the plain rates with it.
    loyal, new = (shares_of(40, 100), shares_of(120, 300)), (shares_of(30, 300), shares_of(10, 100))
    found = post_stratified(RATE, [loyal, new])
    assert found.treatment.mean == pytest.approx(found.control.mean) == pytest.approx(0.25)
    plain_control, plain_treatment = loyal[0] + new[0], loyal[1] + new[1]
    assert plain_treatment.y / plain_treatment.n > 1.8 * plain_control.y / plain_control.n


def test_two_strata_worked_by_hand() -> None:
    # 2 + 2 and 2 + 2 profiles of y 0, 2 and 2, 4 on either side: weights 1/2, means 1 and 3, v = s^2/n = 2/2 = 1.
    # V = 2 · (1/4) · 1 + variance of the means 1 over N = 8: 0.625; K = 1/8.
    low, high = moments_of([Profile(0), Profile(2)]), moments_of([Profile(2), Profile(4)])
    found = post_stratified(RATE, [(low, low), (high, high)])
    assert found == (Estimate(2, 0.625), Estimate(2, 0.625), 0.125)
    both = relative(found.treatment, found.control, 0.2, covariance=found.covariance)
    assert both.se**2 == pytest.approx((0.625 + 0.625 - 2 * 0.125) / 4)


def test_strata_too_thin_on_a_side_are_joined() -> None:
    thin = (shares_of(1, 1), shares_of(20, 100)), (shares_of(3, 10), shares_of(0, 1))
    thick = shares_of(30, 100), shares_of(33, 100)
    joined = shares_of(4, 11), shares_of(20, 101)
    assert post_stratified(RATE, [*thin, thick]) == post_stratified(RATE, [joined, thick])


def test_what_is_still_too_thin_joins_the_smallest_stratum() -> None:
    thin, small, large = (Moments(), shares_of(2, 5)), (shares_of(3, 9), shares_of(4, 9)), (shares_of(30, 90),) * 2
    joined = shares_of(3, 9), shares_of(6, 14)
    assert post_stratified(RATE, [thin, large, small]) == post_stratified(RATE, [joined, large])


@pytest.mark.parametrize(
    "given_strata",
    [
        [],
        [(shares_of(1, 1), shares_of(30, 100))],
        [(shares_of(0, 50), shares_of(30, 100)), (shares_of(0, 50), shares_of(30, 100))],
    ],
    ids=["nobody", "one profile on a side", "nobody bought on a side"],
)
def test_too_little_data_is_refused(given_strata: list[Stratum]) -> None:
    with pytest.raises(NotEnoughData):
        post_stratified(RATE, given_strata)


def test_a_ratio_of_nothing_is_refused() -> None:
    idle = moments_of([Profile(0, 0), Profile(1, 0)])
    with pytest.raises(NotEnoughData):
        post_stratified(AOV, [(idle, idle)])


def test_the_standard_error_of_a_ratio_is_how_much_it_varies() -> None:
    # 400 experiments of 600 profiles, three segments drawn anew with them; the scatter of 400 is known to 3.5 %.
    rng = np.random.default_rng(12)
    runs = [_experiment(rng) for _ in range(400)]
    effects = [math.log(run.treatment.mean / run.control.mean) for run in runs]
    errors = [relative(run.treatment, run.control, 0.2, covariance=run.covariance).se for run in runs]
    assert float(np.std(effects)) == pytest.approx(float(np.mean(errors)), rel=0.12)


def _experiment(rng: np.random.Generator) -> PostStratified:
    segment = rng.choice(3, 600, p=[0.5, 0.3, 0.2])
    is_control = rng.random(600) < 0.3
    orders = 1 + rng.poisson(segment)
    spent = orders * (10 + 8 * segment) + rng.poisson(5, 600)
    return post_stratified(
        AOV,
        [
            (
                _sums(spent, orders, (segment == each) & is_control),
                _sums(spent, orders, (segment == each) & ~is_control),
            )
            for each in range(3)
        ],
    )


def _sums(y: np.ndarray, z: np.ndarray, kept: np.ndarray) -> Moments:
    y, z = y[kept], z[kept]
    return Moments(
        n=len(y), y=int(y.sum()), z=int(z.sum()), yy=int((y * y).sum()), yz=int((y * z).sum()), zz=int((z * z).sum())
    )


def _moments(group: list[Profile], *, per_one: bool = False) -> Moments:
    return moments_of(profile._replace(z=1) for profile in group) if per_one else moments_of(group)


def _found(metric: Metric, given_strata: list[Stratum]) -> PostStratified:
    try:
        return post_stratified(metric, given_strata)
    except NotEnoughData:
        reject()
