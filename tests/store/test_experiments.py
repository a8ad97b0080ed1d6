from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit.clock import to_us
from cockpit.config import Config
from cockpit.experiments.lifecycle import Entry, experiments_of
from cockpit.experiments.rules import Rules
from cockpit.store.compaction import Compaction
from cockpit.store.database import Database
from cockpit.store.experiments import ExperimentState, mirror
from cockpit.store.reader import read
from ingest.warehouse.consumer import Consumer
from tests.store.contents import assert_same, contents
from tests.warehouse_events import NOON, ListLog, Row, draft, event, purchase

ZONE = ZoneInfo("America/Sao_Paulo")
STATE = ("experiment_exposures", "experiment_totals", "experiment_moments", "experiment_caps")
TODAY = date(2026, 11, 20)
LATER = NOON + timedelta(days=3)
HOUR = timedelta(hours=1)
VERSION = {"experiment_id": "x", "version": "1"}
Given = Mapping[tuple[str, str], Rules]


def view(message_id: str, variant_id: str = "new", *, at: datetime = NOON, **columns: Any) -> Row:
    about = {"experiment_id": "x", "variant_id": variant_id, "properties": '{"version":"1"}', **columns}
    return event(message_id, "experiment_viewed", at=at, **about)


def login(message_id: str, user: str, anonymous: str) -> Row:
    return event(message_id, "login", user_id=user, anonymous_id=anonymous, profile_id=f"u:{user}")


class Warehouse:
    """Takes events in and brings the state of experiments up, as the upkeep does."""

    def __init__(self, database: Database) -> None:
        self.log, self.database = ListLog(), database
        self.consumer = Consumer(self.log, database, Config(), lambda: NOON)
        self.state = ExperimentState(database, ZONE)
        self.rules: Given = {}

    def take(self, *rows: Row) -> None:
        self.log.append([draft(rows)], NOON)
        while self.consumer.step():
            pass

    def bring_up(self, now: datetime = LATER) -> int:
        return self.state.run(self.rules, now)

    def contents(self) -> dict[str, pl.DataFrame]:
        found = contents(self.database)
        return {table: found[table] for table in STATE}

    def ask(self, name: str, **params: Any) -> pl.DataFrame:
        return read(self.database, name, params, ZONE)

    def sums(self, metric: str, **params: Any) -> dict[str, tuple[int, int, int]]:
        """n, y and yy by variant."""
        rows = self.ask("experiment_moments", **VERSION, **params).filter(metric=metric)
        return {
            variant: (int(n), int(y), int(yy)) for variant, n, y, yy in rows.select("variant_id", "n", "y", "yy").rows()
        }


def at_once(rows: Sequence[Row], rules: Given) -> dict[str, pl.DataFrame]:
    with Database.open(None) as database:
        warehouse = Warehouse(database)
        warehouse.rules = rules
        warehouse.take(*rows)
        warehouse.bring_up()
        return warehouse.contents()


@st.composite
def histories(draw: st.DrawFn) -> list[Row]:
    """Views, purchases, refunds and logins of three people under five names, within four days."""
    rows = []
    for number in range(draw(st.integers(1, 25))):
        at = NOON + timedelta(hours=draw(st.integers(-72, 24)), seconds=number)
        profile = draw(st.sampled_from(["u:1", "u:2", "a:3", "a:4", "a:5"]))
        about: dict[str, Any] = {"at": at, "profile_id": profile, "segment": draw(st.sampled_from(["vip", None]))}
        kind = draw(st.sampled_from(["view", "purchase", "refund", "login", "page_view", "delivered"]))
        if kind == "view":
            rows.append(view(f"{number}", draw(st.sampled_from(["new", "control"])), **about))
        elif kind == "purchase":
            rows.append(purchase(f"{number}", 100 * number, 70 * number, **about))
        elif kind == "login":
            rows.append(login(f"{number}", draw(st.sampled_from("12")), draw(st.sampled_from("345"))))
        elif kind == "refund":
            rows.append(event(f"{number}", "refund", currency="BRL", value_cents=50, **about))
        else:
            name = "personalization_delivered" if kind == "delivered" else kind
            rows.append(event(f"{number}", name, use_case="cart", **about))
    return rows


PAUSED = (to_us(NOON - 72 * HOUR), to_us(NOON - 24 * HOUR)), (to_us(NOON - 12 * HOUR), None)
RULES = [
    {},
    {("x", "1"): Rules("x", "1", use_case="cart", enrolment=PAUSED, lookback_days=1)},
    {("x", "1"): Rules("x", "1", use_case="*", ends_us=to_us(NOON + 12 * HOUR), epochs_us=(to_us(NOON),))},
]


