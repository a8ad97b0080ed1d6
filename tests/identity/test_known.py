from hypothesis import given
from hypothesis import strategies as st

from cockpit.identity.known import KnownLinks
from tests.identity.people import Row, links, pair, rows


@given(st.lists(rows, max_size=8), rows)
def test_a_link_is_news_unless_it_was_added_at_its_time_or_earlier(added: list[list[Row]], asked: list[Row]) -> None:
    known, earliest = KnownLinks(), dict[tuple[str, str, str], int]()
    for batch in added:
        known.add(links(batch))
        for *key, at in batch:
            earliest[key[0], key[1], key[2]] = min(at, earliest.get((key[0], key[1], key[2]), at))
    news = [at < earliest.get((source, left, right), at + 1) for source, left, right, at in asked]
    assert known.is_news(links(asked)).to_list() == news


def test_runs_are_merged_so_that_they_stay_few() -> None:
    known = KnownLinks()
    for number in range(300):
        known.add(links([pair(f"a:{number}", "u:1", number)]))
    assert len(known._runs) < 12
    assert not known.is_news(links([pair(f"a:{number}", "u:1", number) for number in range(300)])).any()
