import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.alerts.conditions import Condition, are_apart, comes_before, read_condition

numbers = st.integers(-50, 50).map(lambda tenths: tenths / 10)
conditions = st.builds(Condition, st.sampled_from([">", ">=", "<", "<="]), numbers)


@pytest.mark.parametrize(
    ("text", "below", "at", "above"),
    [
        ("> 2", False, False, True),
        (">= 2", False, True, True),
        ("< 2", True, False, False),
        ("<= 2", True, True, False),
    ],
)
def test_a_condition_holds_on_its_side_of_the_limit(text: str, *, below: bool, at: bool, above: bool) -> None:
    condition = read_condition(text)
    assert [condition.holds(value) for value in (1.9, 2.0, 2.1)] == [below, at, above]


@pytest.mark.parametrize("text", ["", ">2", "> ", "2", "== 2", "> 2 ", "> 2%", "> nan", "> inf", "> 1e3", "> 1 or < 0"])
def test_anything_else_is_no_condition(text: str) -> None:
    with pytest.raises(ValueError, match="is no condition such as"):
        read_condition(text)


@given(conditions)
def test_a_condition_is_read_as_it_is_written(condition: Condition) -> None:
    assert read_condition(str(condition)) == condition


@given(conditions, conditions, numbers)
def test_no_value_is_on_both_sides_of_conditions_that_are_apart(
    fire: Condition, recover: Condition, value: float
) -> None:
    if are_apart(fire, recover):
        assert not (fire.holds(value) and recover.holds(value))


@given(conditions, conditions, numbers)
def test_whatever_fires_has_passed_the_warning_before(warn: Condition, fire: Condition, value: float) -> None:
    if comes_before(warn, fire) and fire.holds(value):
        assert warn.holds(value)


@pytest.mark.parametrize(
    ("fire", "recover", "apart"),
    [
        ("> 5", "< 5", True),
        ("> 5", "<= 5", True),
        (">= 5", "< 5", True),
        (">= 5", "<= 5", False),
        ("> 5", "< 5.1", False),
        ("> 5", "> 4", False),
        ("< 5", "> 5", True),
        ("< 5", "> 4", False),
    ],
)
def test_limits_that_meet_are_apart_if_one_of_them_is_open(fire: str, recover: str, *, apart: bool) -> None:
    assert are_apart(read_condition(fire), read_condition(recover)) is apart


def test_worse_is_further_on_the_side_of_the_condition() -> None:
    assert read_condition("> 5").worse(6.0, 7.0) == 7.0
    assert read_condition("< 5").worse(3.0, 4.0) == 3.0
    assert read_condition("< 5").worse(None, 4.0) == 4.0
