from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit.measures.offers import offer_measures
from tests.fold_tables import DAY, HOUR, Row, day_of, folded, on_polars, totals, touch, touches


def view(at: int, promotion: str | None = "p", **columns: Any) -> Row:
    return touch("view_promotion", at, subject=promotion, **columns)


def take(at: int, promotion: str | None = "p", **columns: Any) -> Row:
    return touch("select_promotion", at, subject=promotion, **columns)


def counts(*rows: Row) -> tuple[int, int]:
    found = totals(folded(offer_measures, touches(*rows)))
    return found.get("offers_shown", 0), found.get("offers_taken", 0)


def test_a_profile_sees_an_offer_once_a_day() -> None:
    assert counts(view(0), view(1), view(2, source="app"), view(DAY), view(3, "q"), view(4, profile_id="u:2")) == (4, 0)


def test_an_offer_is_taken_within_24_h_of_the_first_view_of_the_day() -> None:
    assert counts(view(HOUR), view(2 * HOUR), take(DAY + HOUR)) == (1, 1)
    assert counts(view(HOUR), view(2 * HOUR), take(DAY + HOUR + 1)) == (1, 0)
    assert counts(view(HOUR), take(HOUR - 1)) == (1, 0)
    assert counts(view(HOUR), take(HOUR, source="app")) == (1, 1)


def test_one_taking_counts_for_the_views_of_two_days() -> None:
    assert counts(view(DAY - 1), view(DAY), take(DAY + 1)) == (2, 2)


def test_another_promotion_profile_or_none_takes_nothing() -> None:
    assert counts(view(0), take(1, "q"), take(2, profile_id="u:2"), take(3, None)) == (1, 0)
    assert counts(view(0, None), take(1, None)) == (0, 0)


def test_the_first_view_of_the_day_gives_the_dimensions() -> None:
    found = folded(offer_measures, touches(view(DAY, channel="app"), view(DAY + 1, channel="site"), take(DAY + 2)))
    assert found.select("day", "channel", "offers_shown", "offers_taken").rows() == [(day_of(DAY), "app", 1, 1)]


moments = st.lists(st.tuples(st.sampled_from("pq"), st.integers(0, 12).map(lambda step: step * 6 * HOUR)), max_size=8)


@settings(max_examples=35)
@given(moments, moments)
def test_offers_are_counted_as_one_would_by_hand(views: list[tuple[str, int]], taken: list[tuple[str, int]]) -> None:
    firsts: dict[tuple[str, int], int] = {}
    for promotion, at in views:
        key = (promotion, at // DAY)
        firsts[key] = min(at, firsts.get(key, at))
    took = sum(
        any(which == promotion and 0 <= then - at <= DAY for which, then in taken)
        for (promotion, _), at in firsts.items()
    )
    made = [view(at, which) for which, at in views] + [take(at, which) for which, at in taken]
    rows = [{**row, "message_id": f"{place}"} for place, row in enumerate(made)]
    found = totals(on_polars(offer_measures, touches(*rows)))
    assert (found.get("offers_shown", 0), found.get("offers_taken", 0)) == (len(firsts), took)
