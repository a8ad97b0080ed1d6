"""The rule file as it changes on disk: a bad one leaves the rules as they were, and says why it was not taken."""

import logging
from pathlib import Path

from cockpit.alerts.metrics import fitted
from cockpit.alerts.rule_file import BadRules, read_rules
from cockpit.alerts.rules import Known, RuleFile

logger = logging.getLogger(__name__)


class RuleWatch:
    """Used by one thread. `error`: why the file as it is now is not in force; empty if it is."""

    def __init__(self, path: Path, known: Known) -> None:
        self._path = path
        self._known = known
        self._seen: object = None
        self.error = ""

    @property
    def name(self) -> str:
        return self._path.name

    def changed(self) -> RuleFile | None:
        """The rules, if the file is another one than the last time and can be read."""
        seen = self._state()
        if seen == self._seen:
            return None
        self._seen = seen
        try:
            file = read_rules(self._path.read_text(encoding="utf-8"), self._path.name, self._known)
        except (OSError, UnicodeDecodeError, BadRules) as error:
            self.error = str(error) if isinstance(error, BadRules) else f"{self._path.name}: {type(error).__name__}"
            logger.error("the alert rules stay as they were: %s", self.error)  # noqa: TRY400 - it says all there is
            return None
        self.error = ""
        return fitted(file)

    def forget(self) -> None:
        """The next answer is as if the file had never been seen."""
        self._seen = None

    def _state(self) -> object:
        """Another one for another content, as far as the disk tells."""
        try:
            stat = self._path.stat()
        except OSError as error:
            return type(error)
        return stat.st_mtime_ns, stat.st_size, stat.st_ino
