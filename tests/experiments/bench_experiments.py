"""What judging three large experiments costs: from the stored moments, and beside tea-tasting from the profiles.

    python -m tests.experiments.bench_experiments

Three experiments of a million exposed profiles each, ten segments, six registered metrics, all adjusted by what the
profiles did before (CUPED). The state is filled by the product's own code. *Judging* asks for the moments by segment
(the named read, without Flight) and makes the three reports: intervals in total and by segment, e-BH, sample ratio,
gates and verdicts, also of the thirteen other metrics that are stored. The *page* also lists the experiments and counts
the exposures, as the page of experiments does. tea-tasting takes the same profiles, one row each, and gives the six
uplifts with their intervals and a sample ratio, in total and by segment; both must agree on every uplift.

Medians of rounds in which all take turns. Nothing here is a test, and nothing is timed in one.
"""

import argparse
import importlib
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import reduce
from operator import add, or_
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import duckdb
import msgspec
import numpy as np
import polars as pl
from rich.console import Console
from rich.progress import track

from cockpit.experiments import observed as rows_of
from cockpit.experiments.increments import added, increments
from cockpit.experiments.lifecycle import Action, Entry, experiments_of
from cockpit.experiments.metrics import PRE_TOTALS, TOTALS
from cockpit.experiments.observed import Look, Observed, Standing
from cockpit.experiments.registration import Registration, Variant
from cockpit.experiments.report import Report, report_of
from cockpit.experiments.totals import EXPOSURE_SCHEMA, TOTAL_SCHEMA
from cockpit.store.compaction import Compaction
from cockpit.store.database import Database
from cockpit.store.experiments import ExperimentState, mirror
from cockpit.store.reader import read
from cockpit.views.experiments import listed

ZONE = ZoneInfo("America/Sao_Paulo")
FIRST, DAYS = date(2026, 10, 1), 28
NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)
PORTION = 100_000  # profiles folded at once, as in the product
EXPERIMENTS = ("a", "b", "c")
SEGMENTS = tuple(f"segment {number}" for number in range(10))
CONTROL, TREATMENT = "control", "personalized"
SHARES = {CONTROL: 0.1, TREATMENT: 0.9}
UPLIFT = 0.05
MEANS = {
    "conversion_rate_profile": "ordered",
    "revenue_per_profile": "value_cents",
    "orders_per_profile": "orders",
    "sessions_per_profile": "sessions",
}
RATIOS = {"aov": ("value_cents", "orders"), "revenue_per_session": ("value_cents", "sessions")}
METRICS = (*MEANS, *RATIOS)
WHOLE = "all"
JUDGING = "judging three experiments"
AS_DOCUMENTED = ("tea-tasting on Polars", "tea-tasting on DuckDB")  # an analysis of all rows, and of each segment's
MOST_MS, LEAST_TIMES = 300.0, 20.0
AGREEMENT = 1e-9

console = Console(soft_wrap=True)
Uplifts = dict[tuple[str, str, str], float]  # by experiment, segment or WHOLE, and metric


class Profiles(NamedTuple):
    """Of one experiment: EXPOSURE_SCHEMA, and TOTAL_SCHEMA of the day of the exposure and of a later one for some."""

    exposures: pl.DataFrame
    totals: pl.DataFrame


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--profiles", type=int, default=1_000_000, help="exposed in each experiment")
    parser.add_argument("--repeat", type=int, default=9, help="rounds; in each of them everything is timed once")
    args = parser.parse_args()
    drawn = {name: draw(name, args.profiles, np.random.default_rng(place)) for place, name in enumerate(EXPERIMENTS)}
    console.print(machine())
    with tempfile.TemporaryDirectory() as folder, Database.open(Path(folder) / "cockpit.duckdb") as database:
        fill(database, drawn)
        page = Page(database)
        others = beside(drawn, uplifts(page.judged()))
        works = {JUDGING: page.judged, "  of it the moments": page.moments, "page of them": page.whole, **others}
        median_ms = timed(works, args.repeat)
    for label, took_ms in median_ms.items():
        times = f", {took_ms / median_ms[JUDGING]:.1f} times the judging" if label in others else ""
        console.print(f"{label}: {took_ms:.0f} ms{times}")
    is_fast = all(median_ms[way] >= LEAST_TIMES * median_ms[JUDGING] for way in AS_DOCUMENTED if way in others)
    is_kept = median_ms[JUDGING] <= MOST_MS and is_fast
    console.print(f"at most {MOST_MS:.0f} ms, and {LEAST_TIMES:.0f} times faster: {'kept' if is_kept else 'NOT KEPT'}")
    return int(not is_kept)


