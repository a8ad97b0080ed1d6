"""Messages. Spaces that keep a unit on its line are written as plain ones here."""

import math
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.alerts.conditions import read_condition
from cockpit.alerts.facts import FORMS, Facts, Form, Item, Trend
from cockpit.alerts.machine import Kind, Reason, State
from cockpit.alerts.messages import CHANGES, IMPACT, PHRASES, Place, Text, Tone, amount, limit, moment, span, text_of
from cockpit.alerts.rules import LABELS, Severity
from cockpit.i18n.translate import catalogue, texts
from cockpit.kpis.kpi import Unit

ZONE = ZoneInfo("America/Sao_Paulo")
NOW = datetime(2026, 11, 24, 18, 51, tzinfo=UTC)  # 15:51 in São Paulo
PT, EN = Place("pt-BR", ZONE, "https://cockpit.example"), Place("en", ZONE, "https://cockpit.example")

ITEM = Item(
    rule_id="integration_error_rate",
    name={"pt": "Taxa de erro", "en": "Error rate"},
    metric="integration_error_rate",
    unit=Unit.SHARE,
    labels={"channel": "whatsapp"},
    state=State.FIRING,
    reason=Reason.BEYOND_LIMIT,
    severity=Severity.CRITICAL,
    limit=read_condition("> 0.05"),
    value=0.072,
    value_at=NOW,
    count=4306,
    peak=0.089,
    trend=Trend.WORSE,
    began_at=NOW - timedelta(minutes=6),
    lasted_s=360,
    is_about_data=False,
    is_flapping=False,
    acked_by="",
    context={
        "lost": 310,
        "lost_cents": 412_300,
        "top_codes": "131026",
        "change": "deploy integrador v3.2",
        "change_at": (NOW - timedelta(minutes=10)).timestamp(),
    },
)


def facts_of(kind: Kind = Kind.FIRING, **changes: Any) -> Facts:
    item = msgspec.structs.replace(ITEM, **changes)
    return Facts(
        kind=kind,
        at=NOW,
        items=(item,),
        total=1,
        owner="integracoes",
        runbook="https://example.com/runbooks/whatsapp",
        page="/operational",
    )


def plain(text: Text) -> Text:
    return Text(text.title.replace("\u00a0", " "), text.body.replace("\u00a0", " "), text.tone)


def title(facts: Facts, place: Place = PT) -> str:
    return plain(text_of(facts, place)).title


# The table of the design


@pytest.mark.parametrize(
    ("place", "said"),
    [
        (
            PT,
            (
                "[CRÍTICO] Taxa de erro WhatsApp 7,2% (limite 5%) há 6 min — ~310 envios perdidos (~R$ 4,1 mil). "
                "Início 15:45. Mudança próxima: deploy integrador v3.2 15:41."
            ),
        ),
        (
            EN,
            (
                "[CRITICAL] Error rate WhatsApp 7.2% (limit 5%) for 6 min — ~310 lost sends (~R$ 4.1K). "
                "Began 15:45. Nearby change: deploy integrador v3.2 15:41."
            ),
        ),
    ],
)
def test_the_first_two_lines_say_what_how_bad_since_when_and_what_changed(place: Place, said: str) -> None:
    text = plain(text_of(facts_of(), place))
    assert f"{text.title}. {text.body.splitlines()[0]}" == said


def test_the_body_says_trend_details_owner_runbook_page_and_where_to_take_it() -> None:
    assert plain(text_of(facts_of(), PT)).body.splitlines()[1:] == [
        "piorando · base 4.306 · códigos: 131026",
        "Dono: integracoes",
        "Runbook: https://example.com/runbooks/whatsapp",
        "Abrir: https://cockpit.example/operational",
        "Reconhecer: https://cockpit.example/alerts",
    ]


BARE: dict[str, Any] = {"context": {}, "lasted_s": 7200}
RULE_GONE: dict[str, Any] = {"reason": Reason.RULE_DELETED, "state": State.OK, "lasted_s": 1080}


