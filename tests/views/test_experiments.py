"""What the page asks for, and every word that it may say about it, in both languages."""

import re
from collections.abc import Iterator
from functools import cache
from zoneinfo import ZoneInfo

import msgspec
import pytest

from cockpit.config import ROOT
from cockpit.errors import CallerError
from cockpit.experiments.lifecycle import DETAILS, TRANSITIONS, Status
from cockpit.experiments.metrics import METRICS
from cockpit.experiments.registration import Registration
from cockpit.experiments.report import Report, Role
from cockpit.experiments.verdict import Gate, GuardrailState, Verdict
from cockpit.i18n.translate import LANGUAGES, catalogue, texts
from cockpit.views import experiment_tables as tables
from cockpit.views.experiment_tables import Fact, Table
from cockpit.views.experiment_words import Words
from cockpit.views.experiments import Asked, Detail, Form, detailed, listed, registration_of
from tests.experiments.answers import NOW, Answers, Version, profiles, registered
from tests.experiments.shop import draft, lost, shop, won

ZONE = ZoneInfo("America/Sao_Paulo")
FORM = Form(
    experiment_id=" cart ",
    version="1",
    use_case="",
    hypothesis="It helps",
    owner="",
    treatments="a, b",
    control_percent=5.0,
    primary="aov",
    secondary=("aov", "nps"),
    guardrails=("margin_per_profile",),
    limit_percent=-2.0,
    mde_percent=10.0,
    target_percent=None,
    minimum_days=7,
    is_bandit=False,
    is_adjusted=True,
)


@cache
def answers() -> Answers:
    return shop()


@cache
def everything() -> tuple[Report, ...]:
    return listed(answers(), NOW)


@cache
def detail(experiment_id: str) -> Detail:
    found = detailed(answers(), Asked(experiment_id), NOW, ZONE)
    assert found is not None
    return found


def words(language: str = "en") -> Words:
    return Words(language, ZONE)


def every_table(found: Detail, said: Words) -> Iterator[Table]:
    report = found.report
    yield tables.results(said, tables.registered(report), report)
    yield tables.results(said, tables.others(report), report)
    yield tables.results(said, tables.since_start(report), report)
    yield tables.guardrails(said, report.guardrails)
    yield from (tables.breakdown(said, one) for one in (*report.segments, *report.channels))
    yield tables.epochs(said, report.epochs)
    yield tables.weeks(said, found.weeks)
    yield tables.decisions(said, found.decisions)


def every_fact(report: Report, said: Words) -> Iterator[Fact]:
    yield from tables.standing_facts(said, report)
    yield from tables.plan_facts(said, report)
    for one in report.headlines:
        yield from tables.worth_facts(said, report, one.treatment)


def test_running_experiments_come_first_and_drafts_wait_at_the_top() -> None:
    assert [report.standing.status for report in everything()][:2] == ["draft", "paused"]
    assert everything()[-1].standing.status == "concluded"


def test_the_list_and_the_detail_say_the_same() -> None:
    for report in everything():
        found = detail(report.standing.experiment_id).report
        assert found.headlines == report.headlines
        assert found.exposure == report.exposure


def test_without_a_version_the_one_that_began_last_is_meant() -> None:
    old = Version(registered(version="1"), profiles({"control": 200, "treatment": 800}, days=60))
    new, planned = won(), Version(registered(version="3"), profiles({"control": 0}), status="draft")
    reads = Answers(old, new, planned)
    found = detailed(reads, Asked("cart"), NOW, ZONE)
    assert found is not None
    assert found.report.standing.version == "2"
    assert detailed(reads, Asked("cart", "9"), NOW, ZONE) is None
    assert detailed(reads, Asked("nothing"), NOW, ZONE) is None


