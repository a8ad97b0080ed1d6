"""The registry's decisions where reads find them: in DuckDB, as a copy that may be deleted."""

import threading

from cockpit.store.database import Database
from cockpit.store.experiments import mirror
from ingest.warehouse.registry import Registry


class Mirror:
    """Used by any thread; has a connection of its own, so it waits for no upkeep."""

    def __init__(self, registry: Registry, cursor: Database) -> None:
        self._registry = registry
        self._database = cursor
        self._turn = threading.Lock()
        self._revision = -1

    def refresh(self) -> None:
        """Copy what was decided since the last time."""
        with self._turn:
            entries = self._registry.entries()
            if len(entries) != self._revision:
                mirror(self._database, self._registry.experiments(), entries)
                self._revision = len(entries)