@pytest.mark.parametrize(
    ("kind", "changes", "pt", "en"),
    [
        (
            Kind.REPEAT, BARE,
            "[CRÍTICO] Taxa de erro WhatsApp 7,2% (limite 5%) continua há 2 h",
            "[CRITICAL] Error rate WhatsApp 7.2% (limit 5%) still firing after 2 h",
        ),
        (
            Kind.REPEAT, {**BARE, "state": State.RECOVERING},
            "[CRÍTICO] Taxa de erro WhatsApp 7,2% (limite 5%) continua há 2 h, normalizando",
            "[CRITICAL] Error rate WhatsApp 7.2% (limit 5%) still open after 2 h, recovering",
        ),
        (
            Kind.REPEAT, {**BARE, "state": State.NODATA},
            "[CRÍTICO] Taxa de erro WhatsApp continua sem dados há 2 h",
            "[CRITICAL] Error rate WhatsApp still without data after 2 h",
        ),
        (
            Kind.NODATA, {**BARE, "value": 0.031, "value_at": NOW - timedelta(minutes=15)},
            "[SEM DADOS] Taxa de erro WhatsApp: último valor 3,1% às 15:36",
            "[NO DATA] Error rate WhatsApp: last value 3.1% at 15:36",
        ),
        (
            Kind.NODATA, {**BARE, "value": None, "value_at": None},
            "[SEM DADOS] Taxa de erro WhatsApp: nenhum valor até agora",
            "[NO DATA] Error rate WhatsApp: no value so far",
        ),
        (
            Kind.NODATA, {**BARE, "reason": Reason.QUERY_FAILED, "state": State.ERROR},
            "[SEM DADOS] Taxa de erro WhatsApp: a consulta falha; último valor 7,2% às 15:51",
            "[NO DATA] Error rate WhatsApp: the query fails; last value 7.2% at 15:51",
        ),
        (
            Kind.RESOLVED, {"state": State.OK, "reason": Reason.WITHIN_LIMIT, "lasted_s": 1080},
            "[RESOLVIDO] Taxa de erro WhatsApp durou 18 min, pico 8,9%",
            "[RESOLVED] Error rate WhatsApp lasted 18 min, peak 8.9%",
        ),
        (
            Kind.RESOLVED, {"reason": Reason.WITHIN_LIMIT, "is_about_data": True, "lasted_s": 1080},
            "[RESOLVIDO] Taxa de erro WhatsApp: dados de volta depois de 18 min",
            "[RESOLVED] Error rate WhatsApp: data back after 18 min",
        ),
        (
            Kind.RESOLVED, RULE_GONE,
            "[ENCERRADO] Taxa de erro WhatsApp: a regra saiu do arquivo depois de 18 min",
            "[ENDED] Error rate WhatsApp: the rule left the file after 18 min",
        ),
        *(
            (
                Kind.RESOLVED, {**RULE_GONE, "reason": reason},
                f"[ENCERRADO] Taxa de erro WhatsApp: {pt}", f"[ENDED] Error rate WhatsApp: {en}",
            )
            for reason, pt, en in (
                (Reason.RULE_CHANGED, "a regra mudou depois de 18 min", "the rule changed after 18 min"),
                (
                    Reason.RULE_DISABLED,
                    "a regra foi desligada depois de 18 min", "the rule was switched off after 18 min",
                ),
                (
                    Reason.NO_LONGER_READ,
                    "sem valores há um dia, encerrado depois de 18 min", "no value for a day, ended after 18 min",
                ),
            )
        ),
        (
            Kind.DATA_BACK, {**BARE, "is_about_data": True, "lasted_s": 1080},
            "[DADOS DE VOLTA] Taxa de erro WhatsApp 7,2% (limite 5%): voltou depois de 18 min, fora do limite",
            "[DATA BACK] Error rate WhatsApp 7.2% (limit 5%): back after 18 min, beyond the limit",
        ),
        (
            Kind.ESCALATED, {**BARE, "lasted_s": 900},
            "[CRÍTICO] Taxa de erro WhatsApp 7,2% (limite 5%) sem reconhecimento há 15 min",
            "[CRITICAL] Error rate WhatsApp 7.2% (limit 5%) not acknowledged for 15 min",
        ),
        (
            Kind.SILENCE_OVER, BARE,
            "[CRÍTICO] Taxa de erro WhatsApp 7,2% (limite 5%) silêncio expirou, segue disparado",
            "[CRITICAL] Error rate WhatsApp 7.2% (limit 5%) silence expired, still firing",
        ),
        (
            Kind.SEVERITY, BARE,
            "[CRÍTICO] Taxa de erro WhatsApp 7,2% (limite 5%) passou de atenção a crítico",
            "[CRITICAL] Error rate WhatsApp 7.2% (limit 5%) went from warning to critical",
        ),
        (
            Kind.FIRING, {**BARE, "severity": Severity.WARN, "limit": read_condition("> 0.03"), "labels": {}},
            "[ATENÇÃO] Taxa de erro 7,2% (limite 3%) há 2 h",
            "[WARNING] Error rate 7.2% (limit 3%) for 2 h",
        ),
        (
            Kind.FIRING, {**BARE, "unit": Unit.CLASS},
            "[CRÍTICO] Taxa de erro WhatsApp há 2 h",
            "[CRITICAL] Error rate WhatsApp for 2 h",
        ),
        (
            Kind.RESOLVED, {**BARE, "unit": Unit.CLASS, "reason": Reason.WITHIN_LIMIT},
            "[RESOLVIDO] Taxa de erro WhatsApp durou 2 h",
            "[RESOLVED] Error rate WhatsApp lasted 2 h",
        ),
    ],
)  # fmt: skip
def test_a_message_of_each_kind(kind: Kind, changes: dict[str, Any], pt: str, en: str) -> None:
    facts = facts_of(kind, **changes)
    assert (title(facts, PT), title(facts, EN)) == (pt, en)


