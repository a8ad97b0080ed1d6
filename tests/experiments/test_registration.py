from typing import Any

import msgspec
import pytest

from cockpit.errors import CallerError
from cockpit.experiments.registration import Guardrail, Registration, Variant

PLAN = {"experiment_id": "cart", "variants": [{"id": "control", "share": 0.05}, {"id": "new", "share": 0.95}]}


def sent(**changed: Any) -> Registration:
    return Registration.of(PLAN | changed)


def test_the_least_that_must_be_said_gets_the_defaults_of_the_design() -> None:
    found = sent()
    assert (found.version, found.control, found.primary) == ("1", "control", "conversion_rate_profile")
    assert (found.mde, found.minimum_days) == (0.20, 14)
    assert not found.is_program
    assert found.shares == {"control": 0.05, "new": 0.95}


def test_it_is_judged_by_each_metric_once_the_primary_first() -> None:
    found = sent(
        primary="aov",
        secondary=["revenue_per_profile", "aov"],
        guardrails=[{"metric": "unsubscribe_rate_profile", "limit": 0.2}, {"metric": "aov", "limit": -0.02}],
    )
    assert found.metrics == ("aov", "revenue_per_profile", "unsubscribe_rate_profile")
    assert found.guardrails == (Guardrail("unsubscribe_rate_profile", 0.2), Guardrail("aov", -0.02))


def test_the_global_control_is_the_one_of_every_use_case() -> None:
    assert sent(use_case="*").is_program
    assert not sent(use_case="cart_recovery").is_program


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"variants": [{"id": "control", "share": 0.5}]}, "two variants"),
        ({"variants": [{"id": "control", "share": 0.5}] * 2}, "each once"),
        ({"control": "holdout"}, "'holdout' is none of the variants control, new"),
        ({"variants": [{"id": "control", "share": 0.1}, {"id": "new", "share": 0.8}]}, "add up to 1"),
        ({"variants": [{"id": "control", "share": 0.0}, {"id": "new", "share": 1.0}]}, "share"),
        ({"primary": "clicks"}, "no metric 'clicks'"),
        ({"secondary": ["clicks"]}, "no metric 'clicks'"),
        ({"guardrails": [{"metric": "clicks", "limit": 0.1}]}, "no metric 'clicks'"),
        ({"smallest_differences": {"clicks": 3}}, "no metric 'clicks'"),
        ({"mde": 0}, "mde"),
        ({"minimum_days": -1}, "minimum_days"),
        ({"experiment_id": ""}, "experiment_id"),
        ({"allocation": "greedy"}, "allocation"),
        ({"chance_to_win": 0.95}, "chance_to_win"),
    ],
)
def test_a_plan_that_cannot_be_meant_is_refused_saying_why(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(CallerError, match=message):
        sent(**changed)


def test_shares_that_add_up_but_for_rounding_are_taken() -> None:
    thirds = [{"id": name, "share": 1 / 3} for name in ("control", "a", "b")]
    assert len(sent(variants=thirds).shares) == 3


def test_the_smallest_difference_is_the_registrations_or_the_metrics() -> None:
    found = sent(smallest_differences={"margin_per_profile": 120})
    assert found.smallest_difference("margin_per_profile") == 120
    assert found.smallest_difference("nps") == 0.05


def test_it_survives_the_way_through_json() -> None:
    found = sent(use_case="*", hypothesis="Lembretes trazem de volta", target=0.05)
    assert Registration.of(msgspec.json.decode(msgspec.json.encode(found))) == found
    assert found.variants[0] == Variant("control", 0.05)
