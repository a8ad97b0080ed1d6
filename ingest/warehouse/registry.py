"""The experiments as they stand: the journal and its fold, for every thread of the warehouse."""

import threading
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from cockpit.clock import Clock
from cockpit.errors import CallerError, JournalUnusable
from cockpit.experiments.lifecycle import (
    Action,
    Entry,
    Experiment,
    Experiments,
    Key,
    Registering,
    details_of,
    experiments_of,
    step,
)
from cockpit.experiments.registration import Name
from cockpit.experiments.rules import Rules
from ingest.warehouse.journal import Journal

MAY_ACT = ("operator", "admin")


class Command(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What somebody wants done with an experiment version: the body of the action `experiment`."""

    actor: Name
    role: str
    action: Action
    experiment_id: Name
    version: Name = "1"
    details: dict[str, Any] = {}


class Registry:
    """Used by any thread. What a caller holds never changes: a decision makes new values."""

    def __init__(self, journal: Journal, clock: Clock) -> None:
        self._journal = journal
        self._clock = clock
        self._turn = threading.Lock()
        self._entries: tuple[Entry, ...] = tuple(journal.entries())
        try:
            self._experiments = experiments_of(self._entries)
        except CallerError as error:
            raise JournalUnusable(f"the journal of decisions contradicts itself: {error}") from error

    @property
    def revision(self) -> int:
        """Grows with every decision, also across restarts."""
        return len(self._entries)

    def experiments(self) -> Experiments:
        return self._experiments

    def rules(self) -> Mapping[Key, Rules]:
        """Of every registered version."""
        return {key: experiment.rules for key, experiment in self._experiments.items()}

    def entries(self) -> Sequence[Entry]:
        """Every decision, oldest first."""
        return self._entries

    def act(self, command: Command) -> Experiment:
        """The experiment after it, when the decision is on disk; CallerError when it is not possible or not allowed."""
        if command.role not in MAY_ACT:
            raise CallerError(
                f"the role {command.role!r} may not {command.action} experiments; {' and '.join(MAY_ACT)} may"
            )
        return self.record(Entry(at=self._clock(), **msgspec.structs.asdict(command)))

    def record(self, entry: Entry) -> Experiment:
        """The same for an entry that is ready: Cockpit's own, such as a bandit's. What says nothing new is not kept."""
        entry = in_full(entry)
        with self._turn:
            after = step(self._experiments, entry)
            if after is not self._experiments:
                self._journal.append(entry)
                self._experiments = after
                self._entries = (*self._entries, entry)
            return after[entry.key]


def in_full(entry: Entry) -> Entry:
    """As it is kept, in JSON's types. A registration spells out its defaults: another program must not change them."""
    details = details_of(entry)
    said = details if isinstance(details, Registering) else entry.details
    return msgspec.structs.replace(entry, details=msgspec.json.decode(msgspec.json.encode(said)))
