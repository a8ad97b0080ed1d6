"""What the tables need beside the intake: merging parts, coarsening what is old, deriving the days that changed.

One thread and one connection of its own, one thing after the other, for at most about a tenth of the time; an action
that asks for one of them waits its turn.
"""

import logging
import threading
from collections.abc import Callable, Mapping
from time import monotonic

from cockpit.clock import Clock
from cockpit.config import Config
from cockpit.errors import CallerError, JournalUnusable
from cockpit.experiments.bandit import reallocate, reallocation_due
from cockpit.experiments.lifecycle import Entry
from cockpit.store.compaction import PARTS, Compaction
from cockpit.store.database import Database
from cockpit.store.derive import Derivation
from cockpit.store.experiments import ExperimentState
from cockpit.store.tiers import Ages, coarsen
from ingest.warehouse.registry import Registry

logger = logging.getLogger(__name__)

LEAST_S, MOST_S = 10.0, 300.0
SHARE = 0.1
LONG_S = 60.0


class Upkeep:
    """Used by any thread. `decided` hears of a bandit's new shares."""

    def __init__(
        self,
        cursor: Database,
        config: Config,
        clock: Clock,
        registry: Registry | None = None,
        decided: Callable[[], None] = lambda: None,
    ) -> None:
        self._database = cursor
        self._zone = config.zone
        self._ages = Ages.of(config)
        self._clock = clock
        self._compaction = Compaction(cursor)
        self._derivation = Derivation(cursor, config.zone)
        self._experiments = ExperimentState(cursor, config.zone)
        self._registry = registry
        self._decided = decided
        self._turn = threading.Lock()

    def run(self, stop: threading.Event) -> None:
        """Until told to stop."""
        pause_s = LEAST_S
        while not stop.wait(pause_s):
            began = monotonic()
            self.step()
            took_s = monotonic() - began
            pause_s = min(max(LEAST_S, took_s / SHARE), MOST_S)
            if took_s > LONG_S:
                logger.warning("upkeep took %.0f s", took_s)

    def step(self) -> None:
        """Whatever is worth it now."""
        with self._turn:
            self._compaction.merge_grown()
            coarsen(self._database, self._zone, self._ages, self._clock())
            self._bring_up_experiments()
            if self._derivation.is_due():
                self._derivation.run(self._clock())

    def compact(self) -> Mapping[str, object]:
        """Merges all parts of all measure tables."""
        with self._turn:
            self._compaction.merge_all()
        return {"compacted": list(PARTS)}

    def derive(self) -> Mapping[str, object]:
        """Computes what depends on the days that changed; says which days of which family."""
        with self._turn:
            self._bring_up_experiments()
            derived = self._derivation.run(self._clock())
        spans = [[family, *map(str, span)] for family, span in derived.spans]
        return {"position": derived.position, "derived": spans}

    def _bring_up_experiments(self) -> None:
        rules = {} if self._registry is None else self._registry.rules()
        if self._experiments.is_due(rules, self._clock()):
            self._experiments.run(rules, self._clock())
        if self._registry is not None:
            self._reallocate(self._registry)

    def _reallocate(self, registry: Registry) -> None:
        """The bandits' shares of the business day that has begun."""
        now = self._clock()
        for experiment in registry.experiments().values():
            if reallocation_due(experiment, now, self._zone):
                entry = reallocate(experiment, self._experiments.primary_moments(experiment.registration), now)
                if entry is not None:
                    self._record(registry, entry)

    def _record(self, registry: Registry, entry: Entry) -> None:
        """A decision of Cockpit's own; one that cannot be taken now is tried again at the next step."""
        try:
            registry.record(entry)
        except (CallerError, JournalUnusable) as error:
            logger.warning("shares of %s not moved: %s", entry.experiment_id, error)
        else:
            self._decided()
