"""The main job on a real experiment: Kevin Hillstrom's e-mail challenge, 64,000 customers drawn by lot.

The file goes through the command, the gateway, the log and the warehouse; the moments come back over Flight. The
expected figures are those of the data's own README, counted from the file and not by Cockpit. The file has no times:
the replay invents them (data/reference/replay_hillstrom.toml); only that a visit comes after its e-mail counts here.
"""

import csv
import gzip
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from math import sqrt

import msgspec
import pytest
from pyarrow import flight

from cockpit.config import ROOT, shared_token
from cockpit.experiments.interval import Estimate, estimate_of, relative, tau_of
from cockpit.experiments.metrics import metric_of
from cockpit.experiments.moments import SUMS, Moments
from cockpit.experiments.money import absolute_difference
from cockpit.experiments.registration import Registration, Variant
from cockpit.experiments.sample_ratio import sequential
from ingest.gateway import access
from tests.processes import Processes, configuration, environment, running, until

FILE = ROOT.parent / "shared" / "data" / "hillstrom.csv.gz"
MAPPING = ROOT / "data" / "reference" / "replay_hillstrom.toml"
VARIANTS = {"Mens E-Mail": "mens", "Womens E-Mail": "womens", "No E-Mail": "control"}
VISIT, CONVERSION, SPEND = "return_rate", "conversion_rate_profile", "revenue_per_profile"
PLAN = Registration(
    experiment_id="hillstrom",
    variants=tuple(Variant(variant, 1 / 3) for variant in VARIANTS.values()),
    primary=VISIT,
    minimum_days=0,
)
Measured = Mapping[tuple[str, str], Moments]  # by variant and metric

pytestmark = pytest.mark.skipif(not FILE.exists(), reason="../shared/data has no file of the Hillstrom experiment")


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    with gzip.open(FILE, "rt", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def cockpit(tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, str]]) -> Iterator[Processes]:
    """The whole file taken in and folded."""
    config = configuration(tmp_path_factory.mktemp("hillstrom"))
    with running(config, "gateway") as processes:
        replay(processes)
        processes.start("warehouse")  # only now: else it would derive what it has after ten seconds, and then again
        processes.await_warehouse()
        with asking(processes) as ask:
            list(ask("experiment", decision("register", registration=msgspec.to_builtins(PLAN))))
            list(ask("experiment", decision("start", at="2008-03-20T09:00:00Z")))
            wanted = len(rows) + sum(int(row["visit"]) + int(row["conversion"]) for row in rows)
            until(lambda: events(processes) == wanted, what="the warehouse has all events")
            ask("derive", {})  # begins with experiments; nobody waits for the rest
            until(lambda: exposed(processes) == len(rows), what="all customers are exposed")
            yield processes
            processes.kill("warehouse")


@pytest.fixture(scope="module")
def measured(cockpit: Processes) -> Measured:
    answer = cockpit.read("experiment_moments", experiment_id="hillstrom", version="1")
    return {
        (row["variant_id"], row["metric"]): Moments(*(int(row[name]) for name in SUMS))
        for row in answer.iter_rows(named=True)
    }


