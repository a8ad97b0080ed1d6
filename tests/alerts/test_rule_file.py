from datetime import UTC, date, datetime, time, timedelta

import msgspec
import pytest

from cockpit.alerts.calendars import Calendar
from cockpit.alerts.conditions import Condition
from cockpit.alerts.rule_file import BadRules, read_rules
from cockpit.alerts.rules import (
    Grouping,
    Inhibit,
    Known,
    MetricInfo,
    Mute,
    OnMissing,
    Receiver,
    Rule,
    RuleFile,
    Severity,
)
from cockpit.errors import CallerError
from cockpit.kpis.kpi import Unit

KNOWN = Known(
    {
        "integration_error_rate": MetricInfo(("channel", "use_case"), is_derived=True, unit=Unit.SHARE),
        "heartbeat_age_s": MetricInfo((), is_derived=False, unit=Unit.SECONDS),
    },
    frozenset({"/", "/operational", "/alerts"}),
)

EXAMPLE = """\
# That of the design
[[rule]]
id = "wa_error_rate"
name = { pt = "Taxa de erro — WhatsApp", en = "WhatsApp error rate" }
metric = "integration_error_rate"
by = ["channel"]
where = { channel = "whatsapp" }
window = "5m"
every = "15s"
evaluation_delay = "20s"
min_count = 50
fire = "> 0.05"
recover = "< 0.04"
warn = "> 0.03"
for = "5m"
keep_firing_for = "2m"
nodata = "alert"
nodata_for = "3m"
severity = "critical"
group_by = ["rule"]
repeat = "4h"
escalate_after = "15m"
owner = "integracoes"
runbook = "https://example.com/runbooks/whatsapp"
page = "/operational?channel=whatsapp"
receivers = ["oncall", "marketing-ops"]

[[receiver]]
name = "oncall"
url_env = "COCKPIT_ALERT_ONCALL"
escalate_to = "marketing-ops"

[[receiver]]
name = "marketing-ops"
url_env = "COCKPIT_ALERT_MARKETING_OPS"
language = "en"

[[mute]]
name = "black-friday"
reason = "congelamento"
match = { severity = "warning" }
from = 2026-11-27T00:00:00-03:00
to = 2026-11-28T23:59:59-03:00

[[inhibit]]
source = "wa_error_rate"
target = { derived = true }
"""


def read(text: str = EXAMPLE) -> RuleFile:
    return read_rules(text, "alerts.toml", KNOWN)


def with_line(old: str, new: str) -> str:
    assert old in EXAMPLE
    return EXAMPLE.replace(old, new, 1)


def test_the_example_of_the_design_is_read_as_it_says() -> None:
    assert read() == RuleFile(
        rules=(
            Rule(
                id="wa_error_rate",
                name={"pt": "Taxa de erro — WhatsApp", "en": "WhatsApp error rate"},
                metric="integration_error_rate",
                by=("channel",),
                where={"channel": "whatsapp"},
                window=timedelta(minutes=5),
                every=timedelta(seconds=15),
                evaluation_delay=timedelta(seconds=20),
                min_count=50,
                fire=Condition(">", 0.05),
                recover=Condition("<", 0.04),
                warn=Condition(">", 0.03),
                hold=timedelta(minutes=5),
                keep_firing_for=timedelta(minutes=2),
                nodata=OnMissing.ALERT,
                nodata_for=timedelta(minutes=3),
                severity=Severity.CRITICAL,
                group_by=("rule",),
                repeat=timedelta(hours=4),
                escalate_after=timedelta(minutes=15),
                owner="integracoes",
                runbook="https://example.com/runbooks/whatsapp",
                page="/operational?channel=whatsapp",
                receivers=("oncall", "marketing-ops"),
                is_derived=True,
                unit=Unit.SHARE,
            ),
        ),
        receivers=(
            Receiver(name="oncall", url_env="COCKPIT_ALERT_ONCALL", escalate_to="marketing-ops"),
            Receiver(name="marketing-ops", url_env="COCKPIT_ALERT_MARKETING_OPS", language="en"),
        ),
        mutes=(
            Mute(
                name="black-friday",
                reason="congelamento",
                match={"severity": "warning"},
                start=datetime(2026, 11, 27, 3, tzinfo=UTC),
                end=datetime(2026, 11, 29, 2, 59, 59, tzinfo=UTC),
            ),
        ),
        inhibits=(Inhibit(source="wa_error_rate", target={"derived": True}),),
    )


