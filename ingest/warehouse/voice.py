"""How notices go out by the rules in force: in whose words, to which address, and who stands in."""

import logging
from collections.abc import Mapping
from zoneinfo import ZoneInfo

from cockpit.alerts.rules import RuleFile
from cockpit.notify.addresses import read_addresses
from cockpit.notify.message import Message, Receipt
from cockpit.notify.sender import AppriseSender
from ingest.warehouse.composing import composer
from ingest.warehouse.outbox import Waiting

logger = logging.getLogger(__name__)


class Voice:
    """Used by any thread; `use` swaps all of it at once."""

    def __init__(self, environ: Mapping[str, str], zone: ZoneInfo, base_url: str) -> None:
        self._environ = environ
        self._zone = zone
        self._base_url = base_url
        self.use(RuleFile())

    def use(self, file: RuleFile) -> None:
        """From now on by these rules. BadSetting: an address cannot be used, and all stays as it was."""
        addresses = read_addresses({each.name: each.url_env for each in file.receivers}, self._environ)
        sender = AppriseSender(addresses, self._base_url)
        if unset := sorted(each.url_env for each in file.receivers if each.name not in addresses):
            logger.warning("receivers without an address are told nothing; set %s", ", ".join(unset))
        standbys = {each.name: each.escalate_to for each in file.receivers}
        self._in_force = sender, composer(file, self._zone, self._base_url), standbys

    def send(self, message: Message) -> Receipt:
        sender, _, _ = self._in_force
        return sender.send(message)

    def compose(self, notice: Waiting) -> Message:
        _, compose, _ = self._in_force
        return compose(notice)

    def standby_of(self, receiver: str) -> str | None:
        _, _, standbys = self._in_force
        return standbys.get(receiver)