def replay(processes: Processes) -> None:
    config = processes.config
    key = access.add_key(config.keys_path, "hillstrom", "secret")
    done = subprocess.run(
        [sys.executable, "-m", "ingest", "replay", str(FILE), "--mapping", str(MAPPING), "--dates", "history"],
        cwd=ROOT, env={**environment(config), "COCKPIT_KEY": key}, capture_output=True, text=True, timeout=120,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "refused 0" in done.stdout


def decision(action: str, **details: object) -> Mapping[str, object]:
    return {"actor": "ana", "role": "operator", "action": action, "experiment_id": "hillstrom", "details": details}


@contextmanager
def asking(processes: Processes) -> Iterator[Callable[[str, Mapping[str, object]], Iterable[object]]]:
    """Gives what begins an action by name and body; who goes through its answer waits for it."""
    header = (b"authorization", f"Bearer {shared_token(processes.config)}".encode())
    options = flight.FlightCallOptions(headers=[header])
    with flight.connect(f"grpc://127.0.0.1:{processes.config.flight_port}") as client:
        yield lambda name, body: client.do_action(flight.Action(name, msgspec.json.encode(body)), options)


def exposed(processes: Processes) -> int:
    rows = processes.read("experiment_exposed", experiment_id="hillstrom", version="1")
    return int(rows["exposed"].sum())


def events(processes: Processes) -> int:
    window = {"start": "2008-03-01T00:00:00Z", "end": "2008-04-01T00:00:00Z"}
    return int(processes.read("totals", **window)["events"].item())


def test_moments_over_flight_are_the_sums_over_the_files_rows(measured: Measured, rows: list[dict[str, str]]) -> None:
    for name, variant in VARIANTS.items():
        group = [row for row in rows if row["segment"] == name]
        cents = [round(float(row["spend"]) * 100) for row in group]
        for metric_id, values in {
            VISIT: [int(row["visit"]) for row in group],
            CONVERSION: [int(row["conversion"]) for row in group],
            SPEND: cents,
        }.items():
            found = measured[variant, metric_id]
            assert (found.n, found.nonzero) == (len(group), sum(value > 0 for value in values))
            assert (found.y, found.yy) == (sum(values), sum(value * value for value in values))


@pytest.mark.parametrize(
    ("metric_id", "unit", "published"),
    [
        (VISIT, 100, {"mens": 18.28, "womens": 15.14, "control": 10.62}),
        (CONVERSION, 100, {"mens": 1.25, "womens": 0.88, "control": 0.57}),
        (SPEND, 1 / 100, {"mens": 1.42, "womens": 1.08, "control": 0.65}),
    ],
)
def test_rates_and_spend_are_the_published_ones(
    measured: Measured, metric_id: str, unit: float, published: Mapping[str, float]
) -> None:
    found = {variant: estimate(measured, variant, metric_id).mean * unit for variant in VARIANTS.values()}
    assert found == pytest.approx(published, abs=0.005)


@pytest.mark.parametrize(
    ("variant", "points", "uplift"), [("mens", (7.66, 7.00, 8.32), 72.1), ("womens", (4.52, 3.89, 5.16), 42.6)]
)
def test_the_lift_in_visits_is_the_published_one_and_the_live_interval_is_wider(
    measured: Measured, variant: str, points: tuple[float, float, float], uplift: float
) -> None:
    treatment, control = estimate(measured, variant, VISIT), estimate(measured, "control", VISIT)
    difference = treatment.mean - control.mean
    fixed = 1.959964 * sqrt(treatment.variance + control.variance)
    assert [100 * difference, 100 * (difference - fixed), 100 * (difference + fixed)] == pytest.approx(
        points, abs=0.005
    )
    live = relative(treatment, control, tau_of(PLAN.mde))
    assert 100 * live.estimate == pytest.approx(uplift, abs=0.05)
    in_points = absolute_difference(treatment.mean, live, is_share=True)
    assert in_points.estimate == pytest.approx(difference)
    assert in_points.low < difference - fixed < difference + fixed < in_points.high
    assert live.excludes_zero


def estimate(measured: Measured, variant: str, metric_id: str) -> Estimate:
    return estimate_of(metric_of(metric_id), measured[variant, metric_id])


def test_the_sample_ratio_is_sound(cockpit: Processes, measured: Measured) -> None:
    looks = cockpit.read("experiment_exposed", experiment_id="hillstrom", version="1")
    counts = dict(looks.group_by("variant_id").sum().select("variant_id", "exposed").iter_rows())
    assert counts == {variant: measured[variant, VISIT].n for variant in VARIANTS.values()}
    ratio = sequential([counts], PLAN.shares)
    assert ratio.chi_square_p == pytest.approx(0.90, abs=0.005)
    assert not ratio.is_broken