def machine() -> str:
    models = {line.partition(":")[2].strip() for line in _lines(Path("/proc/cpuinfo")) if line.startswith("model name")}
    versions = f"Python {platform.python_version()}, Polars {pl.__version__}, DuckDB {duckdb.__version__}"
    return f"{', '.join(models) or platform.processor()}; {pl.thread_pool_size()} cores; {versions}"


def _lines(path: Path) -> Sequence[str]:
    return path.read_text().splitlines() if path.exists() else ()


def draw(experiment_id: str, profiles: int, rng: np.random.Generator) -> Profiles:
    """Who bought more before buys more after; the treatment adds to the chance of an order."""
    past, segment = rng.poisson(0.2, profiles), rng.integers(0, len(SEGMENTS), profiles)
    is_treated = rng.random(profiles) >= SHARES[CONTROL]
    day = rng.integers(0, DAYS, profiles)
    exposures = pl.DataFrame(
        {
            "profile_id": pl.int_range(profiles, eager=True).cast(pl.String),
            "variant_id": np.where(is_treated, TREATMENT, CONTROL),
            "segment": np.array(SEGMENTS)[segment],
            "channel": np.where(rng.random(profiles) < 0.6, "site", "app"),
            "day": pl.select(pl.lit(FIRST) + pl.duration(days=pl.lit(pl.Series(day)))).to_series(),
            "was_buyer": past > 0,
            "pre_orders": past,
            "pre_value_cents": past * cents(rng, profiles),
            "pre_sessions": past + rng.poisson(2, profiles),
        }
    ).with_columns(
        experiment_id=pl.lit(experiment_id), version=pl.lit("1"), epoch=0, is_mixed=False, is_contaminated=False,
        first_exposed_us=pl.col("day").cast(pl.Datetime("us")).cast(pl.Int64) + 15 * 3_600_000_000,
    )  # fmt: skip
    chance = (0.02 + 0.002 * segment + 0.05 * (past > 0)) * (1 + UPLIFT * is_treated)
    at_once = _done(exposures, chance / 2, np.zeros(profiles, dtype=np.int64), rng)
    back = rng.random(profiles) < 0.6
    later = _done(exposures.filter(back), chance[back], rng.integers(1, 21, back.sum()), rng)
    return Profiles(_as(EXPOSURE_SCHEMA, exposures), _as(TOTAL_SCHEMA, pl.concat([at_once, later])))


def _as(schema: pl.Schema, rows: pl.DataFrame) -> pl.DataFrame:
    """Totals that are absent are 0, all else is null."""
    absent = [pl.lit(0 if name in TOTALS else None).alias(name) for name in schema if name not in rows.columns]
    return rows.with_columns(absent).select(pl.col(name).cast(kind) for name, kind in schema.items())


def cents(rng: np.random.Generator, profiles: int) -> np.typing.NDArray[np.int64]:
    return rng.lognormal(9, 0.8, profiles).astype(np.int64)


