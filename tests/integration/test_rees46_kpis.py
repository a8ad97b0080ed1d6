"""What the product derives from a real shop's events, against Polars over the file itself.

REES46 Open CDP, 17,434 rows. There are no carts' ids, pages, checkouts or clicks in it: a cart is what a user adds
until the next purchase, and who bought in a session is counted as having taken every earlier step.
"""

import gzip
import io
import uuid
from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest

from cockpit.clock import to_us
from cockpit.config import ROOT
from cockpit.events.arrival import Arrival, Sender
from cockpit.events.catalogue import catalogue
from cockpit.events.frame import to_bytes
from cockpit.events.judge import Judge
from ingest.log import Draft
from ingest.replay.mapping import read_mapping
from ingest.replay.outgoing import Dress
from ingest.replay.reading import Recording
from tests.oracle.pipeline import Pipeline
from tests.oracle.stream import Parcel

FILE = ROOT.parent / "shared" / "data" / "rees46_2019-10-01_first_2h50.csv.gz"
MAPPING = ROOT / "data" / "reference" / "replay_rees46.toml"
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAY = date(2019, 9, 30)  # in Sao Paulo: from 21:00 to 23:50
SENDER = Sender("rees46", is_secret=True, currency="BRL")

pytestmark = pytest.mark.skipif(not FILE.exists(), reason="../shared/data has no REES46 file")


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    """The file replayed as history, judged, taken in and derived."""
    judge = Judge(catalogue(), lambda: uuid.uuid4().hex)
    dress, arrival = Dress(file=FILE.name), Arrival(SENDER, to_us(NOW))
    with Recording(FILE, read_mapping(MAPPING)) as recording:
        texts = [dress.outgoing(record).body for record in recording.records()]
    made = Pipeline(tmp_path_factory.mktemp("rees46"))
    for first in range(0, len(texts), 5_000):
        verdict = judge.judge([Parcel(texts[first : first + 5_000], arrival)])
        made.append([(Draft("events", verdict.events.height, to_bytes(verdict.events)), NOW)])
    made.take_in(NOW)
    return made


@pytest.fixture(scope="module")
def rows() -> pl.DataFrame:
    """The file's complete rows in order of user and time, with the number of their 30-minute session."""
    text = "\n".join(gzip.decompress(FILE.read_bytes()).decode().splitlines()[:-1])
    at = pl.col("event_time").str.to_datetime("%Y-%m-%d %H:%M:%S UTC")
    found = pl.read_csv(io.StringIO(text), schema_overrides={"user_id": pl.String}).with_columns(at=at)
    ordered = found.with_row_index("line").sort("user_id", "at", "line")
    begins = (pl.col("at").diff() > pl.duration(minutes=30)) | (pl.col("user_id") != pl.col("user_id").shift())
    return ordered.with_columns(session=begins.fill_null(value=True).cum_sum())


def family(product: Pipeline, name: str) -> dict[str, int]:
    """Its measures, added up; all lie on one day and one channel."""
    found: dict[str, int] = {}
    for cell, value in product.day_measures().items():
        if cell.family == name:
            assert (cell.day, cell.channel, cell.segment) == (DAY, "site" if name != "identity" else None, None)
            found[cell.measure] = found.get(cell.measure, 0) + value
    return found


def test_the_file_is_the_one_that_its_readme_describes(rows: pl.DataFrame) -> None:
    counts = dict(rows["event_type"].value_counts().iter_rows())
    assert counts == {"view": 17_055, "cart": 165, "purchase": 214}


def test_orders_and_revenue_are_those_of_the_file(product: Pipeline, rows: pl.DataFrame) -> None:
    bought = rows.filter(pl.col("event_type") == "purchase")
    cents = int(bought.select((pl.col("price") * 100).round().cast(pl.Int64).sum()).item())
    assert cents == 5_944_263
    assert family(product, "orders") == {"orders": 214, "value_cents": cents}


def test_sessions_and_their_funnel_are_those_of_the_thirty_minute_rule(product: Pipeline, rows: pl.DataFrame) -> None:
    kind, cents = pl.col("event_type"), (pl.col("price") * 100).round().cast(pl.Int64)
    sessions = rows.group_by("session").agg(
        ms=(pl.col("at").max() - pl.col("at").min()).dt.total_milliseconds(),
        carted=(kind == "cart").any(),
        bought=(kind == "purchase").any(),
        cents=cents.filter(kind == "purchase").sum(),
    )
    bought, reached = sessions["bought"], sessions["carted"] | sessions["bought"]
    assert family(product, "sessions") == {
        "sessions": sessions.height,
        "session_ms": sessions["ms"].sum(),
        "engaged_sessions": ((sessions["ms"] > 10_000) | bought).sum(),
        "converted_sessions": bought.sum(),
        "session_value_cents": sessions["cents"].sum(),
        "step_home": sessions.height,
        "step_view_item": sessions.height,
        "step_add_to_cart": reached.sum(),
        "step_begin_checkout": bought.sum(),
        "step_purchase": bought.sum(),
    }


def test_carts_are_what_was_added_between_two_purchases(product: Pipeline, rows: pl.DataFrame) -> None:
    acts = rows.filter(pl.col("event_type") != "view")
    bought_before = (pl.col("event_type") == "purchase").cum_sum().shift(fill_value=0).over("user_id")
    carts = (
        acts.with_columns(cart=bought_before)
        .group_by("user_id", "cart")
        .agg(added=(pl.col("event_type") == "cart").any(), bought=(pl.col("event_type") == "purchase").any())
    )
    made = carts.filter("added")
    left = made.height - int(made["bought"].sum())
    assert family(product, "carts") == {
        "carts": made.height,
        "carts_purchased": made["bought"].sum(),
        "carts_abandoned": left,
        "carts_unreminded": left,
    }


def test_buyers_and_their_second_orders_are_those_of_the_file(product: Pipeline, rows: pl.DataFrame) -> None:
    buyers = rows.filter(pl.col("event_type") == "purchase").group_by("user_id").agg(orders=pl.len())
    again = buyers.filter(pl.col("orders") > 1).height
    found = family(product, "retention")
    assert found["new_buyers"] == buyers.height
    assert [found[f"repurchased_{days}d"] for days in (30, 60, 90)] == [again] * 3
    assert found["ltv_90d_cents"] == found["ltv_365d_cents"] == 5_944_263


def test_people_are_the_users_of_the_file(product: Pipeline, rows: pl.DataFrame) -> None:
    found: dict[tuple[Any, ...], int] = product.counts(
        "people", "value", ["day", "days", "channel", "segment", "measure"]
    )
    buyers = rows.filter(pl.col("event_type") == "purchase")["user_id"].n_unique()
    for days in (1, 7, 28, 90):
        assert found[DAY, days, "*", "*", "profiles"] == found[DAY, days, "site", "*", "profiles"] == 4_504
        assert found[DAY, days, "*", "*", "buyers"] == buyers
