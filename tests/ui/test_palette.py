import tomllib

import pytest

from cockpit.config import ROOT
from cockpit.ui.palette import DARK, LIGHT, Palette

THEME = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))["theme"]


def luminance(colour: str) -> float:
    """WCAG 2, relative luminance of #RRGGBB."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize(("name", "palette"), [("light", LIGHT), ("dark", DARK)])
def test_charts_have_the_colours_of_the_theme(name: str, palette: Palette) -> None:
    theme = THEME[name]
    assert (palette.background, palette.panel) == (theme["backgroundColor"], theme["secondaryBackgroundColor"])
    assert (palette.text, palette.border) == (theme["textColor"], theme["borderColor"])
    assert (palette.good, palette.bad, palette.warn) == (theme["greenColor"], theme["redColor"], theme["orangeColor"])
    assert list(palette.series) == theme["chartCategoricalColors"]


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_words_and_marks_are_seen(palette: Palette) -> None:
    assert all(contrast(colour, palette.background) >= 4.5 for colour in (palette.text, palette.soft, palette.bad))
    marks = (palette.control, *palette.series, palette.good, palette.warn)
    assert all(contrast(colour, palette.background) >= 3 for colour in marks)


def test_the_control_is_grey_and_no_treatment_is() -> None:
    colours = LIGHT.variants(["control", "a", "b"])
    assert colours == {"control": LIGHT.control, "a": LIGHT.series[0], "b": LIGHT.series[1]}
