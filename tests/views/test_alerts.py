"""What the page reads of the engine's own file, and every word that it may say about it, in both languages."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest
from msgspec.structs import replace

from cockpit.alerts.machine import Kind, Reason, State
from cockpit.alerts.rules import OnMissing, RuleFile, Severity
from cockpit.alerts.silences import Hiding, Silence
from cockpit.i18n.translate import LANGUAGES, catalogue, texts
from cockpit.notify.message import Outcome
from cockpit.ui.alerts import markup
from cockpit.views import alerts
from cockpit.views.alert_words import DELIVERED, Entry, Fact, Table, Words
from cockpit.views.alerts import Board, Shown, Wish
from ingest.warehouse.alert_store import Changes
from ingest.warehouse.outbox import DIGEST, Status
from tests.views.alert_shop import DROP, ERRORS, LATENCY, QUEUE, RUNBOOK, SILENT, Shop, calm, lively

NOW = datetime(2026, 11, 22, 18, 51, tzinfo=UTC)
ZONE = ZoneInfo("America/Sao_Paulo")
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    made = lively(tmp_path_factory.mktemp("alerts"), NOW)
    yield made
    made.kept.close()


@pytest.fixture(scope="module")
def board(shop: Shop) -> Board:
    return alerts.board(shop, NOW)


def words(language: str = "en", now: datetime = NOW) -> Words:
    return Words(language, ZONE, now)


def of(board: Board, rule_id: str, **labels: str) -> Shown:
    (found,) = [
        shown for shown in board.goes_on if shown.rule.id == rule_id and labels.items() <= shown.alert.labels.items()
    ]
    return found


def facts(entry: Entry) -> Mapping[str, Fact]:
    return {fact.label: fact for fact in entry.facts}


def column(table: Table, name: str) -> list[str]:
    """Text and smaller lines of each row."""
    place = table.head.index(name)
    return ["\n".join((row[place].text, *row[place].lines)).strip() for row in table.rows]


def test_what_fires_critically_and_nobody_has_comes_first(board: Board) -> None:
    first = board.goes_on[0].alert
    assert (first.state, first.severity, first.labels) == ("firing", "critical", {"channel": "whatsapp"})
    places = [alerts.STATES.index(shown.alert.state) for shown in board.goes_on]
    assert places == sorted(places)
    assert {shown.rule.id for shown in board.goes_on} == {ERRORS, SILENT, LATENCY, DROP}
    assert board.alerts == len(board.goes_on) + 1  # the queue is fine again


def test_an_entry_says_value_limit_peak_since_when_and_how_bad(board: Board) -> None:
    entry = words().entry(of(board, ERRORS, channel="whatsapp"))
    found = facts(entry)
    assert (entry.glyph, entry.tone, entry.state, entry.severity) == ("⬣", "bad", "firing", "critical")
    assert (found["Value"].value, found["Value"].more) == ("7.2%", "limit >\u00a05%")
    assert (found["Since"].value, found["Since"].more) == ("15:41", "for 10\u00a0min")
    assert found["Peak"].value == "8.9%"
    assert found["How bad"].value == "~310 lost sends (~R$\u00a04.1K)"
    assert found["Acknowledged by"].value == "nobody"
    assert "Told: oncall, marketing-ops" in entry.notes
    portuguese = facts(words("pt").entry(of(board, ERRORS, channel="whatsapp")))
    assert portuguese["Valor"].value == "7,2%"
    assert portuguese["Tamanho do estrago"].value == "~310 envios perdidos (~R$\u00a04,1\u00a0mil)"


def test_what_was_not_counted_is_not_shown(board: Board) -> None:
    entry = words().entry(of(board, ERRORS, channel="email"))
    assert "How bad" not in facts(entry)
    assert (entry.glyph, entry.tone, entry.severity) == ("▲", "warn", "warning")


def test_an_acknowledgement_shows_who_until_when_and_why_and_is_gone_when_its_time_is_over(board: Board) -> None:
    taken = of(board, ERRORS, channel="email")
    fact = facts(words().entry(taken))["Acknowledged by"]
    assert (fact.value, fact.more) == ("bia, until 16:51", "provider is on it")
    assert facts(words(now=NOW + HOUR).entry(taken))["Acknowledged by"].value == "nobody"


def test_a_pending_alert_says_how_much_of_its_time_is_over(board: Board) -> None:
    entry = words().entry(of(board, SILENT))
    assert (entry.state, entry.tone) == ("pending", "soft")
    assert facts(entry)["Since"].more == "1\u00a0min of 5\u00a0min"


def test_no_data_is_grey_and_keeps_the_last_value_that_was_known(board: Board) -> None:
    shown = of(board, LATENCY)
    entry = words().entry(shown)
    assert (shown.alert.state, entry.glyph, entry.tone) == (State.NODATA, "⌀", "soft")
    value = facts(entry)["Value"]
    assert (value.value, value.more) == ("1.2\u00a0s", "last value, 15:42")


def test_silences_and_mutes_are_marked_with_who_and_until_when(board: Board) -> None:
    assert (of(board, DROP).hiding, of(board, LATENCY).hiding) == (Hiding.SILENCE, Hiding.MUTE)
    assert words().entry(of(board, DROP)).marks == ("silenced until 16:51 by ana: planned <img src=x>",)
    assert words().entry(of(board, LATENCY)).marks == ("muted: a planned time without messages",)


def test_the_engine_is_late_after_a_minute_and_when_it_never_ended_a_round(board: Board) -> None:
    at = board.engine.evaluated_at
    assert at is not None
    assert not board.engine.is_late(at + timedelta(seconds=60))
    assert board.engine.is_late(at + timedelta(seconds=61))
    assert alerts.Engine(None, RuleFile(), {}).is_late(NOW)


def test_a_warehouse_without_the_read_of_the_engine_is_judged_by_its_alerts(tmp_path: Path) -> None:
    shop = Shop(tmp_path, NOW, has_engine=False)
    alert = shop.live(QUEUE, {}, [(HOUR, 3.0)])
    engine = alerts.board(shop, NOW).engine
    assert engine.evaluated_at == alert.last_eval
    assert set(engine.file.by_id) == set(shop.file.by_id)
    shop.kept.close()


def test_an_episode_is_told_once_with_its_changes_and_their_reasons(shop: Shop) -> None:
    (queue,) = alerts.episodes(shop, NOW, QUEUE)
    assert (queue.changes[0].source, queue.changes[0].target) == ("pending", "firing")
    assert queue.ended_at is not None
    table = words().history((queue,))
    assert column(table, "Peak") == ["2\u00a0min 30\u00a0s"]
    (told,) = column(table, "What happened")
    assert "◔ pending → ⬣ firing (beyond the limit)" in told
    assert told.endswith("→ ✓ normal (back within the limit)")
    assert {episode.rule_id for episode in alerts.episodes(shop, NOW)} == {QUEUE, ERRORS, LATENCY, DROP}


def test_an_episode_that_goes_on_has_no_end(shop: Shop) -> None:
    (data,) = alerts.episodes(shop, NOW, LATENCY)
    assert (data.ended_at, data.acked_by) == (None, "")
    assert "goes on" in column(words().history((data,)), "Lasted")[0]
    taken = [episode for episode in alerts.episodes(shop, NOW, ERRORS) if episode.acked_by]
    assert column(words().history(taken), "Acknowledged by") == ["bia"]  # after its last change of state


def test_every_rule_has_its_conditions_and_says_when_it_is_late(shop: Shop) -> None:
    states = {state.rule.id: state for state in alerts.rule_states(shop)}
    assert list(states) == [rule.id for rule in shop.file.rules]
    assert states[ERRORS].alerts == {State.FIRING: 2}
    assert not states[ERRORS].is_late(NOW)
    assert states["mart_freshness"].is_late(NOW)  # nothing of it was ever evaluated
    assert not states["sample_ratio_mismatch"].is_late(NOW)  # there is no experiment
    assert column(words().rules([states["sample_ratio_mismatch"]]), "Last evaluation") == ["—\nnothing to evaluate"]
    table = words().rules([states[ERRORS]])
    (said,) = column(table, "Conditions")
    assert said.splitlines()[:3] == [
        "fires >\u00a05%, for 5\u00a0min",
        "warns >\u00a03%",
        "recovers <\u00a04%, keeps 2\u00a0min",
    ]
    assert table.rows[0][-1].href == RUNBOOK
    assert "late" in column(words(now=NOW + HOUR).rules([states[ERRORS]]), "Last evaluation")[0]


def test_a_runbook_that_is_no_web_address_is_no_link(shop: Shop) -> None:
    (state, *_) = alerts.rule_states(shop)
    cell = words().rules([alerts.RuleState(replace(state.rule, runbook="javascript:alert(1)"), 1, NOW, {})]).rows[0][-1]
    assert (cell.text, cell.href) == ("javascript:alert(1)", "")


def test_a_delivery_that_failed_says_why_and_when_it_is_tried_again(shop: Shop) -> None:
    found = {each.receiver: each for each in alerts.deliveries(shop, NOW)}
    assert {each.receiver for each in found.values() if each.has_failed} == {"marketing-ops", "dpo"}
    said = dict(zip(found, column(words().deliveries(found.values()), "Delivery"), strict=True))
    assert said["oncall"].splitlines()[:2] == ["✓ delivered", "accepted by the service"]
    assert said["marketing-ops"].splitlines()[:2] == ["▲ waiting", "refused or not reached (HTTP 503)"]
    assert "next attempt 15:52" in said["marketing-ops"]
    assert said["dpo"].startswith("⬣ given up\nthe receiver has no address")
    assert said["marketing-lead"] == "◔ waiting"
    assert {each.receiver for each in alerts.deliveries(shop, NOW, DROP)} == {"marketing-lead"}


def test_a_silence_is_asked_for_as_the_warehouse_takes_it(board: Board) -> None:
    shown = of(board, ERRORS, channel="whatsapp")
    body = alerts.quiet_of(shown, Wish("ana", "operator", 2 * HOUR, "known"), NOW)
    role = body.pop("role")
    made = msgspec.convert({**body, "id": "x"}, Silence, strict=False)
    assert (role, made.ends - made.starts) == ("operator", 2 * HOUR)
    assert made.covers(shown.rule, shown.alert, NOW)
    other = of(board, ERRORS, channel="email")
    assert not made.covers(other.rule, other.alert, NOW)


@pytest.mark.parametrize("starts", [NOW - HOUR, NOW + HOUR])
def test_the_end_of_a_silence_is_the_same_silence_over(starts: datetime) -> None:
    known = Silence(id="s", matchers={"rule": ERRORS}, starts=starts, ends=NOW + 3 * HOUR, by="ana", comment="why")
    body = alerts.end_of(known, Wish("bia", "operator", None, ""), NOW)
    body.pop("role")
    ended = msgspec.convert(body, Silence)
    assert (ended.id, ended.by, ended.comment) == ("s", "bia", "why")
    assert ended.ends == max(NOW, starts + timedelta(microseconds=1))


@pytest.mark.parametrize(
    ("wish", "ack", "silence"),
    [
        (Wish("", "admin", HOUR, "why"), "no_name", "no_name"),
        (Wish("ana", "admin", HOUR, ""), None, "no_note"),
        (Wish("ana", "admin", None, "why"), None, "no_end"),
        (Wish("ana", "admin", HOUR, "why"), None, None),
    ],
)
def test_nobody_acts_without_a_name_and_no_silence_is_without_reason_and_end(
    wish: Wish, ack: str | None, silence: str | None
) -> None:
    assert (alerts.missing(wish), alerts.missing(wish, of_silence=True)) == (ack, silence)


def test_an_acknowledgement_ends_at_its_time_or_with_the_episode(board: Board) -> None:
    shown = board.goes_on[0]
    until = alerts.ack_of(shown, Wish("ana", "admin", HOUR, "mine"), NOW)
    assert until == {
        "fingerprints": [shown.alert.fingerprint], "by": "ana", "role": "admin",
        "until": "2026-11-22T19:51:00+00:00", "note": "mine",
    }  # fmt: skip
    assert alerts.ack_of(shown, Wish("ana", "admin", None, ""), NOW)["until"] is None


def test_where_nothing_goes_on_the_board_is_empty(tmp_path: Path) -> None:
    shop = calm(tmp_path, NOW)
    found = alerts.board(shop, NOW)
    assert (found.goes_on, found.silences, found.alerts) == ((), (), 1)
    assert (alerts.episodes(shop, NOW), alerts.deliveries(shop, NOW)) == ((), ())
    shop.store.write(Changes(at=NOW, file=RuleFile()))
    assert alerts.board(shop, NOW).alerts == 0  # of a rule that is no longer in force
    shop.kept.close()


def test_what_people_and_senders_wrote_is_text(shop: Shop, board: Board) -> None:
    said = words()
    parts = [markup.entry(said.entry(shown)) for shown in board.goes_on]
    parts += [markup.entry(said.silence(silence, board.engine.file.by_id)) for silence in board.silences]
    parts.append(markup.table(said.rules(alerts.rule_states(shop))))
    html = "".join(parts)
    assert "<img" not in html
    assert "<b>" not in html
    assert "planned &lt;img src=x&gt;" in html
    assert 'href="https://example.com/runbook?a=1&amp;b=2"' in html


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_code_that_may_come_has_its_word(language: str) -> None:
    known = texts("alerts.page", language)
    wanted = {
        "state": State, "reason": Reason, "severity": Severity, "policy": OnMissing, "result": Outcome,
        "status": Status, "kind": (*Kind, DIGEST), "view": ("now", "history", "rules", "silences", "deliveries"),
    }  # fmt: skip
    assert {f"{table}.{code}" for table, codes in wanted.items() for code in codes} <= known.keys()
    assert set(DELIVERED) == set(Status)
    assert set(alerts.STATES) == set(State)
    assert catalogue(language)["alerts.page.nothing"]
