"""Does the live interval keep its promises? Draws experiments, judges them with the product's code at 100 looks each.

`python -m tests.calibration` prints what it measured as a table and ends with 1 if a promise is not shown to be kept:
the worse of the two 99 % limits of every share must be within its bound. The same seed and runs give the same table,
whatever the number of processes.
"""

import argparse
import os
import sys
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from tests.calibration.measure import SEED, Counts, Settings, batches_of, counted
from tests.calibration.promises import Measured, Promise, percent
from tests.calibration.scenarios import SCENARIOS, Scenario

HEADER = "| drawn | runs | counted | measured | 99 % limits | bound | |\n|---|---|---|---|---|---|---|"


class Row(NamedTuple):
    scenario: str
    promise: Promise
    measured: Measured

    @property
    def is_kept(self) -> bool:
        return self.measured.shows(self.promise)

    @property
    def line(self) -> str:
        """Of a markdown table."""
        kept = "" if self.promise.is_for_comparison else "kept" if self.is_kept else "**not shown**"
        limits = " to ".join(map(percent, self.measured.limits))
        figures = f"{self.measured.runs:,} | {self.promise.words} | {percent(self.measured.share, 2)} | {limits}"
        return f"| {self.scenario} | {figures} | {self.promise.bound} | {kept} |"


def main(arguments: Sequence[str] | None = None) -> int:
    """0 if every promise is shown to be kept, 1 if not."""
    parser = argparse.ArgumentParser(prog="python -m tests.calibration", description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--only", default="", metavar="WORDS", help="scenarios whose name holds these")
    parser.add_argument("--runs", type=int, help="experiments per scenario, in place of its own number")
    parser.add_argument("--seed", type=int, default=SEED, help="of all draws (default %(default)s)")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes (default %(default)s)")
    args = parser.parse_args(arguments)
    chosen = [scenario for scenario in SCENARIOS if args.only in scenario.name]
    counts = measured(chosen, Settings(args.seed, args.workers, args.runs))
    rows = [row for scenario in chosen for row in rows_of(scenario, counts[scenario.name], args.runs)]
    print(HEADER, *(row.line for row in rows), sep="\n")  # noqa: T201 - the table is what this command gives
    return 0 if all(row.is_kept for row in rows) else 1


def measured(scenarios: Sequence[Scenario], settings: Settings) -> Counts:
    """With a bar on the standard error."""
    counts: Counts = {scenario.name: Counter() for scenario in scenarios}
    batches = list(batches_of(scenarios, settings))
    with progress() as bar:
        task = bar.add_task("", total=len(batches))
        for batch, happened in counted(batches, settings.workers):
            counts[batch.scenario].update(happened)
            bar.update(task, advance=1, description=batch.scenario)
    return counts


def rows_of(scenario: Scenario, counts: Counter[str], runs: int | None = None) -> list[Row]:
    """One for each promise."""
    total = runs or scenario.runs
    return [Row(scenario.name, promise, Measured(counts[promise.event], total)) for promise in scenario.promises]


def progress() -> Progress:
    about = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    return Progress(*about, TimeElapsedColumn(), TimeRemainingColumn(), console=Console(stderr=True))


if __name__ == "__main__":
    sys.exit(main())