def many(count: int, shown: int, kind: Kind = Kind.FIRING, **changes: Any) -> Facts:
    item = msgspec.structs.replace(ITEM, context={}, **changes)
    return msgspec.structs.replace(facts_of(), kind=kind, items=(item,) * shown, total=count)


def test_a_group_is_counted_and_listed() -> None:
    text = plain(text_of(many(3, 3), PT))
    assert text.title == "[CRÍTICO] Taxa de erro: 3 disparados"
    assert text.body.splitlines()[:3] == ["- Taxa de erro WhatsApp 7,2% (limite 5%) há 6 min"] * 3


def test_a_storm_is_counted_with_its_worst() -> None:
    text = plain(text_of(many(47, 5), EN))
    assert text.title == "[CRITICAL] Error rate: 47 firing, the 5 worst"
    assert text.body.count("- Error rate") == 5


@pytest.mark.parametrize(
    ("kind", "changes", "said"),
    [
        (Kind.NODATA, {}, "[SEM DADOS] Taxa de erro: 2 sem dados"),
        (Kind.DATA_BACK, {}, "[DADOS DE VOLTA] Taxa de erro: 2 com dados de volta, fora do limite"),
        (Kind.RESOLVED, {"reason": Reason.WITHIN_LIMIT}, "[RESOLVIDO] Taxa de erro: 2 resolvidos"),
        (Kind.RESOLVED, RULE_GONE, "[ENCERRADO] Taxa de erro: 2 encerrados"),
        (Kind.REPEAT, {}, "[CRÍTICO] Taxa de erro: 2 disparados"),
    ],
)
def test_a_group_of_each_kind(kind: Kind, changes: dict[str, Any], said: str) -> None:
    assert title(many(2, 2, kind, **changes)) == said


# What the default catalogue asks messages to contain