def test_the_curve_is_of_the_metric_asked_for_or_of_the_primary_one() -> None:
    assert {step.comparison.metric.id for step in detail("cart").steps} == {"conversion_rate_profile"}
    asked = detailed(Answers(won()), Asked("cart", metric="aov"), NOW, ZONE)
    assert asked is not None
    assert {step.comparison.metric.id for step in asked.steps} == {"aov"}
    unknown = detailed(Answers(won()), Asked("cart", metric="luck"), NOW, ZONE)
    assert unknown is not None
    assert unknown.metric == "conversion_rate_profile"


def test_only_the_global_control_has_weeks() -> None:
    assert detail("global").weeks
    assert detail("cart").weeks == ()


def test_shares_that_were_moved_are_read_from_what_was_decided() -> None:
    assert [dict(shares) for shares in detail("subject-line").plans] == [
        {"control": 0.2, "a": 0.4, "b": 0.4},
        {"control": 0.2, "a": 0.2, "b": 0.6},
    ]
    reads = Answers(won())
    listed(reads, NOW)
    assert "experiment_history" not in reads.asked  # where nothing moved nothing is asked


@pytest.mark.parametrize("status", Status)
def test_what_can_be_done_is_what_the_lifecycle_allows_less_what_only_cockpit_does(status: Status) -> None:
    version = Version(registered(), profiles({"control": 20, "treatment": 80}), status=status)
    found = detailed(Answers(version), Asked("cart"), NOW, ZONE)
    assert found is not None
    allowed = {action for at, action in TRANSITIONS if at is status} - {"reallocate"}
    assert set(found.actions) == allowed


def test_decisions_come_newest_first() -> None:
    assert [one.action for one in detail("discount-popup").decisions] == ["stop", "start", "register"]


# The form


def test_a_form_becomes_a_registration() -> None:
    plan = registration_of(FORM)
    assert plan.shares == pytest.approx({"control": 0.05, "a": 0.475, "b": 0.475})
    assert (plan.experiment_id, plan.use_case, plan.allocation) == ("cart", None, "fixed")
    assert plan.secondary == ("nps",)
    assert plan.guardrails[0].limit == pytest.approx(-0.02)
    assert plan.mde == pytest.approx(0.1)


def test_a_form_leaves_what_it_does_not_ask_as_usual() -> None:
    plan = registration_of(FORM)
    fields = {field.name: field.default for field in msgspec.structs.fields(Registration)}
    assert plan.lookback_days == fields["lookback_days"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"treatments": " , "}, "needs a treatment"),
        ({"experiment_id": ""}, "experiment_id"),
        ({"treatments": "a,a"}, "each once"),
        ({"minimum_days": 400}, "minimum_days"),
    ],
)
def test_a_form_that_is_no_plan_is_refused_with_the_reason(changes: dict[str, object], reason: str) -> None:
    with pytest.raises(CallerError, match=reason):
        registration_of(Form(**{**vars(FORM), **changes}))


# Words


