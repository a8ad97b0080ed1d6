from cockpit.measures.latest import consents, profiles
from tests.fold_tables import DAY, MIDNIGHT, Row, busy, folded, order, table, touch, touches, visit


def said(at: int, granted: int | None, purpose: str | None = "ads", **columns: object) -> Row:
    return touch("consent_updated", at, subject=purpose, amount=granted, **columns)


def latest(*rows: Row) -> dict[tuple[object, ...], bool]:
    found = folded(consents, touches(*rows))
    return {row[:3]: row[3] for row in found.select("profile_id", "purpose", "channel", "granted").rows()}


def test_the_latest_word_holds_for_its_purpose_and_channel() -> None:
    rows = [said(0, 1), said(1, 0), said(2, 1, channel="email"), said(3, 1, "cookies"), said(4, 1, channel=None)]
    assert latest(*rows) == {
        ("u:1", "ads", "site"): False,
        ("u:1", "ads", "email"): True,
        ("u:1", "cookies", "site"): True,
        ("u:1", "ads", None): True,
    }


def test_of_two_words_at_one_instant_the_last_by_source_and_id_holds() -> None:
    assert latest(said(0, 0, message_id="b"), said(0, 1, message_id="a")) == {("u:1", "ads", "site"): False}
    rows = [said(0, 0, message_id="b"), said(0, 1, message_id="a", source="zzz")]
    assert latest(*rows) == {("u:1", "ads", "site"): True}


def test_what_is_neither_yes_nor_no_or_names_no_purpose_is_left_out() -> None:
    assert latest(said(0, 1), said(1, None), said(2, 2), said(3, 0, None)) == {("u:1", "ads", "site"): True}


def test_a_profile_has_its_first_and_last_visit_and_what_it_bought() -> None:
    visits = [
        visit(DAY, channel="app"),
        visit(0, 9 * DAY, channel="site"),
        visit(2 * DAY, channel=None, profile_id="a:2"),
    ]
    orders = [order("a", DAY, 500), order("b", 3 * DAY, None), order("c", 0, 1, profile_id="u:unseen")]
    found = folded(profiles, table("visits", visits), table("orders", orders)).sort("profile_id")
    columns = ("first_at", "first_channel", "last_at", "last_channel", "orders", "value_cents", "last_order_at")
    assert found.select("profile_id", *columns).rows() == [
        ("a:2", MIDNIGHT + 2 * DAY, None, MIDNIGHT + 2 * DAY, None, 0, 0, None),
        ("u:1", MIDNIGHT, "site", MIDNIGHT + 9 * DAY, "site", 2, 500, MIDNIGHT + 3 * DAY),
    ]


def test_polars_and_duckdb_give_the_same_latest_state() -> None:
    tables = busy(5)
    folded(profiles, tables["visits"], tables["orders"])
    folded(consents, tables["touches"])
