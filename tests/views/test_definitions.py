import pytest

from cockpit.events.catalogue import catalogue
from cockpit.i18n.translate import FILES, texts
from cockpit.kpis.kpi import By, Missing, Uplift, Window
from cockpit.kpis.registry import GROUPS, KPIS
from cockpit.views.definitions import Entry, columns, entry_of, events, metrics, span_of, window_of


def entries(language: str = "en", query: str = "") -> dict[str, Entry]:
    return {entry.id: entry for section in metrics(language, query).sections for entry in section.entries}


def fact(entry: Entry, label: str) -> str:
    return next(one.text for one in entry.facts if one.label == label)


@pytest.mark.parametrize("language", FILES)
def test_every_kpi_has_a_name_and_a_definition_of_its_own(language: str) -> None:
    found = entries(language)
    assert list(found) == list(KPIS)
    assert len({entry.name for entry in found.values()}) == len(KPIS)
    assert len({entry.definition for entry in found.values()}) == len(KPIS)


@pytest.mark.parametrize("language", FILES)
def test_every_event_of_the_catalogue_is_there(language: str) -> None:
    names = {named.canonical for named in catalogue().exact.values()}
    assert {entry.id for section in events(language).sections for entry in section.entries} == names


def test_groups_come_in_the_order_of_the_registry() -> None:
    assert [section.title for section in metrics("en").sections] == [
        texts("definitions.group", "en")[group] for group in GROUPS
    ]


def test_a_kpi_says_all_that_the_registry_knows() -> None:
    entry = entries()["reco_conversion_rate"]
    assert [(one.label, one.text) for one in entry.facts] == [
        ("Formula", "reco_converted ÷ reco_item_clicks"),
        ("Unit", "%"),
        ("Window", "day of the click · up to 24\u00a0h after · only days 1\u00a0d or more ago"),
        ("Denominator", "recommendation clicks"),
        ("Minimum sample", "30"),
        ("Direction", "higher is better"),
        ("Uplift", "describes, without a verdict"),
        ("Events", "select_item, purchase"),
        ("Where it appears", "T1"),
    ]


def test_what_cannot_be_measured_yet_is_shown_with_what_is_missing() -> None:
    warned = {entry.id for entry in entries().values() if entry.warning}
    assert warned == {kpi.id for kpi in KPIS.values() if kpi.missing}
    assert {"churn_rate", "complaint_rate", "ad_waste_avoided"} <= warned
    assert "subscriptions active at the start" in str(entries()["churn_rate"].warning)


def test_what_is_computed_elsewhere_says_where() -> None:
    assert fact(entries()["rfm_class"], "Formula") == "computed in cockpit.kpis.rfm"
    assert fact(entries()["churn_rate"], "Formula") == "—"


def test_an_event_says_whose_it_is_its_other_names_its_properties_and_who_needs_it() -> None:
    event = next(
        entry for section in events("en").sections for entry in section.entries if entry.id == "message_replied"
    )
    assert fact(event, "Origin").startswith("server:")
    assert fact(event, "Other names") == "reply_whatsapp (channel = whatsapp)"
    assert fact(event, "Properties") == "delivery_id, experience_id, use_case, channel"
    assert fact(event, "Used by") == "message_reply_rate"


def test_columns_say_what_they_are_read_from_best_first() -> None:
    of_event, of_item = columns("en").sections[0].entries
    assert fact(of_event, "value") == "value, revenue, total"
    assert fact(of_item, "item_id") == "item_id, product_id, sku"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("aov", "aov"),
        ("ticket médio", "aov"),
        ("TICKET MEDIO", "aov"),
        ("  recuperação   carrinho ", "cart_recovery_rate"),
        ("carts_owed", "carts_owed"),
        ("nps_response", "nps"),
        ("value_cents", "aov"),
    ],
)
def test_a_search_finds_by_name_id_event_or_measure(query: str, found: str) -> None:
    assert found in entries("pt", query)


def test_a_screen_is_found_whole_and_not_as_a_part_of_another() -> None:
    assert set(entries("pt", "T1")) == {"reco_conversion_rate"}
    assert set(entries("pt", "t15")) == {"refund_rate", "net_revenue", "lead_quality_rate"}


def test_every_word_of_a_search_has_to_be_there() -> None:
    assert entries("en", "cart zebra") == {}
    assert metrics("en", "cart zebra").found == 0
    assert metrics("en", "cart zebra").total == len(KPIS)


def test_a_search_for_nothing_shows_everything() -> None:
    assert metrics("en", "   ").found == len(KPIS)


@pytest.mark.parametrize("language", FILES)
def test_every_code_has_a_word_and_every_word_a_code(language: str) -> None:
    def words(name: str) -> set[str]:
        return set(texts(f"definitions.{name}", language))

    assert words("by") == set(By)
    assert words("missing") == set(Missing)
    assert words("uplift") == set(Uplift)
    assert words("unit") == {kpi.unit for kpi in KPIS.values()}
    assert words("denominator") == {kpi.counts for kpi in KPIS.values()}


def test_every_reason_that_something_is_missing_is_one_of_a_kpi() -> None:
    assert {kpi.missing for kpi in KPIS.values()} - {None} == set(Missing)


def test_spans_are_read_as_people_write_them() -> None:
    assert [span_of(length) for length in ("5min", "24h", "7d")] == ["5\u00a0min", "24\u00a0h", "7\u00a0d"]
    windows = [kpi.window for kpi in KPIS.values()]
    lengths = {length for window in windows for length in (*window.lengths, window.within)} - {"", "session"}
    assert all(span_of(length) for length in lengths)


def test_a_window_says_when_how_long_and_from_which_age() -> None:
    window = Window(By.SENT_DAY, lengths=("7d", "28d"), within="session")
    assert window_of(window, "pt") == "dia do envio · janelas de 7\u00a0d, 28\u00a0d · na mesma sessão"


def test_an_entry_of_every_kpi_names_it() -> None:
    assert all(entry_of(kpi, "pt").id == kpi.id for kpi in KPIS.values())