def test_what_a_rule_leaves_out_has_its_default() -> None:
    optional = ("by", "where", "evaluation_delay", "min_count", "recover", "warn", "for", "keep_firing_for", "nodata",
                "nodata_for", "group_by", "repeat", "escalate_after", "runbook", "page")  # fmt: skip
    short = "\n".join(line for line in EXAMPLE.splitlines() if line.partition(" ")[0] not in optional)
    rule = read(short).rules[0]
    assert (rule.hold, rule.keep_firing_for, rule.min_count) == (timedelta(0), timedelta(0), 0)
    assert (rule.evaluation_delay, rule.repeat) == (timedelta(seconds=20), timedelta(hours=4))
    assert (rule.nodata, rule.on_error) == (OnMissing.ALERT, OnMissing.KEEP)
    assert rule.group_by == ("rule", "use_case")
    assert rule.recover is None


def test_a_receiver_may_want_no_digest() -> None:
    wants = {"oncall": False, "marketing-ops": True}
    file = read(with_line('escalate_to = "marketing-ops"\n', 'escalate_to = "marketing-ops"\ndigest = false\n'))
    assert {receiver.name: receiver.wants_digest for receiver in file.receivers} == wants


def test_weekly_mutes_grouping_and_expected_values_are_read() -> None:
    text = with_line('where = { channel = "whatsapp" }', 'expect = { channel = ["site", "app"] }')
    text += """
[[mute]]
name = "noite"
reason = "lote noturno"
match = { rule = "wa_error_rate" }
during = { days = ["sun", "mon"], hours = "22:00-06:00", zone = "America/Manaus", holidays = [2026-12-25] }

[grouping]
wait = "0s"
interval = "1m"
"""
    file = read(text)
    assert file.rules[0].expected == ({"channel": "site"}, {"channel": "app"})
    assert file.grouping == Grouping(wait=timedelta(0), interval=timedelta(minutes=1))
    assert file.mutes[1].during == Calendar(
        days=("sun", "mon"), start=time(22), end=time(6), zone="America/Manaus", holidays=(date(2026, 12, 25),)
    )


def test_a_file_comes_back_from_where_it_is_stored_as_it_was() -> None:
    assert msgspec.json.decode(msgspec.json.encode(read()), type=RuleFile) == read()


def test_a_file_may_hold_no_rules() -> None:
    assert read("") == RuleFile()


# Every error, with file, line, table and key


