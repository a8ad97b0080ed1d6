"""How long a replay takes: the rules that come with Cockpit over the last seven days of a history.

`python -m tests.alerts.bench_replay DIR` reads the database that `python -m ingest bench --reads DIR --days 36` has
made, while no warehouse has it open, and prints seconds for one rule and for all. Limits: 3 s and 20 s.
"""

import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace

from cockpit.alerts.metrics import PAGES, fitted, infos
from cockpit.alerts.replay import Replay, replay
from cockpit.alerts.rule_file import read_rules
from cockpit.alerts.rules import Known, RuleFile
from cockpit.alerts.world import Span
from cockpit.config import ROOT, Config
from cockpit.store.database import Database
from cockpit.store.writer import read_progress
from tests.alerts.past_reads import Asked

ONE, ONE_S, ALL_S = "integration_error_rate", 3.0, 20.0
WEEK = timedelta(days=7)


class Took(NamedTuple):
    """Seconds, by the clock and of the processor."""

    wall_s: float
    cpu_s: float
    found: Replay


def measured(file: RuleFile, span: Span, asked: Asked) -> Took:
    began, began_cpu = time.perf_counter(), time.process_time()
    found = replay(file, span, asked, Config().zone)
    return Took(time.perf_counter() - began, time.process_time() - began_cpu, found)


def said(name: str, took: Took) -> str:
    episodes = sum(len(each.episodes) for each in took.found.rules)
    rules = f"{len(took.found.rules)} of {len(took.found.rules) + len(took.found.left_out)} rules"
    return f"{name}: {rules}, {episodes} episodes, {took.wall_s:.1f} s (processor {took.cpu_s:.1f} s)\n"


def main(folder: Path) -> int:
    text = (ROOT / "data" / "alerts.toml").read_text(encoding="utf-8")
    file = fitted(read_rules(text, "alerts.toml", Known(infos(), PAGES)))
    with Database.open(folder / Config(run_dir=folder).database_path.name) as database:
        progress = read_progress(database)
        assert progress is not None
        assert progress.last_event_at is not None, "there is a history"
        end = progress.last_event_at.replace(second=0, microsecond=0)
        asked = Asked(database, Config().zone)
        one = measured(replace(file, rules=(file.by_id[ONE],)), Span(end - WEEK, end), asked)
        every = measured(file, Span(end - WEEK, end), asked)
    sys.stdout.write(said(ONE, one) + said("all", every))
    return 0 if one.wall_s <= ONE_S and every.wall_s <= ALL_S else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