def _done(
    exposures: pl.DataFrame, chance: np.typing.NDArray[Any], age: np.typing.NDArray[Any], rng: np.random.Generator
) -> pl.DataFrame:
    """What each of them did so many days after the exposure, as TOTAL_SCHEMA has it."""
    profiles = exposures.height
    orders, sessions = (rng.random(profiles) < chance).astype(np.int64), 1 + rng.poisson(0.5, profiles)
    value = orders * cents(rng, profiles)
    return exposures.select("experiment_id", "version", "profile_id", "day").with_columns(
        pl.col("day") + pl.duration(days=pl.lit(pl.Series(age))),
        age_days=pl.Series(age), orders=pl.Series(orders), value_cents=pl.Series(value),
        costed_value_cents=pl.Series(value), cost_cents=pl.Series(value * 6 // 10), sessions=pl.Series(sessions),
        converted_sessions=pl.Series(orders), returns=pl.Series(np.where(age > 0, sessions, sessions - 1)),
    )  # fmt: skip


def fill(database: Database, drawn: Mapping[str, Profiles]) -> None:
    """The state as the upkeep leaves it: folded in portions, winsorised, merged, with the decisions beside it."""
    state = ExperimentState(database, ZONE)
    portions = [portion for profiles in drawn.values() for portion in _portions(profiles)]
    for exposures, totals in track(portions, "folding", console=console, transient=True):
        with database.transaction():
            database.append("experiment_exposures", exposures)
            database.append("experiment_totals", totals)
            state._append_moments(added(increments(exposures, totals)))
    state._winsorise(list(drawn), NOW)
    state._record({}, 0, NOW)
    Compaction(database).merge_all()
    decisions = [entry for name in drawn for entry in decided(name)]
    mirror(database, experiments_of(decisions), decisions)
    database.execute("checkpoint")
    exposed = sum(each.exposures.height for each in drawn.values())
    rows = database.select("part_counts").row(0, named=True)
    console.print(f"{exposed} exposures, {rows['experiment_moments']} rows of moments")


def _portions(profiles: Profiles) -> Iterator[Profiles]:
    for start in range(0, profiles.exposures.height, PORTION):
        chosen = profiles.exposures.slice(start, PORTION)
        yield Profiles(chosen, profiles.totals.join(chosen.select("profile_id"), on="profile_id", how="semi"))


def decided(experiment_id: str) -> list[Entry]:
    plan = Registration(
        experiment_id=experiment_id,
        variants=tuple(Variant(*share) for share in SHARES.items()),
        primary=METRICS[0],
        secondary=METRICS[1:],
        guardrails=(),
        is_adjusted=True,
    )
    details: dict[Action, dict[str, Any]] = {"register": {"registration": msgspec.to_builtins(plan)}, "start": {}}
    start = datetime(FIRST.year, FIRST.month, FIRST.day, 3, tzinfo=UTC)
    return [
        Entry(at=start, actor="ana", role="operator", experiment_id=experiment_id, action=action, details=said)
        for action, said in details.items()
    ]


class Page:
    """What is asked and judged; the counts of exposures, which judging needs too, are asked for once."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._standings = rows_of.standings(self.ask("experiments"))
        self._looks = [rows_of.looks(self.ask("experiment_exposed", **_version(one))) for one in self._standings]

    def ask(self, name: str, **params: object) -> pl.DataFrame:
        return read(self._database, name, params, ZONE)

    def moments(self) -> list[pl.DataFrame]:
        return [self.ask("experiment_moments", **_version(one), by=["segment"], until=None) for one in self._standings]

    def judged(self) -> list[Report]:
        seen = zip(self._standings, self._looks, self.moments(), strict=True)
        return [report_of(_observed(standing, looks, moments)) for standing, looks, moments in seen]

    def whole(self) -> tuple[Report, ...]:
        """As the page of experiments begins, counts of exposures and all."""
        return listed(self.ask, NOW)


def _observed(standing: Standing, looks: tuple[Look, ...], moments: pl.DataFrame) -> Observed:
    segments, plans = rows_of.groups(moments, "segment"), (standing.plan.shares,)
    return Observed(standing=standing, now=NOW, segments=segments, looks=looks, plans=plans)


def _version(standing: Standing) -> dict[str, str]:
    return {"experiment_id": standing.experiment_id, "version": standing.version}


def timed(works: Mapping[str, Callable[[], object]], repeat: int) -> dict[str, float]:
    """Median, in ms. Taking turns, all have the same from what else the machine does."""
    took: dict[str, list[float]] = {label: [] for label in works}
    for _ in range(repeat):
        for label, work in works.items():
            began = time.perf_counter()
            work()
            took[label].append(time.perf_counter() - began)
    return {label: median(seconds) * 1e3 for label, seconds in took.items()}


def uplifts(reports: Sequence[Report]) -> Uplifts:
    """Relative, of the registered metrics."""
    found: Uplifts = {}
    for report in reports:
        name = report.standing.experiment_id
        for metric in METRICS:
            found[name, WHOLE, metric] = _estimate(report.result(metric, TREATMENT).comparison.interval)
        for breakdown in report.segments:
            for one in breakdown.segments:
                found[name, one.name, breakdown.metric.id] = _estimate(one.comparison.interval)
    return found


def _estimate(interval: Any) -> float:
    return float(interval.estimate)


def beside(drawn: Mapping[str, Profiles], ours: Uplifts) -> dict[str, Callable[[], Uplifts]]:
    """Ways through tea-tasting that agree with ours; none, saying so, when it is not installed."""
    try:
        tea = importlib.import_module("tea_tasting")
    except ImportError:
        console.print("no tea-tasting: pip install --require-hashes -r requirements-bench.txt")
        return {}
    tables = {name: per_profile(profiles) for name, profiles in drawn.items()}
    connection = duckdb.connect()
    for name, table in tables.items():
        connection.from_arrow(table.to_arrow()).create(name)
    stored = {name: connection.table(name) for name in tables}
    in_polars, in_duckdb = AS_DOCUMENTED
    ways: dict[str, Callable[[], Uplifts]] = {
        in_polars: lambda: _each(tea, tables, lambda table, segment: table.filter(pl.col("segment") == segment)),
        in_duckdb: lambda: _each(tea, stored, lambda table, segment: table.filter(f"segment = '{segment}'")),
        f"{in_polars}, aggregates of all segments in one pass": lambda: _at_once(tea, tables),
        f"{in_duckdb}, aggregates of all segments in one pass": lambda: _at_once(tea, stored),
    }
    apart = max(_apart(way(), ours) for way in ways.values())
    assert apart < AGREEMENT, f"the uplifts differ by up to {apart}"
    console.print(f"tea-tasting {tea.__version__}: {len(ours)} uplifts, the same as ours to {apart:.0e}")
    return ways


def _apart(theirs: Uplifts, ours: Uplifts) -> float:
    """Greatest difference; KeyError if one has what the other has not."""
    return max(abs(ours[key] - theirs[key]) for key in ours.keys() | theirs.keys())


def per_profile(profiles: Profiles) -> pl.DataFrame:
    """One row per profile, as tea-tasting wants it: totals, and the same before the exposure."""
    sums = profiles.totals.group_by("profile_id").agg(pl.col(PRE_TOTALS).sum())
    rows = profiles.exposures.select("profile_id", "variant_id", "segment", r"^pre_.*$").join(sums, on="profile_id")
    binary = {"ordered": pl.col("orders") > 0, "pre_ordered": pl.col("pre_orders") > 0}
    cells = pl.concat_str("segment", "variant_id", separator="|")
    return rows.with_columns(**{name: one.cast(pl.Int64) for name, one in binary.items()}, cell=cells)


def _experiment(tea: Any) -> Any:
    means = {metric: tea.Mean(column, f"pre_{column}") for metric, column in MEANS.items()}
    ratios = {
        metric: tea.RatioOfMeans(numerator, denominator, f"pre_{numerator}", f"pre_{denominator}")
        for metric, (numerator, denominator) in RATIOS.items()
    }
    return tea.Experiment({**means, **ratios, "ratio": tea.SampleRatio(SHARES)}, variant="variant_id")


def _each(tea: Any, tables: Mapping[str, Any], of_segment: Callable[[Any, str], Any]) -> Uplifts:
    """As its guide has it: an analysis of everybody, and one of each segment."""
    experiment, found = _experiment(tea), Uplifts()
    for name, table in tables.items():
        parts = {WHOLE: table, **{segment: of_segment(table, segment) for segment in SEGMENTS}}
        for segment, part in parts.items():
            _take(found, (name, segment), experiment.analyze(part, control=CONTROL))
    return found


def _at_once(tea: Any, tables: Mapping[str, Any]) -> Uplifts:
    """The aggregates of every segment and variant in one pass, added up for everybody."""
    experiment, found = _experiment(tea), Uplifts()
    columns = reduce(or_, (metric.aggr_cols for metric in experiment.metrics.values()))
    for name, table in tables.items():
        cells = tea.aggr.read_aggregates(
            table, "cell", has_count=True, mean_cols=columns.mean_cols, var_cols=columns.var_cols,
            cov_cols=columns.cov_cols,
        )  # fmt: skip
        parts = {segment: {variant: cells[f"{segment}|{variant}"] for variant in SHARES} for segment in SEGMENTS}
        whole = {variant: reduce(add, (part[variant] for part in parts.values())) for variant in SHARES}
        for segment, part in {WHOLE: whole, **parts}.items():
            _take(found, (name, segment), experiment.analyze(part, control=CONTROL))
    return found


def _take(found: Uplifts, key: tuple[str, str], result: Any) -> None:
    for metric in METRICS:
        found[*key, metric] = float(result[metric].rel_effect_size)


if __name__ == "__main__":
    sys.exit(main())
