"""The published vectors hold in Python and in the browser; there ␣ stands for a no-break space."""

import json
import random
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from cockpit.config import ROOT
from cockpit.i18n import format as formats

VECTORS = json.loads((Path(__file__).parent / "vectors.json").read_text(encoding="utf-8"))
TWIN = ROOT / "cockpit" / "ui" / "live" / "format.js"
CALL_TWIN = """async ({source, calls}) => {
  const twin = await import("data:text/javascript;charset=utf-8," + encodeURIComponent(source))
  return calls.map(([name, value, language, more]) => twin[name](value === "NaN" ? NaN : value, language, ...more))
}"""


def options(vector: dict[str, Any]) -> dict[str, Any]:
    return {name: vector[name] for name in ("decimals", "short") if name in vector}


def value_of(vector: dict[str, Any]) -> float | None:
    return float("nan") if vector["of"] == "NaN" else vector["of"]


@pytest.mark.parametrize("language", ["pt", "en"])
@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: f"{vector['call']}({vector['of']})")
def test_a_number_reads_as_published(vector: dict[str, Any], language: str) -> None:
    written = getattr(formats, vector["call"])(value_of(vector), language, **options(vector))
    assert written == vector[language].replace("␣", formats.SPACE)


@pytest.mark.browser
def test_the_twin_in_the_browser_reads_as_published(page: Page) -> None:
    pairs = [(vector, language) for vector in VECTORS for language in ("pt", "en")]
    calls = [[vector["call"], vector["of"], language, list(options(vector).values())] for vector, language in pairs]
    written = page.evaluate(CALL_TWIN, {"source": TWIN.read_text(encoding="utf-8"), "calls": calls})
    assert written == [vector[language].replace("␣", formats.SPACE) for vector, language in pairs]


@pytest.mark.browser
def test_the_twins_agree_on_numbers_of_every_size(page: Page) -> None:
    dice = random.Random(20261122)
    calls: list[list[Any]] = []
    for _ in range(3000):
        size = 10 ** dice.uniform(-5, 13)
        value = dice.choice([size, -size, round(size), round(size, 1), round(size, 2), round(size) + 0.5])
        name = dice.choice(["num", "compact", "brl", "pct", "pp", "dur", "rate"])
        calls.append([name, min(value, 1e13), dice.choice(["pt", "en"]), [True] if name == "brl" else []])
    here = [
        getattr(formats, name)(value, language, **({"short": True} if more else {}))
        for name, value, language, more in calls
    ]
    there = page.evaluate(CALL_TWIN, {"source": TWIN.read_text(encoding="utf-8"), "calls": calls})
    assert [pair for pair in zip(calls, here, there, strict=True) if pair[1] != pair[2]] == []