@pytest.mark.parametrize("language", LANGUAGES)
def test_everything_there_is_has_its_words(language: str) -> None:
    said = words(language)
    for metric in METRICS:
        assert said.metric(metric)
        assert said.definition(metric)

    def known(name: str) -> set[str]:
        return set(texts(f"experiments.{name}", language))

    assert known("verdict") == known("headline") == set(Verdict)
    assert known("gate") == known("gate_name") == set(Gate)
    assert known("state") == set(GuardrailState)
    assert known("status") == {*Status, "seen"}
    assert known("action") == set(DETAILS)
    assert {name.split(".")[0] for name in texts("experiments.metrics", language)} == set(METRICS)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_version_can_be_told_in_full(language: str) -> None:
    said = words(language)
    for report in everything():
        found = detail(report.standing.experiment_id)
        for table in every_table(found, said):
            assert {len(row) for row in table.rows} <= {len(table.head)}
            assert all(cell.text for row in table.rows for cell in row)
        assert all(fact.label and fact.value for fact in every_fact(report, said))


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_gives_an_uplift_while_a_gate_is_not_met(language: str) -> None:
    held = [(report, one) for report in everything() for one in report.headlines if one.judged and one.judged.reasons]
    assert len(held) >= 4
    for report, one in held:
        assert not re.search(r"[+-]\d", words(language).headline(report, one))
        money = tables.worth_facts(words(language), report, one.treatment)
        assert {fact.value for fact in money} == {"—"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_uplift_is_said_with_its_interval_its_sample_and_its_days(language: str) -> None:
    report = detail("cart").report
    sentence = words(language).headline(report, report.headlines[0])
    for part in words(language).estimate(report.headlines[0].comparison):
        assert part in sentence
    assert words(language).count(20_000) in sentence
    assert words(language).days(27) in sentence


def test_numbers_are_written_in_the_language() -> None:
    report = detail("cart").report
    margin = report.result("margin_per_profile", "treatment").comparison
    assert margin.interval is not None
    portuguese, english = (words(language).estimate(margin)[0] for language in ("pt", "en"))
    assert portuguese == f"+R$\u00a0{margin.interval.estimate / 100:.2f}".replace(".", ",")
    assert english == f"+R$\u00a0{margin.interval.estimate / 100:.2f}"


def test_what_nobody_registered_says_no_verdict_in_the_table() -> None:
    report = detail("cart").report
    table = tables.results(words(), tables.others(report), report)
    assert {row[-1].text for row in table.rows} == {"no verdict"}
    assert all(one.role is Role.OTHER for one in tables.others(report))


def test_small_p_values_are_not_given_as_0() -> None:
    assert words("en").p(0.0) == "<\u00a00.001"
    assert words("pt").p(0.0312) == "0,031"
    assert words("pt").p(None) == "—"
    assert words("en").p_is(0.2) == "p\u00a0=\u00a00.200"


def test_an_uplift_beyond_all_measure_is_not_given_to_the_last_digit() -> None:
    assert words("pt").percent(12_801_769.7) == ">\u00a0+1.000%"
    assert words("en").percent(9.9994) == "+999.9%"


def test_below_the_target_is_said() -> None:
    version = Version(registered(target=3.0), profiles({"control": 4000, "treatment": 16000}))
    found = detailed(Answers(version), Asked("cart"), NOW, ZONE)
    assert found is not None
    assert "below the target of +300.0%" in words().headline(found.report, found.report.headlines[0])


def test_a_bandit_and_a_program_are_named_in_words() -> None:
    bandit = detail("subject-line").report
    assert "everything served does better" in words().headline(bandit, bandit.headlines[0])
    assert words().use_case("*") == "all personalization"
    assert words().use_case(None) == "—"


def test_a_segment_has_its_name_or_stays_as_it_was_sent() -> None:
    assert [words("pt").segment(name) for name in ("vip", "whatsapp", "rfm-5-5-1")] == ["VIP", "WhatsApp", "rfm-5-5-1"]


def test_the_decision_stands_with_what_was_learned() -> None:
    facts = tables.plan_facts(words(), detail("discount-popup").report)
    assert [fact.value for fact in facts[-2:]] == [lost().decision, lost().learning]


def test_a_draft_has_a_plan_and_no_figures() -> None:
    report = detail(draft().registration.experiment_id).report
    assert {row[4].text for row in tables.results(words(), tables.registered(report), report).rows} == {"—"}
    assert tables.plan_facts(words(), report)
    assert tables.plan_facts(words(), detail("mystery").report) == ()


def test_no_text_about_experiments_is_left_unused() -> None:
    """Keys that the code names, whole or by their section."""
    whole = {key.removeprefix("experiments.") for key in catalogue("en") if key.startswith("experiments.")}
    sections = {key.partition(".")[0] for key in whole if "." in key}
    composed = {"none_help", "down_help", "mixed_share", "contaminated_share"}
    loose = {key for key in whole if key.partition(".")[0] not in sections}
    assert loose - composed <= named_in_the_code()


def named_in_the_code() -> set[str]:
    folders = ("cockpit/views", "cockpit/ui/experiments", "pages")
    sources = "".join(path.read_text() for folder in folders for path in (ROOT / folder).glob("*.py"))
    return set(re.findall(r"[\w.]+", sources.replace("experiments.", "")))
