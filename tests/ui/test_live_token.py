import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.ui.live_token import LIFE_S, check, sign

SECRET = "a" * 64
NOW_S = 1_790_000_000.0


def test_a_token_says_who_it_was_given_to() -> None:
    claims = check(sign("reader", SECRET, NOW_S), SECRET, NOW_S)
    assert claims is not None
    assert claims.role == "reader"


def test_a_token_ends_after_its_life() -> None:
    token = sign("reader", SECRET, NOW_S)
    assert check(token, SECRET, NOW_S + LIFE_S) is not None
    assert check(token, SECRET, NOW_S + LIFE_S + 1) is None


def test_a_token_of_another_installation_is_refused() -> None:
    assert check(sign("reader", "b" * 64, NOW_S), SECRET, NOW_S) is None


def test_claims_cannot_be_exchanged_under_a_signature() -> None:
    signature = sign("reader", SECRET, NOW_S).partition(".")[2]
    claims = sign("admin", "b" * 64, NOW_S).partition(".")[0]
    assert check(f"{claims}.{signature}", SECRET, NOW_S) is None


@pytest.mark.parametrize("token", ["", ".", "a.b.c", "é.é", "eyJ9.AAAA", "====.===="])
def test_what_is_no_token_is_refused(token: str) -> None:
    assert check(token, SECRET, NOW_S) is None


@given(st.text())
def test_no_text_raises(token: str) -> None:
    assert check(token, SECRET, NOW_S) is None
