"""Acceptance check f of the design: what is drawn can be told apart, by colour-blind eyes too."""

import tomllib
from itertools import combinations, pairwise

import pytest

from cockpit.config import ROOT
from cockpit.ui.palette import DARK, LIGHT, MOST_SERIES, Palette
from tests.ui.colours import EYES, contrast, distance

THEME = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))["theme"]
PALETTES = pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
TEXT, GLYPH, APART = 4.5, 3.0, 9.5
LARGE_OR_NOT_ALONE = ("warn",)  # on a panel: bold from 14 px, or the words beside it in `soft`


@pytest.mark.parametrize(("name", "palette"), [("light", LIGHT), ("dark", DARK)])
def test_charts_have_the_colours_of_the_theme(name: str, palette: Palette) -> None:
    theme = THEME[name]
    assert {
        "backgroundColor": palette.background,
        "secondaryBackgroundColor": palette.panel,
        "textColor": palette.text,
        "borderColor": palette.border,
        "greenColor": palette.good,
        "redColor": palette.bad,
        "orangeColor": palette.warn,
        "violetColor": palette.pending,
        "blueColor": palette.series[0],
        "chartCategoricalColors": list(palette.series),
        "chartSequentialColors": list(palette.sequential),
        "chartDivergingColors": list(palette.diverging),
    }.items() <= theme.items()


@PALETTES
def test_words_are_read_on_the_page_and_on_a_panel(palette: Palette) -> None:
    tones = ("text", "soft", "good", "warn", "bad", "pending")
    assert {name for name in tones if contrast(getattr(palette, name), palette.background) < TEXT} == set()
    weak = {name for name in tones if contrast(getattr(palette, name), palette.panel) < TEXT}
    assert weak <= set(LARGE_OR_NOT_ALONE)


@pytest.mark.parametrize("name", ["light", "dark"])
def test_words_on_buttons_and_links_are_read(name: str) -> None:
    theme = THEME[name]
    assert contrast("#FFFFFF", theme["primaryColor"]) >= TEXT
    assert contrast(theme["linkColor"], theme["backgroundColor"]) >= TEXT


@PALETTES
def test_marks_are_seen_on_the_page_and_on_a_panel(palette: Palette) -> None:
    marks = (
        *palette.series,
        palette.control,
        palette.good,
        palette.warn,
        palette.bad,
        palette.pending,
        palette.unknown,
    )
    for ground in (palette.background, palette.panel):
        assert [mark for mark in marks if contrast(mark, ground) < GLYPH] == []


@PALETTES
@pytest.mark.parametrize("eyes", EYES)
def test_variants_are_told_apart(palette: Palette, eyes: str) -> None:
    assert len(palette.series) == MOST_SERIES
    assert min(distance(one, other, eyes) for one, other in combinations(palette.series, 2)) >= APART


@PALETTES
@pytest.mark.parametrize("eyes", EYES)
def test_states_are_told_apart(palette: Palette, eyes: str) -> None:
    states = (palette.good, palette.warn, palette.bad, palette.pending, palette.unknown)
    assert min(distance(one, other, eyes) for one, other in combinations(states, 2)) >= APART


@PALETTES
@pytest.mark.parametrize("eyes", EYES)
def test_the_personalized_is_told_apart_from_the_control(palette: Palette, eyes: str) -> None:
    assert distance(palette.series[0], palette.control, eyes) >= APART


@PALETTES
def test_the_fields_of_a_heat_map_go_one_way(palette: Palette) -> None:
    """From the page's own brightness away from it; diverging ones towards it and away again."""
    assert (len(palette.sequential), len(palette.diverging)) == (10, 10)
    ladder = [contrast(colour, palette.background) for colour in palette.sequential]
    assert all(nearer < farther for nearer, farther in pairwise(ladder))
    ladder = [contrast(colour, palette.background) for colour in palette.diverging]
    worse, better = ladder[:5], ladder[5:]
    assert all(one > other for one, other in pairwise(worse))
    assert all(one < other for one, other in pairwise(better))


@PALETTES
@pytest.mark.parametrize("eyes", EYES)
def test_worse_and_better_are_told_apart(palette: Palette, eyes: str) -> None:
    for worse, better in zip(palette.diverging[:4], reversed(palette.diverging[6:]), strict=True):
        assert distance(worse, better, eyes) >= APART


def test_the_control_is_grey_and_no_treatment_is() -> None:
    colours = LIGHT.variants(["control", "a", "b"])
    assert colours == {"control": LIGHT.control, "a": LIGHT.series[0], "b": LIGHT.series[1]}
