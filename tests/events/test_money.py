from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.events.amounts import costs_to_minor, quick_cents, values_to_minor
from cockpit.events.frame import Flag
from cockpit.events.money import Amount, cost_of_goods, to_minor
from tests.events.shared import row

any_amount = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(0, 1e7).map(lambda amount: round(amount, 2)),
    st.integers(0, 10**9).map(lambda cents: cents / 100),
    st.floats(0, 1e5).map(lambda amount: round(amount, 3)),
)


def by_definition(number: float) -> int | None:
    """Decimal of the shortest text, times 100, half to even."""
    if abs(number) >= 1e16:
        return None
    return int(Decimal(repr(number)).scaleb(2).quantize(Decimal(1), ROUND_HALF_EVEN))


@given(st.lists(any_amount, min_size=1, max_size=20))
def test_the_quick_way_is_the_decimal_way(numbers: list[float]) -> None:
    cents, is_exact = quick_cents(np.array(numbers))
    for number, quick, holds in zip(numbers, cents.tolist(), is_exact.tolist(), strict=True):
        if holds:
            assert quick == by_definition(number) == to_minor(number, 2).cents
            assert not to_minor(number, 2).is_rounded


@given(st.floats(0, 1e7).map(lambda amount: round(amount, 2)))
def test_ordinary_prices_take_the_quick_way(number: float) -> None:
    assert quick_cents(np.array([number]))[1].all()


@given(any_amount)
def test_every_amount_is_the_decimal_of_its_shortest_text(number: float) -> None:
    if (expected := by_definition(number)) is not None:
        assert to_minor(number, 2).cents == expected


@pytest.mark.parametrize(
    ("number", "places", "cents", "is_rounded"),
    [
        (379.8, 2, 37980, False),
        (0.1, 2, 10, False),
        (1.005, 2, 100, True),  # half to even; float multiplication would say 100.49999999999999
        (1.015, 2, 102, True),
        (2.675, 2, 268, True),
        (1099, 0, 1099, False),
        (1.234, 3, 1234, False),
        ("99.90", 2, 9990, False),
        (" 12 ", 2, 1200, False),
        ("1e2", 2, 10000, False),
        (9223372036854775807, 0, 9223372036854775807, False),
    ],
)
def test_worked_amounts(number: object, places: int, cents: int, is_rounded: bool) -> None:  # noqa: FBT001
    assert to_minor(number, places) == Amount(cents, is_rounded)


@pytest.mark.parametrize(
    "number", ["NaN", "Infinity", "", "R$ 10", "1_000", "٣", True, None, {}, [], 1e300, 2**63, "1e999", "9" * 50]
)
def test_what_is_no_amount_or_does_not_fit_is_unknown(number: object) -> None:
    assert to_minor(number, 2).cents is None


@pytest.mark.parametrize(
    ("properties", "currency", "cents", "flags"),
    [
        ({"value": 99.9, "currency": "BRL"}, "BRL", 9990, 0),
        ({"value": 99.9, "currency": "brl "}, "BRL", 9990, 0),
        ({"value": 99.9}, "BRL", 9990, Flag.CURRENCY_ASSUMED),
        ({"value": 1099, "currency": "JPY"}, "JPY", 1099, 0),
        ({"value": 1.5, "currency": "KWD"}, "KWD", 1500, 0),
        ({"value": 1.005, "currency": "BRL"}, "BRL", 100, Flag.VALUE_ROUNDED),
        ({"value": -5, "currency": "BRL"}, "BRL", -500, Flag.VALUE_FLAGGED),
        ({"value": 10**13, "currency": "BRL"}, "BRL", 10**15, Flag.VALUE_FLAGGED),
        ({"value": 5.0, "currency": "BTC"}, None, None, Flag.VALUE_FLAGGED),
        ({"value": "NaN", "currency": "BRL"}, "BRL", None, Flag.VALUE_FLAGGED),
        ({"revenue": 5, "total": 6, "currency": "BRL"}, "BRL", 500, 0),
        ({"value": None, "total": 6, "currency": "BRL"}, "BRL", 600, 0),
        ({"currency": "BRL"}, "BRL", None, 0),
        ({}, None, None, 0),
    ],
)
def test_money_of_an_event(properties: dict[str, Any], currency: str | None, cents: int | None, flags: int) -> None:
    stored = row({"properties": properties})
    assert (stored["currency"], stored["value_cents"], stored["flags"]) == (currency, cents, flags)


@pytest.mark.parametrize(
    ("properties", "cents"),
    [
        ({"items": [{"cost": 10.5, "quantity": 2}, {"cost": 1.25}]}, 2225),
        ({"items": [{"cost": 10.5, "quantity": 2}, {"price": 1.25}]}, None),
        ({"items": [{"cost": 10.5}, {"price": 1.25}], "cost": 4}, 400),
        ({"items": [], "cost": 4}, 400),
        ({"cost": "4.20"}, 420),
        ({"cost": -4}, None),
        ({"items": [{"cost": 0.333, "quantity": 3}]}, 100),  # 0.999, rounded once
        ({"items": [{"cost": 1, "quantity": 2.5}]}, 250),
        ({"items": [{"cost": -1.0}]}, None),
        ({"items": [7]}, None),
        ({"items": {}}, None),
        ({"products": [{"cost": 3.0, "quantity": 0}]}, 0),
        ({"items": [{"cost": 1e9, "quantity": 99_999}]}, 9_999_900_000_000_000),
    ],
)
def test_cost_of_the_goods(properties: dict[str, Any], cents: int | None) -> None:
    assert row({"properties": properties})["cost_cents"] == cents


goods = st.lists(
    st.fixed_dictionaries(
        {}, optional={"cost": st.one_of(any_amount, st.integers(-5, 10**9)), "quantity": st.integers(-1, 200_000)}
    ),
    max_size=4,
)


@given(st.lists(goods, min_size=1, max_size=6))
def test_costs_of_many_events_are_those_of_each(orders: list[list[dict[str, Any]]]) -> None:
    nothing = [None] * len(orders)
    assert costs_to_minor(orders, nothing, [2] * len(orders)) == [cost_of_goods(items, None, 2) for items in orders]


@given(
    st.lists(
        st.tuples(st.one_of(any_amount, st.none(), st.text(max_size=5)), st.sampled_from([0, 2, 3, None])), min_size=1
    )
)
def test_values_of_many_events_are_those_of_each(amounts: list[tuple[Any, int | None]]) -> None:
    together = values_to_minor([value for value, _ in amounts], [places for _, places in amounts])
    alone = [values_to_minor([value], [places]) for value, places in amounts]
    assert together.cents == [one.cents[0] for one in alone]
    assert together.flags == [one.flags[0] for one in alone]
