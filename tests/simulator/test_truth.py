from datetime import UTC, datetime, timedelta

import pytest

from cockpit.clock import to_us
from cockpit.errors import BadSetting
from cockpit.simulator.truth import Incident, load
from tests.simulator.shop import scenario

NINE = datetime(2026, 11, 20, 9, tzinfo=UTC)


def is_on(incident: Incident, at: datetime) -> bool:
    return incident.is_on(to_us(at))


def test_an_incident_without_a_period_happens_once() -> None:
    once = Incident(kind="silent_channel", target="app", begins_at=NINE, lasts_minutes=5)
    assert not is_on(once, NINE - timedelta(seconds=1))
    assert is_on(once, NINE)
    assert is_on(once, NINE + timedelta(minutes=4, seconds=59))
    assert not is_on(once, NINE + timedelta(minutes=5))


def test_an_incident_with_a_period_comes_back() -> None:
    often = Incident(kind="silent_channel", target="app", every_minutes=20, lasts_minutes=3)
    minutes = [is_on(often, NINE + timedelta(minutes=minute)) for minute in range(60)]
    assert sum(minutes) == 9
    assert minutes[:20] == minutes[20:40] == minutes[40:]


def test_values_are_overridden_by_their_path() -> None:
    truth = scenario("use_cases.churn.uplift=-0.2", "segments.vip.profiles=7").truth
    assert truth.use_cases["churn"].uplift == -0.2
    assert truth.segments["vip"].profiles == 7


@pytest.mark.parametrize(
    "override", ["use_cases.cart.uplif=0.1", "nonsense", "lost_share=", "use_cases.cart.uplift=high"]
)
def test_an_override_that_means_nothing_is_refused_by_name(override: str) -> None:
    with pytest.raises(BadSetting, match=override.split("=", maxsplit=1)[0]):
        scenario(override)


@pytest.mark.parametrize("override", ['lost_share="much"', "channels={}"])
def test_a_value_that_cannot_be_is_refused(override: str) -> None:
    with pytest.raises(BadSetting, match="scenario"):
        scenario(override)


def test_more_who_refuse_than_are_suppressed_is_refused() -> None:
    with pytest.raises(BadSetting, match="refusal_share"):
        scenario("use_cases.cart.suppressed_share=0.005")


def test_a_text_that_is_no_scenario_is_refused() -> None:
    with pytest.raises(BadSetting, match="scenario"):
        load("[truth]\n")


def test_delivery_dilutes_the_uplift_of_those_who_were_meant_to_get_it() -> None:
    # by hand: 0.25 * (1 - 0.08) * (1 - 0.015)
    assert scenario().truth.use_cases["cart"].uplift_by_intention == pytest.approx(0.22655)