@settings(max_examples=12, deadline=None)
@given(histories(), st.lists(st.sampled_from(RULES), min_size=1, max_size=3), st.randoms(use_true_random=False))
def test_the_state_depends_on_events_and_rules_not_on_when_they_came(
    rows: list[Row], rules: list[Given], dice: st.DataObject
) -> None:
    wanted = at_once(rows, rules[-1])
    dice.shuffle(rows)  # type: ignore[attr-defined]  # Hypothesis' Random
    with Database.open(None) as database:
        warehouse = Warehouse(database)
        for place, given_rules in enumerate(rules):
            part = rows[place :: len(rules)]
            if part:
                warehouse.take(*part)
            warehouse.rules = given_rules
            warehouse.bring_up()
        warehouse.bring_up()
        assert_same(warehouse.contents(), wanted)


def test_only_who_changed_is_folded_again() -> None:
    with Database.open(None) as database:
        warehouse = Warehouse(database)
        warehouse.take(*(view(f"v{n}", profile_id=f"u:{n}") for n in range(5)), event("e", profile_id="u:9"))
        assert warehouse.bring_up() == 5
        assert not warehouse.state.is_due({}, LATER)
        warehouse.take(purchase("p", 100, profile_id="u:3", at=NOON + HOUR), event("f", profile_id="u:9"))
        assert warehouse.state.is_due({}, LATER)
        assert warehouse.bring_up() == 1
        assert warehouse.sums("revenue_per_profile") == {"new": (5, 100, 10_000)}


def test_a_view_that_comes_late_moves_the_exposure_and_what_counts_since() -> None:
    with Database.open(None) as database:
        warehouse = Warehouse(database)
        warehouse.take(view("v", at=NOON), purchase("p", 100, at=NOON - HOUR))
        warehouse.bring_up()
        assert warehouse.sums("revenue_per_profile") == {"new": (1, 0, 0)}
        warehouse.take(view("late", at=NOON - 2 * HOUR))
        warehouse.bring_up()
        assert warehouse.sums("revenue_per_profile") == {"new": (1, 100, 10_000)}


def test_two_profiles_that_turn_out_to_be_one_are_counted_once_or_taken_out_as_mixed() -> None:
    with Database.open(None) as database:
        warehouse = Warehouse(database)
        warehouse.take(
            view("v1", profile_id="a:3"), view("v2", profile_id="u:1"), view("v3", "control", profile_id="a:4")
        )
        warehouse.take(purchase("p1", 100, profile_id="a:3", at=NOON + HOUR))
        warehouse.take(purchase("p2", 10, profile_id="u:1", at=NOON + HOUR))
        warehouse.bring_up()
        assert warehouse.sums("revenue_per_profile") == {"new": (2, 110, 10_100), "control": (1, 0, 0)}
        warehouse.take(login("l1", "1", "3"))
        warehouse.bring_up()
        assert warehouse.sums("revenue_per_profile") == {"new": (1, 110, 12_100), "control": (1, 0, 0)}
        warehouse.take(login("l2", "1", "4"))
        warehouse.bring_up()
        assert {sums[0] for sums in warehouse.sums("revenue_per_profile").values()} <= {0}
        exposed = warehouse.ask("experiment_exposed", **VERSION)
        assert exposed.select("exposed", "mixed").rows() == [(1, 1)]


def test_other_rules_make_every_profile_of_that_experiment_be_folded_again() -> None:
    with Database.open(None) as database:
        warehouse = Warehouse(database)
        warehouse.take(view("v1"), view("v2", profile_id="u:2", at=NOON + HOUR), view("y", experiment_id="y"))
        warehouse.bring_up()
        warehouse.rules = {("x", "1"): Rules("x", "1", enrolment=((to_us(NOON + HOUR), None),))}
        assert warehouse.state.is_due(warehouse.rules, LATER)
        warehouse.bring_up()
        assert warehouse.sums("orders_per_profile") == {"new": (1, 0, 0)}
        assert not warehouse.state.is_due(warehouse.rules, LATER)
        warehouse.rules = {}
        warehouse.bring_up()
        assert warehouse.sums("orders_per_profile") == {"new": (2, 0, 0)}


def test_a_window_is_read_when_it_is_over() -> None:
    with Database.open(None) as database:
        warehouse = Warehouse(database)
        warehouse.take(view("v"), purchase("before", 100, at=NOON - HOUR), purchase("p", 100, at=NOON + HOUR))
        warehouse.bring_up(NOON + timedelta(days=30))
        assert warehouse.sums("repurchase_rate_30d") == {}
        warehouse.bring_up(NOON + timedelta(days=31))
        assert warehouse.sums("repurchase_rate_30d") == {"new": (1, 1, 1)}


def test_caps_are_set_anew_when_the_day_changes() -> None:
    with Database.open(None) as database:
        warehouse = Warehouse(database)
        people = range(1, 200)
        views = [view(f"v{n}", profile_id=f"u:{n}", at=NOON - HOUR) for n in people]
        warehouse.take(*views, *(purchase(f"p{n}", n, profile_id=f"u:{n}") for n in people))
        warehouse.bring_up(NOON)
        most = sum(people)
        assert warehouse.sums("net_revenue_per_profile")["new"][:2] == (199, most)
        warehouse.bring_up(NOON + timedelta(days=1))
        assert warehouse.sums("net_revenue_per_profile")["new"][:2] == (199, most - 1)  # 198 is the highest cap


