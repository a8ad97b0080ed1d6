from typing import Any

import pytest

from cockpit.measures.impressions import impression_measures
from tests.fold_tables import DAY, Row, day_of, folded, totals, touch, touches


def shown(at: int = 0, trigger: str | None = "t", **columns: Any) -> Row:
    return touch("personalization_delivered", at, subject=trigger, **{"experience_id": "x", **columns})


def clicked(at: int, trigger: str | None = "t", **columns: Any) -> Row:
    return touch("personalization_clicked", at, subject=trigger, **{"experience_id": "x", **columns})


def counts(*rows: Row) -> tuple[int, int]:
    found = totals(folded(impression_measures, touches(*rows)))
    return found.get("impressions", 0), found.get("impressions_clicked", 0)


@pytest.mark.parametrize(("waited", "clicks"), [(DAY, 1), (DAY + 1, 0), (0, 1), (-1, 1)])
def test_a_click_counts_for_24_h_and_before_the_impression_when_clocks_differ(waited: int, clicks: int) -> None:
    assert counts(shown(2 * DAY), clicked(2 * DAY + waited)) == (1, clicks)


def test_an_impression_clicked_twice_counts_once() -> None:
    assert counts(shown(), clicked(1), clicked(2)) == (1, 1)


def test_one_click_counts_for_every_impression_with_its_keys() -> None:
    assert counts(shown(0), shown(1, channel="email"), clicked(2)) == (2, 2)


@pytest.mark.parametrize(
    "other",
    [{"trigger": "u"}, {"source": "crm"}, {"profile_id": "u:2"}, {"experience_id": "y"}, {"experience_id": None}],
)
def test_a_click_of_anything_else_does_not_count(other: dict[str, Any]) -> None:
    assert counts(shown(), clicked(1, **other)) == (1, 0)


def test_what_names_no_trigger_or_experience_is_not_clicked() -> None:
    assert counts(shown(0, None), clicked(1, None)) == (1, 0)
    assert counts(shown(0, experience_id=None), clicked(1, experience_id=None)) == (1, 0)


def test_impressions_have_their_own_day_and_dimensions() -> None:
    rows = [shown(DAY, channel="site", use_case="cart"), clicked(DAY + 1, channel="app", use_case="other")]
    found = folded(impression_measures, touches(*rows))
    assert found.select("day", "channel", "use_case", "experience_id", "impressions_clicked").rows() == [
        (day_of(DAY), "site", "cart", "x", 1)
    ]
