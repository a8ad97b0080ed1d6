"""What Flight clients may ask the warehouse to do with experiments."""

from collections.abc import Callable, Mapping

import msgspec

from ingest.warehouse.flight import Action
from ingest.warehouse.registry import Command, Registry


def experiment_action(registry: Registry, decided: Callable[[], None] = lambda: None) -> Action:
    """The action `experiment`, with a `Command` as its body; `decided` is called when it is on disk."""

    def experiment(body: bytes) -> Mapping[str, object]:
        """Registers, starts, pauses, resumes, stops, concludes or reallocates an experiment version."""
        after = registry.act(msgspec.json.decode(body, type=Command))
        decided()
        experiment_id, version = after.key
        return {
            "experiment_id": experiment_id,
            "version": version,
            "status": after.status,
            "shares": after.shares,
            "revision": registry.revision,
        }

    return experiment
