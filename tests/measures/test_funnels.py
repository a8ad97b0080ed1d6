from functools import partial
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit.measures.funnels import funnel, reached
from tests.fold_tables import DAY, HOUR, MIDNIGHT, Row, day_of, folded, on_polars, touch, touches

STEPS = ("view_cart", "begin_checkout", "purchase")
CODES = dict(zip("vbp", STEPS, strict=True))


def come(*told: tuple[str, int], profile: str = "u:1") -> list[Row]:
    return [
        touch(CODES[code], at, profile_id=profile, message_id=f"{profile}{place}")
        for place, (code, at) in enumerate(told)
    ]


def depth(*told: tuple[str, int]) -> int:
    """How many steps were reached within an hour."""
    found = folded(partial(reached, steps=STEPS, window_us=HOUR), touches(*come(*told)))
    return sum(found.select(STEPS).row(0)) if found.height else 0


@pytest.mark.parametrize(
    ("told", "steps"),
    [
        ([("v", 0), ("b", 1), ("p", HOUR)], 3),
        ([("v", 0), ("b", 1), ("p", HOUR + 1)], 2),
        ([("v", 0), ("p", 1), ("b", 2)], 2),
        ([("b", 0), ("p", 1)], 0),
        ([("v", 0), ("p", 1)], 1),
        ([("v", 5), ("b", 5), ("p", 5)], 3),
        ([("v", 0), ("v", 10), ("b", HOUR + 5), ("p", HOUR + 10)], 3),
        ([("v", 0), ("b", 1), ("v", 2), ("p", HOUR + 1)], 2),
    ],
)
def test_a_chain_has_its_steps_in_order_within_the_window_of_the_first(told: list[tuple[str, int]], steps: int) -> None:
    assert depth(*told) == steps


def test_profiles_are_counted_on_the_day_of_their_first_step() -> None:
    rows = [
        *come(("v", DAY - 2), ("b", DAY + 1)),
        *come(("v", 0), profile="u:2"),
        *come(("v", 0), ("v", DAY), ("b", DAY + 1), ("p", DAY + 2), profile="u:3"),
    ]
    found = folded(partial(funnel, steps=STEPS, window_us=HOUR), touches(*rows)).sort("day")
    assert found.select("day", *STEPS).rows() == [(day_of(0), 2, 1, 0), (day_of(DAY), 1, 1, 1)]


def test_two_steps_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="must differ"):
        folded(partial(funnel, steps=("purchase", "purchase"), window_us=HOUR), touches())


moves = st.lists(st.tuples(st.sampled_from("vbp"), st.integers(0, 8).map(lambda step: step * HOUR // 3)), max_size=7)


def brute(told: list[tuple[str, int]]) -> tuple[int, int] | None:
    """Depth and anchor, from all chains there are."""
    times = [[at for code, at in told if code == wanted] for wanted in "vbp"]
    for length in (3, 2, 1):
        chains = [
            chain for chain in product(*times[:length]) if list(chain) == sorted(chain) and chain[-1] - chain[0] <= HOUR
        ]
        if chains:
            end = min(chain[-1] for chain in chains)
            return length, max(chain[0] for chain in chains if chain[-1] == end)
    return None


@settings(max_examples=100)
@given(moves)
def test_the_longest_chain_is_found_among_all(told: list[tuple[str, int]]) -> None:
    found = on_polars(partial(reached, steps=STEPS, window_us=HOUR), touches(*come(*told)))
    expected = brute(told)
    assert found.height == (expected is not None)
    if expected:
        row = found.row(0, named=True)
        assert (sum(row[step] for step in STEPS), row["anchored_at"]) == (expected[0], MIDNIGHT + expected[1])
