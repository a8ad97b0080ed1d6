from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit.measures.recommendations import recommendation_measures
from tests.fold_tables import DAY, Row, day_of, folded, item, on_polars, table, totals, touch, touches


def click(at: int, item_id: str | None = "i", **columns: object) -> Row:
    return touch("select_item", at, subject=item_id, **columns)


def counts(clicks: list[Row], items: list[Row]) -> tuple[int, ...]:
    """Clicks, converted, cents within 24 h, cents within 7 d."""
    found = totals(folded(recommendation_measures, touches(*clicks), table("order_items", items)))
    names = ("reco_item_clicks", "reco_converted", "reco_value_24h_cents", "reco_value_7d_cents")
    return tuple(found.get(name, 0) for name in names)


def test_the_item_bought_within_the_window_of_its_click_is_attributed() -> None:
    assert counts([click(0)], [item("i", DAY)]) == (1, 1, 500, 500)
    assert counts([click(0)], [item("i", DAY + 1)]) == (1, 0, 0, 500)
    assert counts([click(0)], [item("i", 7 * DAY + 1)]) == (1, 0, 0, 0)
    assert counts([click(1)], [item("i", 0)]) == (1, 0, 0, 0)
    assert counts([click(0)], [item("i", 0, source="app")]) == (1, 1, 500, 500)


def test_another_item_or_profile_is_not_attributed() -> None:
    assert counts([click(0), click(1, None)], [item("j", 2), item("i", 3, profile_id="u:2")]) == (2, 0, 0, 0)


def test_an_item_counts_once_for_many_clicks_and_each_click_converts() -> None:
    assert counts([click(0), click(1)], [item("i", 2)]) == (2, 2, 500, 500)


def test_every_line_of_an_item_counts_and_an_unknown_price_adds_nothing() -> None:
    assert counts([click(0)], [item("i", 1, 100), item("i", 1, 40), item("i", 2, None)]) == (1, 1, 140, 140)


def test_clicks_have_their_day_and_values_that_of_the_purchase() -> None:
    found = folded(
        recommendation_measures, touches(click(DAY - 1, channel="app")), table("order_items", [item("i", DAY)])
    )
    rows = found.select("day", "channel", "reco_item_clicks", "reco_converted", "reco_value_7d_cents").rows()
    assert sorted(rows) == [(day_of(0), "app", 1, 1, 0), (day_of(DAY), "site", 0, 0, 500)]


instants = st.lists(st.tuples(st.sampled_from("ij"), st.integers(0, 40).map(lambda step: step * DAY // 4)), max_size=8)


@settings(max_examples=35)
@given(instants, instants)
def test_recommendations_are_counted_as_one_would_by_hand(
    clicks: list[tuple[str, int]], items: list[tuple[str, int]]
) -> None:
    def value(days: int) -> int:
        return 500 * sum(any(was == it and 0 <= b - a <= days * DAY for was, a in clicks) for it, b in items)

    converted = sum(any(it == was and 0 <= b - a <= DAY for it, b in items) for was, a in clicks)
    rows = [{**click(at, item_id), "message_id": f"{place}"} for place, (item_id, at) in enumerate(clicks)]
    bought = table("order_items", [item(item_id, at) for item_id, at in items])
    found = totals(on_polars(recommendation_measures, touches(*rows), bought))
    expected = {
        "reco_item_clicks": len(clicks), "reco_converted": converted,
        "reco_value_24h_cents": value(1), "reco_value_7d_cents": value(7),
    }  # fmt: skip
    assert found == {name: count for name, count in expected.items() if count}
