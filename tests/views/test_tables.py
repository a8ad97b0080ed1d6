from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from cockpit.kpis.kpi import Unit
from cockpit.views.tables import Column, Kind, Quantity, Table, kind_of, number, shown

ZONE = ZoneInfo("America/Sao_Paulo")
INSTANT = datetime(2026, 11, 22, 18, 42, tzinfo=UTC)
NBSP = "\u00a0"


@pytest.mark.parametrize(
    ("kind", "value", "pt", "en"),
    [
        (Kind.TEXT, "cart", "cart", "cart"),
        (Kind.COUNT, 17434, "17.434", "17,434"),
        (Kind.NUMBER, 1.5, "1,50", "1.50"),
        (Kind.SHARE, 0.1234, "12,3%", "12.3%"),
        (Kind.POINTS, -0.012, f"-1,2{NBSP}p.p.", f"-1.2{NBSP}pp"),
        (Kind.CENTS, 123456, f"R${NBSP}1.234,56", f"R${NBSP}1,234.56"),
        (Kind.SECONDS, 125, f"2{NBSP}min 05{NBSP}s", f"2{NBSP}min 05{NBSP}s"),
        (Kind.MILLISECONDS, 420, f"420{NBSP}ms", f"420{NBSP}ms"),
        (Kind.DAY, date(2026, 11, 22), "22/11/2026", "22 Nov 2026"),
        (Kind.INSTANT, INSTANT, f"22/11/2026{NBSP}15:42", f"22 Nov 2026{NBSP}15:42"),
    ],
)
def test_a_value_reads_by_its_kind_in_both_languages(kind: Kind, value: object, pt: str, en: str) -> None:
    table = Table((Column("x", "X", kind),), ((value,),))
    assert [shown(table, language, ZONE) for language in ("pt", "en")] == [[[pt]], [[en]]]


@pytest.mark.parametrize("kind", Kind)
def test_the_unknown_is_a_dash_whatever_its_kind(kind: Kind) -> None:
    table = Table((Column("x", "X", kind),), ((None,), (Quantity(None, Kind.CENTS),)))
    assert shown(table, "pt", ZONE) == [["—"], ["—"]]


def test_an_uplift_has_its_plus_and_zero_has_none() -> None:
    assert number(0.042, Kind.SHARE, "pt", is_signed=True) == "+4,2%"
    assert number(0.0, Kind.SHARE, "pt", is_signed=True) == "0,0%"
    assert number(None, Kind.SHARE, "pt", is_signed=True) == "—"


def test_a_quantity_reads_by_its_own_kind_in_a_column_of_another() -> None:
    table = Table((Column("mean", "Mean", Kind.NUMBER),), ((Quantity(1250, Kind.CENTS),), (Quantity(0.2, Kind.SHARE),)))
    assert shown(table, "en", ZONE) == [[f"R${NBSP}12.50"], ["20.0%"]]


@pytest.mark.parametrize("unit", Unit)
def test_every_unit_of_a_kpi_has_a_kind(unit: Unit) -> None:
    assert kind_of(unit) in Kind
    assert (kind_of(unit) is Kind.TEXT) == (unit is Unit.CLASS)