@pytest.mark.parametrize(
    ("old", "new", "line", "where", "says"),
    [
        # keys
        ('owner = "integracoes"', 'onwer = "integracoes"', 23, "rule wa_error_rate, onwer", "no such key; owner?"),
        ('window = "5m"\n', "", 2, "rule wa_error_rate", "has no 'window'"),
        ('id = "wa_error_rate"\n', "", 2, "rule 1", "has no 'id'"),
        ('id = "wa_error_rate"', 'id = "WA error"', 3, "rule WA error, id", "is not like wa_error_rate"),
        ('id = "wa_error_rate"', "id = 7", 3, "rule 1, id", "is no text"),
        ('pt = "Taxa de erro — WhatsApp", ', "", 4, "rule wa_error_rate, name", "no name in pt"),
        ('en = "WhatsApp error rate"', 'de = "Fehler"', 4, "rule wa_error_rate, name", "'de' is none of pt, en"),
        ('en = "WhatsApp error rate"', 'en = " "', 4, "rule wa_error_rate, name", "is no text"),
        ("{ pt = ", '"Taxa" # { pt = ', 4, "rule wa_error_rate, name", "is no table"),
        # durations
        ('for = "5m"', 'for = "5 m"', 15, "rule wa_error_rate, for", "is no duration"),
        ('for = "5m"', 'for = "5min"', 15, "rule wa_error_rate, for", "is no duration"),
        ('for = "5m"', 'for = "-5m"', 15, "rule wa_error_rate, for", "is no duration"),
        ('for = "5m"', 'for = "1.5h"', 15, "rule wa_error_rate, for", "is no duration"),
        ('for = "5m"', "for = 300", 15, "rule wa_error_rate, for", "is no text"),
        ('every = "15s"', 'every = "0s"', 9, "rule wa_error_rate, every", "is no time at all"),
        ('repeat = "4h"', 'repeat = "0m"', 21, "rule wa_error_rate, repeat", "is no time at all"),
        # conditions
        ('fire = "> 0.05"', 'fire = ">0.05"', 12, "rule wa_error_rate, fire", "is no condition"),
        ('fire = "> 0.05"', 'fire = "= 0.05"', 12, "rule wa_error_rate, fire", "is no condition"),
        ('fire = "> 0.05"', 'fire = "> 5%"', 12, "rule wa_error_rate, fire", "is no condition"),
        ('fire = "> 0.05"', 'fire = "> 0.05 or < 0"', 12, "rule wa_error_rate, fire", "is no condition"),
        ('recover = "< 0.04"', 'recover = "< 0.06"', 13, "rule wa_error_rate, recover", "not on the safe side"),
        ('recover = "< 0.04"', 'recover = "> 0.04"', 13, "rule wa_error_rate, recover", "not on the safe side"),
        ('warn = "> 0.03"', 'warn = "> 0.05"', 14, "rule wa_error_rate, warn", "does not come before"),
        ('warn = "> 0.03"', 'warn = "> 0.06"', 14, "rule wa_error_rate, warn", "does not come before"),
        ('warn = "> 0.03"', 'warn = "< 0.03"', 14, "rule wa_error_rate, warn", "does not come before"),
        ('severity = "critical"', 'severity = "warning"', 14, "rule wa_error_rate, warn", "only a critical rule"),
        # what has to be shorter, known, allowed
        (
            'evaluation_delay = "20s"', 'evaluation_delay = "5m"', 10, "rule wa_error_rate, evaluation_delay", "shorter"
        ),
        ('nodata = "alert"', 'nodata = "page"', 17, "rule wa_error_rate, nodata", "none of alert, keep, ok"),
        ('nodata_for = "3m"', 'on_error = "no"', 18, "rule wa_error_rate, on_error", "none of alert, keep, ok"),
        ('severity = "critical"', 'severity = "high"', 19, "rule wa_error_rate, severity", "none of warning, critical"),
        ("min_count = 50", "min_count = -1", 11, "rule wa_error_rate, min_count", "is no count"),
        ("min_count = 50", "min_count = true", 11, "rule wa_error_rate, min_count", "is no count"),
        (
            'metric = "integration_error_rate"', 'metric = "heartbeat_age_s"\nbeyond_chance = true', 6,
            "rule wa_error_rate, beyond_chance", "is no share of anything",
        ),
        ("min_count = 50", "enabled = 1", 11, "rule wa_error_rate, enabled", "neither true nor false"),
        (
            'metric = "integration_error_rate"', 'metric = "integration_errors_rate"', 5,
            "rule wa_error_rate, metric", "no metric 'integration_errors_rate'; integration_error_rate?",
        ),
        ('by = ["channel"]', 'by = ["user_id"]', 6, "rule wa_error_rate, by", "no label that an alert may carry"),
        ('by = ["channel"]', 'by = ["segment"]', 6, "rule wa_error_rate, by", "cannot be split by segment"),
        ('by = ["channel"]', 'by = ["channel", "channel"]', 6, "rule wa_error_rate, by", "lists something twice"),
        ('by = ["channel"]', 'by = "channel"', 6, "rule wa_error_rate, by", "is no list"),
        (
            'where = { channel = "whatsapp" }', 'where = { email = "maria" }', 7,
            "rule wa_error_rate, where", "no label that an alert may carry",
        ),
        (
            'where = { channel = "whatsapp" }', 'expect = { use_case = ["cart"] }', 7,
            "rule wa_error_rate, expect", "not split by use_case",
        ),
        ('group_by = ["rule"]', 'group_by = ["phone"]', 20, "rule wa_error_rate, group_by", "is none of rule, "),
        ('group_by = ["rule"]', 'group_by = ["channel"]', 20, "rule wa_error_rate, group_by", "has to name rule"),
        (
            'receivers = ["oncall", "marketing-ops"]', 'receivers = ["oncall", "night"]', 26,
            "rule wa_error_rate, receivers", "there is no receiver 'night'",
        ),
        ('receivers = ["oncall", "marketing-ops"]', "receivers = []", 26, "rule wa_error_rate, receivers", "is empty"),
        (
            'page = "/operational?channel=whatsapp"', 'page = "/operacional"', 25,
            "rule wa_error_rate, page", "there is no page '/operacional'",
        ),
        (
            'runbook = "https://example.com/runbooks/whatsapp"', 'runbook = "see the wiki"', 24,
            "rule wa_error_rate, runbook", "neither an https:// address",
        ),
        # receivers
        ('url_env = "COCKPIT_ALERT_ONCALL"', 'url_env = "oncall"', 30, "receiver oncall, url_env", "is not like"),
        ('escalate_to = "marketing-ops"', 'escalate_to = "boss"', 31, "receiver oncall, escalate_to", "no receiver"),
        ('escalate_to = "marketing-ops"', 'escalate_to = "oncall"', 31, "receiver oncall, escalate_to", "itself"),
        ('language = "en"', 'language = "de"', 36, "receiver marketing-ops, language", "none of pt-BR, en"),
        ('name = "marketing-ops"', 'name = "oncall"', 34, "receiver oncall, name", "is there already"),
        # mutes
        ('reason = "congelamento"', 'reason = ""', 40, "mute black-friday, reason", "is no text"),
        ('match = { severity = "warning" }', "match = {}", 41, "mute black-friday, match", "nothing to match"),
        ('match = { severity = "warning" }', 'match = { user = "x" }', 41, "mute black-friday, match", "cannot match"),
        ('{ severity = "warning" }', '{ severity = "mild" }', 41, "mute black-friday, match", "none of warning"),
        ('{ severity = "warning" }', '{ rule = "nothing" }', 41, "mute black-friday, match", "no rule 'nothing'"),
        ("T00:00:00-03:00", "T00:00:00", 42, "mute black-friday, from", "no instant with its offset"),
        ("to = 2026-11-28", "to = 2026-12-28", 43, "mute black-friday, to", "more than 7 days"),
        ("to = 2026-11-28", "to = 2026-11-26", 43, "mute black-friday, to", "is not after from"),
        ("to = 2026-11-28T23:59:59-03:00\n", "", 38, "mute black-friday", "ends by itself"),
        ("from = 2026-11-27T00:00:00-03:00", "during = { days = ['sat'] }", 38, "mute black-friday", "either from and"),
        ("from = 2026-11-27T00:00:00-03:00", "during = { hour = '9' }", 42, "mute black-friday, during", "has no hour"),
        (
            "from = 2026-11-27T00:00:00-03:00", "during = { hours = '9-18' }", 42,
            "mute black-friday, during", "are no hours",
        ),
        (
            "from = 2026-11-27T00:00:00-03:00", "during = { zone = 'Brasil' }", 42,
            "mute black-friday, during", "no IANA zone",
        ),
        (
            "from = 2026-11-27T00:00:00-03:00\nto = 2026-11-28T23:59:59-03:00", "during = { zone = 'UTC' }", 42,
            "mute black-friday, during", "never end",
        ),
        # inhibitions, tables
        ('source = "wa_error_rate"', 'source = "down"', 46, "inhibit down, source", "there is no rule 'down'"),
        ("{ derived = true }", '{ derived = "yes" }', 47, "inhibit wa_error_rate, target", "neither true nor false"),
        ("[[inhibit]]", "[[inhibition]]", 45, "inhibition wa_error_rate", "has no 'inhibition'; it has rule, receiver"),
        ("[[inhibit]]", "[inhibit]", 45, "inhibit", "is written [[inhibit]]"),
    ],
)  # fmt: skip
def test_an_error_names_file_line_rule_and_key(old: str, new: str, line: int, where: str, says: str) -> None:
    with pytest.raises(BadRules) as caught:
        read(with_line(old, new))
    problem = next(each for each in str(caught.value).splitlines() if says in each)
    assert problem.startswith(f"alerts.toml:{line}: {where}: ")


