from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from ingest.replay.place import Place, Tally, keep, place_file, recall
from ingest.window import Rejected, Settled


@given(st.permutations(range(8)), st.integers(0, 8))
def test_a_line_is_confirmed_when_it_and_all_before_it_are_settled(order: list[int], answered: int) -> None:
    tally = Tally()
    lines = [10, 11, 13, 14, 17, 20, 21, 22]
    for line in lines:
        tally.send(line, None)
    for place in order[:answered]:
        tally.settle(Settled((lines[place],), 1, 0))
    missing = min((lines[place] for place in order[answered:]), default=23)
    assert tally.confirmed_line == max((line for line in lines if line < missing), default=0)


def test_a_line_of_several_steps_is_confirmed_when_its_last_one_was_sent_and_all_are_settled() -> None:
    tally = Tally()
    tally.send(2, None, is_last=False)
    tally.settle(Settled((2,), 1, 0))
    assert tally.confirmed_line == 0
    tally.send(2, None)
    tally.send(3, None)
    tally.settle(Settled((3,), 1, 0))
    assert tally.confirmed_line == 0
    tally.settle(Settled((2,), 1, 0))
    assert tally.confirmed_line == 3


def test_the_summary_says_what_was_refused_where_and_why() -> None:
    tally = Tally()
    for line in (2, 3, 4):
        tally.send(line, "cut off" if line == 4 else None)
    tally.settle(Settled((2, 3, 4), 1, 1, (Rejected(4, "no_user_anon_id", "no id"),)))
    assert tally.lines() == [
        "sent 3, accepted 1, duplicate 1, refused 1",
        "refused no_user_anon_id: 1, line 4",
        "line 4: cut off",
    ]


def test_what_has_no_answer_is_told_with_where_to_go_on() -> None:
    tally = Tally(confirmed_line=1)
    for line in (2, 3):
        tally.send(line, None)
    tally.settle(Settled((2,), 1, 0))
    assert tally.lines()[-1] == "1 without an answer: the same command goes on after line 2"


def test_many_refusals_name_the_first_lines_only() -> None:
    tally = Tally()
    for line in range(1, 51):
        tally.send(line, None)
        tally.settle(Settled((line,), 0, 0, (Rejected(line, "too_large", ""),)))
    assert tally.lines()[1].endswith("19, 20 and 30 more")


def test_a_place_is_kept_whole_and_an_unreadable_one_is_none(tmp_path: Path) -> None:
    file = place_file(tmp_path / "replay", "shop.csv", "now")
    assert recall(file) is None
    place = Place(file="shop.csv", size=5, confirmed_line=3, shift_us=8)
    keep(file, place)
    assert recall(file) == place
    file.write_text("{")
    assert recall(file) is None


def test_another_file_or_other_dates_are_another_place(tmp_path: Path) -> None:
    places = {place_file(tmp_path, *each) for each in (("a", "now"), ("a", "own"), ("b", "now"), ("an", "ow"))}
    assert len(places) == 4
