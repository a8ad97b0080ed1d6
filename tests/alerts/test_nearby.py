"""What changed shortly before an alert began, alerts.md section 7."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from cockpit.alerts.machine import Alert, Context, State
from cockpit.alerts.messages import Place, text_of
from cockpit.alerts.nearby import Annotation, Marker, Noting, annotation_of, markers, nearby
from cockpit.alerts.readings import readings
from cockpit.alerts.world import World
from cockpit.errors import CallerError
from cockpit.experiments.lifecycle import Action
from cockpit.views import alerts as page
from cockpit.views.alert_words import Words
from tests.alerts.looks import AT, DELAY, rule
from tests.alerts.rounds import alert_of
from tests.alerts.shop import MINUTE, SECOND, ZONE, Shop, delivered, failed
from tests.alerts.test_messages import facts_of
from tests.experiments.registrations import NOON, decide, registration
from tests.views.alert_shop import QUEUE
from tests.views.alert_shop import Shop as Kept

HOUR = 60 * MINUTE
DEPLOY = Marker(NOON, "deploy integrador v3.2")
CART = registration("cart", "2")


def noting(**changes: Any) -> Noting:
    return Noting(**{"text": "deploy integrador v3.2", "kind": "deploy", "by": "ci", "role": "operator", **changes})


# The nearest one


@pytest.mark.parametrize("since", [timedelta(0), MINUTE, HOUR])
def test_what_changed_in_the_hour_before_is_named(since: timedelta) -> None:
    assert nearby([DEPLOY], NOON + since) == {"change": "deploy integrador v3.2", "change_at": NOON.timestamp()}


@pytest.mark.parametrize("since", [-SECOND, HOUR + SECOND])
def test_what_changed_after_it_began_or_long_before_is_not(since: timedelta) -> None:
    assert nearby([DEPLOY], NOON + since) == {}


@given(st.lists(st.integers(-200, 200)), st.integers(-200, 200))
def test_of_several_it_is_the_last_one_before_it_began(minutes: list[int], began: int) -> None:
    known = sorted(Marker(NOON + minute * MINUTE, str(minute)) for minute in minutes)
    before = [minute for minute in minutes if began - 60 <= minute <= began]
    assert nearby(known, NOON + began * MINUTE).get("change") == (str(max(before)) if before else None)


# Experiments


DECIDED: tuple[Action, ...] = ("register", "start", "pause", "resume", "reallocate", "stop")
SHARES = {"shares": {"control": 0.5, "personalized": 0.5}}


def test_what_is_done_to_an_experiment_that_runs_is_a_change() -> None:
    entries = [
        decide(action, CART, NOON + place * MINUTE, **(SHARES if action == "reallocate" else {}))
        for place, action in enumerate(DECIDED)
    ]
    conclude = decide("conclude", CART, NOON + HOUR, decision="keep it")
    found = markers((), [*entries, conclude])
    assert [marker.act for marker in found] == list(DECIDED[1:])
    assert {marker.text for marker in found} == {"cart · 2"}


def test_what_was_planned_and_never_ran_changed_nothing() -> None:
    assert markers((), [decide("register", CART), decide("stop", CART)]) == ()


def test_an_experiment_that_had_begun_before_it_was_said_changed_things_then() -> None:
    earlier = NOON - 20 * MINUTE
    (found,) = markers((), [decide("start", CART, NOON, at=earlier.isoformat())])
    assert (found.at, found.act) == (earlier, "start")


# What people say


def test_what_is_said_is_kept_without_anybodys_data() -> None:
    kept = annotation_of(noting(text="deploy for ana@example.com, call 11 99999-8888\nnow"), NOON)
    assert kept.text == "deploy for ••• call ••• now"


def test_what_is_said_may_be_longer_than_a_label() -> None:
    assert annotation_of(noting(text="a" * 200), NOON).text == "a" * 200


@pytest.mark.parametrize(
    ("said", "message"), [({"text": "<|>"}, "says nothing"), ({"at": NOON + 2 * MINUTE}, "in the future")]
)
def test_what_says_nothing_or_has_not_happened_is_refused(said: dict[str, Any], message: str) -> None:
    with pytest.raises(CallerError, match=message):
        annotation_of(noting(**said), NOON)


def test_a_clock_that_is_a_little_ahead_is_no_reason_to_refuse() -> None:
    assert annotation_of(noting(at=NOON + SECOND), NOON).at == NOON


def test_changes_of_all_kinds_are_in_the_order_in_which_they_happened() -> None:
    said = Annotation(at=NOON + MINUTE, text="deploy", kind="deploy", by="ci", role="operator")
    known = markers([said], [decide("start", CART, NOON + 2 * MINUTE), decide("pause", CART, NOON + 3 * MINUTE)])
    assert [marker.text for marker in known] == ["deploy", "cart · 2", "cart · 2"]


# In readings and messages


def read(shop: Shop, at: datetime, known: tuple[Marker, ...], *alerts: Alert) -> Context:
    world = World(shop.reads, ZONE)
    world.turn(at + DELAY, {}, known)
    return readings(rule(), at, world, alerts)["whatsapp",].context


def test_a_value_beyond_its_limit_comes_with_the_change_before_it(shop: Shop) -> None:
    shop.take(failed("f"), delivered("d"))
    assert read(shop, AT, (Marker(AT - MINUTE, "deploy"),))["change"] == "deploy"
    assert "change" not in read(shop, AT, ())


def test_an_alert_keeps_the_change_from_before_it_began(shop: Shop) -> None:
    shop.take(failed("f"), delivered("d"))
    known = (Marker(AT - 4 * MINUTE, "before"), Marker(AT - 2 * MINUTE, "after"))
    began = {"active_at": AT - 3 * MINUTE}
    pending = replace(alert_of(rule()), state=State.PENDING, **began)
    fine = replace(alert_of(rule()), state=State.OK, **began)
    assert read(shop, AT, known, pending)["change"] == "before"
    assert read(shop, AT, known, fine)["change"] == "after", "what was before the episode that is over says nothing"


def test_a_value_within_its_limit_has_no_change(shop: Shop) -> None:
    shop.take(delivered("d"))
    assert read(shop, AT, (Marker(AT - MINUTE, "deploy"),)) == {}


@pytest.mark.parametrize(
    ("marker", "pt", "en"),
    [
        (
            Marker(AT, "deploy integrador v3.2"),
            "Mudança próxima: deploy integrador v3.2 ",
            "Nearby change: deploy integrador v3.2 ",
        ),
        (
            Marker(AT, "cart · 2", "start"),
            "Mudança próxima: experimento cart · 2 iniciado ",
            "Nearby change: experiment cart · 2 started ",
        ),
        (
            Marker(AT, "cart · 2", "reallocate"),
            "Mudança próxima: experimento cart · 2 com outra divisão ",
            "Nearby change: experiment cart · 2 with other shares ",
        ),
    ],
)
def test_a_message_names_it_in_both_languages(marker: Marker, pt: str, en: str) -> None:
    facts = facts_of(context=nearby([marker], AT))
    for language, said in (("pt-BR", pt), ("en", en)):
        assert said in text_of(facts, Place(language, ZONE)).body.splitlines()[0]


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("pt", "Mudança próxima: experimento cart · 2 iniciado 11:41."),
        ("en", "Nearby change: experiment cart · 2 started 11:41."),
    ],
)
def test_the_page_names_it_in_both_languages(tmp_path: Path, language: str, said: str) -> None:
    context = nearby([Marker(NOON - 19 * MINUTE, "cart · 2", "start")], NOON - 10 * MINUTE)
    kept = Kept(tmp_path, NOON)
    kept.live(QUEUE, {}, [(10 * MINUTE, 150.0)], **context)
    (shown,) = page.board(kept, NOON).goes_on
    assert any(said in note for note in Words(language, ZONE, NOON).entry(shown).notes)
    kept.kept.close()
