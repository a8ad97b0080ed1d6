"""The runs of the scenarios, in batches that may be drawn in any order and by any process: the counts are the same."""

from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from typing import NamedTuple
from zlib import crc32

import numpy as np

from tests.calibration.scenarios import SCENARIOS, Scenario

SIZE = 40  # experiments that share a generator
SEED = 20261123


class Settings(NamedTuple):
    """`runs`: in place of each scenario's own number."""

    seed: int = SEED
    workers: int = 1
    runs: int | None = None


class Batch(NamedTuple):
    scenario: str
    number: int
    runs: int
    seed: int


Counts = dict[str, Counter[str]]  # by scenario: in how many of its runs each event happened


def named(scenario: str) -> Scenario:
    return next(each for each in SCENARIOS if each.name == scenario)


def batches_of(scenarios: Iterable[Scenario], settings: Settings) -> Iterator[Batch]:
    for scenario in scenarios:
        left = settings.runs or scenario.runs
        for number, start in enumerate(range(0, left, SIZE)):
            yield Batch(scenario.name, number, min(SIZE, left - start), settings.seed)


def counted(batches: Iterable[Batch], workers: int = 1) -> Iterator[tuple[Batch, Counter[str]]]:
    """Each batch when it is done."""
    if workers == 1:
        yield from ((batch, count(batch)) for batch in batches)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        running = {pool.submit(count, batch): batch for batch in batches}
        for done in as_completed(running):
            yield running[done], done.result()


def count(batch: Batch) -> Counter[str]:
    """Depends on nothing but the scenario's name, the batch's number and the seed."""
    rng = np.random.default_rng([batch.seed, crc32(batch.scenario.encode()), batch.number])
    return named(batch.scenario).followed(rng, batch.runs)