def test_other_definitions_make_everything_be_folded_again() -> None:
    with Database.open(None) as database:
        warehouse = Warehouse(database)
        warehouse.take(view("v"), purchase("p", 100, at=NOON + HOUR))
        warehouse.bring_up()
        wanted = warehouse.contents()
        database._connection.execute("UPDATE cockpit.experiment_folded SET definitions = 'of another version'")
        database._connection.execute("UPDATE cockpit.experiment_moments SET y = y + 1")
        warehouse.bring_up()
        assert_same(warehouse.contents(), wanted)


def test_merging_moments_keeps_their_sums_and_drops_what_was_taken_back() -> None:
    with Database.open(None) as database:
        warehouse = Warehouse(database)
        warehouse.take(view("v", segment="vip"), purchase("p", 100, at=NOON + HOUR))
        warehouse.bring_up()
        warehouse.take(view("late", segment="new", at=NOON - HOUR))
        warehouse.bring_up()
        before = warehouse.ask("experiment_moments", **VERSION)
        Compaction(database).merge_all()
        assert warehouse.ask("experiment_moments", **VERSION).equals(before)
        assert warehouse.contents()["experiment_moments"]["segment"].unique().to_list() == ["new"]


def test_moments_are_read_by_segment_channel_and_until_a_day() -> None:
    with Database.open(None) as database:
        warehouse = Warehouse(database)
        warehouse.take(
            view("v1", segment="vip"), view("v2", segment="new", profile_id="u:2", at=NOON + timedelta(days=1)),
            purchase("p", 100, at=NOON + timedelta(days=2)),
        )  # fmt: skip
        warehouse.bring_up()
        rows = warehouse.ask("experiment_moments", **VERSION, by=["segment"]).filter(metric="revenue_per_profile")
        assert [(row["segment"], int(row["n"]), int(row["y"])) for row in rows.to_dicts()] == [
            ("new", 1, 0),
            ("vip", 1, 100),
        ]
        assert warehouse.sums("revenue_per_profile", until=str(TODAY)) == {"new": (1, 0, 0)}
        assert warehouse.sums("revenue_per_profile", until=str(TODAY + timedelta(2))) == {"new": (2, 100, 10_000)}


def test_a_week_has_its_own_squares_over_all_exposed_until_its_end() -> None:
    with Database.open(None) as database:
        warehouse = Warehouse(database)
        monday = date(2026, 11, 16)
        warehouse.take(
            view("v1"), view("v2", "control", profile_id="u:2"), purchase("p1", 3, at=NOON + HOUR),
            purchase("p2", 4, at=NOON + timedelta(days=4)),
        )  # fmt: skip
        warehouse.bring_up(NOON + timedelta(days=5))
        rows = warehouse.ask("experiment_weeks", **VERSION).filter(metric="revenue_per_profile")
        numbers = rows.select("week", "variant_id", pl.col("n", "y", "yy").cast(pl.Int64)).rows()
        following = monday + timedelta(7)
        assert numbers[:2] == [(monday, "control", 1, 0, 0), (monday, "new", 1, 3, 9)]
        assert numbers[2:] == [(following, "control", 1, 0, 0), (following, "new", 1, 4, 16)]


def test_former_buyers_are_watched_until_they_buy_again() -> None:
    with Database.open(None) as database:
        warehouse = Warehouse(database)
        for person, again in (("1", 2), ("2", None)):
            warehouse.take(
                purchase(f"b{person}", 1, profile_id=f"u:{person}", at=NOON - HOUR),
                view(f"v{person}", profile_id=f"u:{person}"),
            )
            if again:
                warehouse.take(purchase(f"a{person}", 1, profile_id=f"u:{person}", at=NOON + timedelta(days=again)))
        warehouse.bring_up()
        assert warehouse.ask("experiment_ages", **VERSION).rows() == [("new", 2, 3, 1), ("new", None, 3, 1)]


def test_what_was_decided_is_read_beside_what_was_seen() -> None:
    variants = [{"id": "control", "share": 0.5}, {"id": "new", "share": 0.5}]
    registration = {"experiment_id": "y", "version": "2", "variants": variants}
    common: dict[str, Any] = {"actor": "ana", "role": "operator", "experiment_id": "y", "version": "2"}
    entries = [
        Entry(at=NOON, action="register", details={"registration": registration}, **common),
        Entry(at=NOON, action="start", **common),
    ]
    with Database.open(None) as database:
        warehouse = Warehouse(database)
        warehouse.take(view("v", "control"))
        warehouse.bring_up()
        mirror(database, experiments_of(entries), entries)
        mirror(database, experiments_of(entries), entries)
        known = warehouse.ask("experiments")
        columns = ("experiment_id", "version", "is_registered", "status", "exposed", "control_exposed")
        assert known.select(columns).rows() == [("x", "1", False, "seen", 1, 1), ("y", "2", True, "running", 0, 0)]
        assert known["started_at"].to_list() == [None, NOON]
        history = warehouse.ask("experiment_history", experiment_id="y")
        assert history.select("actor", "action").rows() == [("ana", "register"), ("ana", "start")]
