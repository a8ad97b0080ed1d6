"""Which rule's turn it is, and which rules fail. Law: by the monotonic clock alone."""

from collections.abc import Callable, Iterable
from datetime import timedelta

from cockpit.alerts.rules import Rule
from cockpit.alerts.world import Gauge

ATTEMPTS = 3  # before a failing query counts as one
RETRY = timedelta(seconds=1)


class Roster:
    """Used by one thread."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._rules: dict[str, Rule] = {}
        self._due_at: dict[str, float] = {}
        self._attempts: dict[str, int] = {}
        self._failing_since: dict[str, float] = {}

    def use(self, rules: Iterable[Rule]) -> None:
        """From now on these; those that are new, or come at another pace, at once."""
        before, now = self._rules, self._monotonic()
        self._rules = {rule.id: rule for rule in rules if rule.is_enabled}
        kept = {id_ for id_, rule in self._rules.items() if id_ in before and before[id_].every == rule.every}
        self._due_at = {id_: self._due_at[id_] if id_ in kept else now for id_ in self._rules}
        for known in (self._attempts, self._failing_since):
            for id_ in known.keys() - self._rules.keys():
                del known[id_]

    def due(self) -> list[Rule]:
        """The one that has waited longest first."""
        now = self._monotonic()
        waiting = sorted((at, id_) for id_, at in self._due_at.items() if at <= now)
        return [self._rules[id_] for _, id_ in waiting]

    def succeeded(self, rule: Rule) -> None:
        self._attempts.pop(rule.id, None)
        self._failing_since.pop(rule.id, None)
        self._again(rule)

    def failed(self, rule: Rule) -> bool:
        """Whether it has failed so often in a row that it counts; else it is tried again soon."""
        now = self._monotonic()
        self._failing_since.setdefault(rule.id, now)
        self._attempts[rule.id] = self._attempts.get(rule.id, 0) + 1
        if self._attempts[rule.id] < ATTEMPTS:
            self._due_at[rule.id] = now + RETRY.total_seconds()
            return False
        del self._attempts[rule.id]
        self._again(rule)
        return True

    def failing(self) -> Gauge:
        """For how long the rule has that has been failing longest."""
        if not self._failing_since:
            return Gauge(0.0)
        since, id_ = min((since, id_) for id_, since in self._failing_since.items())
        return Gauge(self._monotonic() - since, {"failing_rule": id_})

    def _again(self, rule: Rule) -> None:
        """At its pace; turns that were missed are not made up for."""
        now, every_s = self._monotonic(), rule.every.total_seconds()
        due_at = self._due_at[rule.id] + every_s
        self._due_at[rule.id] = due_at if due_at > now else now + every_s
