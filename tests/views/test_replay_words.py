from zoneinfo import ZoneInfo

import pytest

from cockpit.alerts.replay import Cause, LeftOut, Replay, Stretch
from cockpit.alerts.rules import Severity
from cockpit.i18n.translate import LANGUAGES
from cockpit.views.alert_words import Words
from cockpit.views.replay_words import MOST, ReplayWords
from tests.alerts.rounds import rule_of
from tests.alerts.shop import DAY, HOUR, MINUTE
from tests.views.replayed import END, START, episode, replayed

ZONE = ZoneInfo("America/Sao_Paulo")


def words(language: str = "en") -> ReplayWords:
    return ReplayWords(Words(language, ZONE, END))


def test_what_would_not_have_fired_says_so() -> None:
    assert words().sentence(replayed(), END) == "Would not have fired."
    assert words("pt").sentence(replayed(), END) == "Não teria disparado."


def test_the_sentence_says_how_often_how_long_and_how_many_messages_to_whom() -> None:
    found = replayed(episode(40), episode(20, 12 * MINUTE))
    assert words().sentence(found, END) == "Would have fired 2 times, 42\u00a0min in all; messages: 3 to oncall."
    assert words("pt").sentence(found, END) == "Teria disparado 2 vezes, 42\u00a0min ao todo; mensagens: 3 para oncall."


def test_one_without_data_one_that_goes_on_and_nobody_to_tell_are_said() -> None:
    found = replayed(episode(2, None, is_about_data=True, peak=None), messages={})
    said = "Would have fired once, for 2\u00a0h; 1 of them because no data came; still going on at the end; "
    assert words().sentence(found, END) == f"{said}nobody would have been told."


def test_episodes_are_listed_the_newest_first_with_their_local_times() -> None:
    found = replayed(episode(30), episode(2, severity=Severity.WARN), episode(1, None, is_about_data=True, peak=None))
    table = words().episodes(found, END)
    assert table.head == ("Alert", "Began", "Fired", "Lasted", "Peak", "Messages")
    assert [tuple(cell.text for cell in row) for row in table.rows] == [
        ("⌀ WhatsApp", "13:55", "14:00", "1\u00a0h", "—", "2"),
        ("▲ WhatsApp", "12:55", "13:00", "30\u00a0min", "7.2%", "2"),
        ("⬣ WhatsApp", "21 Nov 2026\u00a008:55", "21 Nov 2026\u00a009:00", "30\u00a0min", "7.2%", "2"),
    ]  # fmt: skip
    assert [row[0].lines for row in table.rows] == [("no data",), ("warning",), ("critical",)]
    assert table.rows[0][3].lines == ("goes on",)


def test_a_rule_that_fires_without_end_is_not_listed_without_end() -> None:
    table = words().episodes(replayed(*(episode(hours) for hours in range(MOST + 1, 0, -1))), END)
    assert len(table.rows) == MOST
    assert f"at most {MOST}" in table.notes[0]


def test_how_closely_it_was_looked_at_is_said() -> None:
    (judged, assumes) = words().notes(replayed(), START)
    assert judged.startswith("Judged every 1\u00a0min, from 15 Nov 2026\u00a015:00 to 22 Nov")
    assert "nobody had acknowledged" in assumes
    late = replayed(stretches=(Stretch(START + 5 * DAY, END, MINUTE),))
    assert next(words().notes(late, START)).startswith("Of the time before 20 Nov 2026\u00a015:00 too little")
    hours, minutes = Stretch(START, END - DAY, HOUR), Stretch(END - DAY + MINUTE, END, MINUTE)
    by_hour, judged, _ = words().notes(replayed(stretches=(hours, minutes)), START)
    assert by_hour.startswith("Until 21 Nov 2026\u00a015:00 only hours are kept")
    assert "from 21 Nov 2026\u00a015:01" in judged


def test_a_rule_that_tells_nothing_apart_is_called_by_its_name() -> None:
    rule = rule_of(by=("channel", "use_case"), where={"use_case": "cart"})
    assert words().thing(rule, {"channel": "push", "use_case": "cart"}) == "Push"
    assert words().thing(rule, {}) == "Error rate"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reason_why_a_rule_is_left_out_has_words(language: str) -> None:
    said = {words(language).cause(cause) for cause in Cause}
    assert len(said) == len(Cause)


def test_a_whole_file_is_summed_up() -> None:
    left = LeftOut(rule_of(), Cause.OF_NOW)
    found = Replay(START, END, (replayed(episode(3)), replayed(episode(2))), (left,))
    said = "Rules replayed: 2 of 3, over 7 d; episodes: 2; messages: 4 to oncall."
    assert words().summary(found) == said