@pytest.mark.parametrize(
    ("context", "said"),
    [
        ({"top_codes": "131026 (120), 130429 (88)"}, "códigos: 131026 120 , 130429 88"),
        ({"ingest_ms": 420, "decide_ms": 80, "send_ms": 7500}, "entrada 420 ms / decisão 80 ms / envio 7,5 s"),
        ({"arrival_per_s": 120, "drain_per_s": 87.5}, "chegam 120/s, saem 87,5/s"),
        ({"eta_s": 840}, "em dia em 14 min"),
        ({"observed": 12, "expected": 340}, "12 de 340 esperados"),
        ({"last_event_at": NOW.timestamp() - 3600}, "último evento 14:51"),
        ({"last_event_at": NOW.timestamp() - 86400}, "último evento 23/11/2026 15:51"),
        ({"use_cases": "cart, home"}, "casos de uso: cart, home"),
        ({"fallback_rate": 0.25}, "fallback 25,0%"),
        ({"model_version": "ranker-7"}, "modelo ranker-7"),
        ({"effect": -0.042, "low": -0.06, "high": -0.02}, "efeito -4,2% (intervalo -6,0% a -2,0%)"),
        ({"n": 48_000, "days": 14}, "n = 48.000 · 14 dias"),
        ({"at_risk_cents": 1_234_567_00}, "em risco R$ 1,2 mi"),
        ({"guardrail": "unsubscribe_rate_profile"}, "guarda: "),
        ({"counts": "1.011 / 18.989", "split": "5 / 95"}, "contagens: 1.011 / 18.989 · divisão: 5 / 95"),
        ({"first_day": NOW.timestamp()}, "desde 24/11/2026"),
        ({"contaminated": 7, "holdout": 900}, "7 de 900 do grupo de controle"),
        ({"action": "push"}, "ação: push"),
        ({"failing_rule": "errors"}, "regra: errors"),
    ],
)
def test_what_is_known_beside_the_value_is_said(context: dict[str, Any], said: str) -> None:
    text = plain(text_of(facts_of(context=context), PT))
    assert said in text.body
    assert text.title == "[CRÍTICO] Taxa de erro WhatsApp 7,2% (limite 5%) há 6 min"


@pytest.mark.parametrize("metric", sorted(texts("alerts.advice", "pt")))
def test_a_metric_with_an_advice_gives_it(metric: str) -> None:
    assert catalogue("pt")[f"alerts.advice.{metric}"] in text_of(facts_of(metric=metric), PT).body
    assert catalogue("pt")[f"alerts.advice.{metric}"] not in text_of(facts_of(Kind.RESOLVED, metric=metric), PT).body


def test_an_experiment_is_never_said_to_have_won() -> None:
    for place in (PT, EN):
        said = text_of(facts_of(metric="experiment_below_target"), place)
        assert not re.search(r"vence|ganh|melhor\b|winner|won", said.title + said.body, re.IGNORECASE)


def test_every_form_of_the_context_is_said_by_some_phrase() -> None:
    assert {name for table in (IMPACT, PHRASES, CHANGES) for _, names in table for name in names} == FORMS.keys()


def test_an_oscillating_alert_is_said_to_oscillate() -> None:
    assert "oscilando" in text_of(facts_of(is_flapping=True), PT).body


# Numbers and instants


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0 s"), (59.9, "59 s"), (60, "1 min"), (3599, "59 min"), (3600, "1 h"), (7800, "2 h 10 min"),
     (172_799, "47 h 59 min"), (172_800, "2 d"), (190_800, "2 d 5 h"), (-5, "0 s")],
)  # fmt: skip
def test_a_span_is_as_exact_as_a_message_needs(seconds: float, said: str) -> None:
    assert span(seconds).replace("\u00a0", " ") == said


@pytest.mark.parametrize(
    ("unit", "value", "said"),
    [
        (Unit.SHARE, 0.0042, "0,42%"),
        (Unit.MONEY, 123_456, "R$ 1,2 mil"),
        (Unit.MILLISECONDS, 61_000, "1 min 01 s"),
        (Unit.SECONDS, 7.5, "7,5 s"),
        (Unit.COUNT, 1234, "1.234"),
        (Unit.NUMBER, 0.0312, "0,031"),
        (Unit.NUMBER, 3.2189, "3,22"),
        (Unit.NUMBER, 12.34, "12,3"),
        (Unit.NUMBER, 1.0, "1"),
        (Unit.CLASS, 1.0, ""),
        (Unit.SHARE, None, "—"),
        (Unit.NUMBER, math.nan, "—"),
    ],
)
def test_a_value_is_written_in_its_unit(unit: Unit, value: float | None, said: str) -> None:
    assert amount(unit, value, "pt").replace("\u00a0", " ") == said


