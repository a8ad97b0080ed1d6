import json
from pathlib import Path

import pytest

from cockpit.config import ROOT
from cockpit.errors import CallerError
from cockpit.kpis.alive import BgNbd, alive

VECTORS = ROOT.parent / "shared" / "data" / "stat_vectors.json"
CDNOW = BgNbd(r=0.243, alpha=4.414, a=0.793, b=2.426)  # weeks; Fader, Hardie, Lee (2005)


def test_a_customer_worked_by_hand() -> None:
    # all four are 1, one repeat at 1, seen until 3: odds = 1/(1+1-1) · ((1+3)/(1+1))^(1+1) = 2^2 = 4; 1/(1+4).
    assert alive(BgNbd(r=1, alpha=1, a=1, b=1), repeats=1, last_at=1, age=3) == pytest.approx(0.2)


def test_the_customer_of_the_reference_vectors() -> None:
    if not VECTORS.exists():
        pytest.skip(f"{Path(*VECTORS.parts[-3:])} is not there")
    vector = next(one for one in json.loads(VECTORS.read_text())["vectors"] if one["id"] == "lt-bgnbd-cdnow")
    of = vector["inputs"]
    model = BgNbd(r=of["r"], alpha=of["alpha"], a=of["a"], b=of["b"])
    assert "= 0.7266 " in vector["note"]
    assert alive(model, repeats=of["x"], last_at=of["t_x"], age=of["T"]) == pytest.approx(0.7266, abs=5e-5)


def test_who_bought_once_is_alive_for_certain() -> None:
    assert alive(CDNOW, repeats=0, last_at=0, age=500) == 1


def test_silence_makes_it_less_likely() -> None:
    chances = [alive(CDNOW, repeats=4, last_at=20, age=age) for age in (20, 30, 60, 200)]
    assert chances == sorted(chances, reverse=True)
    assert 0 < chances[-1] < 0.01


@pytest.mark.parametrize(("repeats", "last_at", "age"), [(1, 5, 4), (-1, 0, 4), (1, -1, 4)])
def test_an_impossible_customer_is_the_callers_error(repeats: int, last_at: float, age: float) -> None:
    with pytest.raises(CallerError):
        alive(CDNOW, repeats=repeats, last_at=last_at, age=age)


def test_parameters_are_above_zero() -> None:
    with pytest.raises(CallerError):
        BgNbd(r=0, alpha=1, a=1, b=1)