def test_ids_are_unique_and_the_second_one_is_the_error() -> None:
    twice = EXAMPLE + EXAMPLE[EXAMPLE.index("[[rule]]") : EXAMPLE.index("[[receiver]]")]
    with pytest.raises(BadRules, match=r"alerts.toml:49: rule wa_error_rate, id: 'wa_error_rate' is there already"):
        read(twice)


def test_all_errors_are_said_at_once() -> None:
    text = with_line('for = "5m"', 'for = "soon"').replace('language = "en"', 'language = "de"')
    with pytest.raises(BadRules) as caught:
        read(text)
    assert [(problem.line, problem.key) for problem in caught.value.problems] == [(15, "for"), (36, "language")]


def test_what_is_no_toml_is_told_with_its_line() -> None:
    with pytest.raises(BadRules, match=r"^alerts.toml:3: no TOML: "):
        read('[[rule]]\nid = "a"\nid = = 3\n')


def test_a_rule_file_error_is_the_callers() -> None:
    assert issubclass(BadRules, CallerError)


SECRET = "slack://T123/B456/s3cret"


@pytest.mark.parametrize(
    "text",
    [
        with_line('url_env = "COCKPIT_ALERT_ONCALL"', f'url_env = "{SECRET}"'),
        with_line('url_env = "COCKPIT_ALERT_ONCALL"', f'url = "{SECRET}"'),
        with_line('receivers = ["oncall", "marketing-ops"]', f'receivers = ["oncall", "{SECRET}"]'),
        with_line('owner = "integracoes"', f'owner = "{SECRET}"'),
        with_line('{ channel = "whatsapp" }', f'{{ channel = "{SECRET}" }}'),
    ],
)
def test_an_address_in_the_file_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(BadRules) as caught:
        read(text)
    assert "s3cret" not in str(caught.value)
