from cockpit.ui.experiments import markup
from cockpit.ui.palette import LIGHT
from cockpit.views.experiment_tables import Cell, Fact, Table

NASTY = '<img src=x onerror="alert(1)">'


def test_whatever_is_shown_is_escaped() -> None:
    drawn = markup.section(
        markup.table(Table((NASTY,), ((Cell(NASTY, more=NASTY),),), (NASTY,))),
        markup.facts([Fact(NASTY, NASTY, NASTY)]),
        markup.plain([Fact(NASTY, NASTY)]),
        markup.headline(NASTY, "good", NASTY, NASTY),
        markup.progress(NASTY, 0.5),
    )
    assert "<img" not in drawn
    assert drawn.count("&lt;img") == 4 + 3 + 2 + 3 + 1


def test_a_tile_has_a_line_for_each_line_of_what_is_small() -> None:
    assert markup.facts([Fact("Revenue", "R$ 1", "per day\nper month")]).count("<small>") == 2


def test_a_sample_beyond_the_plan_fills_the_bar_and_no_more() -> None:
    assert "width: 100.0%" in markup.progress("sample", 1.7)


def test_every_tone_has_its_colour() -> None:
    variables = markup.style(LIGHT)
    assert all(f"--{tone}: {LIGHT.tone(tone)};" in variables for tone in ("good", "bad", "warn", "soft"))


def test_a_minus_is_not_left_alone_at_the_end_of_a_line() -> None:
    assert "-\u2060R$\u00a05" in markup.facts([Fact("Margin", "-R$\u00a05")])