@pytest.mark.parametrize(
    ("unit", "condition", "said"),
    [
        (Unit.SHARE, "> 0.05", "5%"),
        (Unit.SHARE, "> 0.005", "0,5%"),
        (Unit.SHARE, "> 0.0125", "1,25%"),
        (Unit.SECONDS, "> 120", "2 min"),
        (Unit.SECONDS, "> 90", "1 min 30 s"),
        (Unit.MILLISECONDS, "> 60000", "1 min"),
        (Unit.MILLISECONDS, "> 5000", "5,0 s"),
        (Unit.NUMBER, ">= 2.9957", "3,00"),
        (Unit.COUNT, ">= 1", "1"),
    ],
)
def test_a_limit_is_written_as_people_say_it(unit: Unit, condition: str, said: str) -> None:
    assert limit(unit, read_condition(condition), "pt").replace("\u00a0", " ") == said


def test_an_instant_has_its_day_unless_it_is_today_by_the_business_clock() -> None:
    assert moment(datetime(2026, 11, 25, 2, 59, tzinfo=UTC), NOW, PT) == "23:59"
    assert moment(datetime(2026, 11, 25, 3, 0, tzinfo=UTC), NOW, PT).replace("\u00a0", " ") == "25/11/2026 00:00"


# Edge 18: a broken template; edge 19: nobody's data


def broken(key: str, language: str, /, **values: object) -> str:
    return "{no_such_value}".format_map(values)


@pytest.mark.parametrize("kind", list(Kind))
def test_a_broken_template_goes_out_plain(kind: Kind) -> None:
    text = text_of(facts_of(kind), PT, broken)
    assert text.title == f"[CRITICAL] {kind.value} integration_error_rate x1"
    assert text.body.splitlines()[0] == "integration_error_rate channel=whatsapp 0.072"


@pytest.mark.parametrize("value", [math.inf, -math.inf])
def test_a_number_that_cannot_be_written_goes_out_plain(value: float) -> None:
    assert text_of(facts_of(value=value), PT).title.startswith("[CRITICAL] firing")


def test_a_label_without_a_word_goes_out_plain() -> None:
    assert "x1" in text_of(facts_of(labels={"unheard_of": "a"}), PT).title


personal = st.sampled_from(
    ["maria.silva@example.com", "+55 11 98888-7777", "11988887777", "123.456.789-09", "(11) 98888-7777"]
)
names = st.sampled_from([name for name, form in FORMS.items() if form is Form.TEXT])


@given(
    st.dictionaries(st.sampled_from(LABELS), personal), st.dictionaries(names, personal), st.sampled_from(list(Kind))
)
def test_no_message_shows_an_address_a_phone_or_a_document(
    labels: dict[str, str], context: dict[str, Any], kind: Kind
) -> None:
    for say in (None, broken):
        facts = facts_of(kind, labels=labels, context=context)
        text = text_of(facts, PT) if say is None else text_of(facts, PT, say)
        shown = f"{text.title}\n{text.body}"
        assert not re.search(r"maria|98888|123\.456|\d{10}", shown)


@given(st.text(max_size=80), st.text(max_size=80))
def test_what_senders_chose_adds_no_line_link_or_mention(label: str, codes: str) -> None:
    plain_one, other = (
        text_of(facts_of(labels={"campaign": campaign}, context={"top_codes": words}), PT)
        for campaign, words in (("a", "b"), (label, codes))
    )
    assert "\n" not in other.title
    assert len(other.body.splitlines()) <= len(plain_one.body.splitlines())
    assert "@" not in other.title + other.body
    assert other.body.count("://") == plain_one.body.count("://")


# Tone


@pytest.mark.parametrize(
    ("kind", "severity", "tone"),
    [
        (Kind.FIRING, Severity.CRITICAL, Tone.FAILURE),
        (Kind.FIRING, Severity.WARN, Tone.WARNING),
        (Kind.NODATA, Severity.CRITICAL, Tone.WARNING),
        (Kind.RESOLVED, Severity.CRITICAL, Tone.SUCCESS),
        (Kind.DATA_BACK, Severity.CRITICAL, Tone.SUCCESS),
        (Kind.REPEAT, Severity.CRITICAL, Tone.FAILURE),
    ],
)
def test_only_the_end_of_an_episode_is_a_success(kind: Kind, severity: Severity, tone: Tone) -> None:
    assert text_of(facts_of(kind, severity=severity), PT).tone is tone


def test_without_an_address_of_the_screens_there_are_no_links_to_them() -> None:
    assert "cockpit" not in text_of(facts_of(), Place("pt-BR", ZONE)).body
