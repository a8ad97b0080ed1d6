"""Messages out to people, through apprise, once each: who sends again is the outbox.

What makes a repeated message harmless travels with it, where the service has a place for it: see KEYS.
"""

import logging
import re
from collections.abc import Mapping
from datetime import timedelta

from apprise import Apprise, AppriseAsset, AppriseResult, AppriseResultStatus, NotifyFormat, NotifyType

from cockpit.alerts.messages import Tone
from cockpit.errors import BadSetting
from cockpit.notify.addresses import Address
from cockpit.notify.message import Message, Outcome, Receipt

TIMEOUT = timedelta(seconds=8)
# The connection is refused before our own patience ends (FAILED: nothing was sent), an answer is awaited longer than it
# (UNKNOWN: it may have arrived). apprise's own four seconds for both would call every slow answer a failure. A mail has
# one limit for both.
CONNECT_S, READ_MORE_S = 4.0, 2.0
HTTP_STATUS = re.compile(r"error=(\d{3})\b")

WEBHOOK_KEYS = {":notice_key": "{key}", ":dedup_key": "{dedup_key}"}
MAIL_KEYS = {"+X-Cockpit-Notice": "{key}", "+References": "<{dedup_key}@cockpit>"}
KEYS: Mapping[str, Mapping[str, str]] = {
    "json": WEBHOOK_KEYS,
    "jsons": WEBHOOK_KEYS,
    "mailto": MAIL_KEYS,
    "mailtos": MAIL_KEYS,
    "pagerduty": {"dedup": "{dedup_key}"},
    # apprise closes only what it has opened in the same process: it would drop the end of an episode and call it sent.
    "opsgenie": {"alias": "{dedup_key}", "action": "new"},
}
"""Arguments of a URL by its scheme. A webhook and a mail get the key of the notice, the same on every attempt, and that
of the alert, the same from its beginning to its end; who holds incidents gets the latter, or could not close them."""

DEFAULTS: Mapping[str, Mapping[str, str]] = {
    "pagerduty": {"action": "map", "image": "no", "overflow": "truncate"},  # map: SUCCESS closes what FAILURE opened
    "slack": {"image": "no", "footer": "no"},  # images would come from github.com
    "workflows": {"image": "no"},
}
ONE_LINE = ("whatsapp",)  # the parameters of its templates take no line breaks


OUTCOMES: Mapping[AppriseResultStatus, Outcome] = {
    AppriseResultStatus.SUCCESS: Outcome.SENT,
    AppriseResultStatus.FAILURE: Outcome.FAILED,
    AppriseResultStatus.NOMATCH: Outcome.NO_SUCH_RECEIVER,
    AppriseResultStatus.PARTIAL: Outcome.UNKNOWN,
    AppriseResultStatus.TIMEOUT: Outcome.UNKNOWN,
}


class AppriseSender:
    """To the receivers that have an address. BadSetting names the receivers whose address apprise does not take."""

    def __init__(self, addresses: Mapping[str, Address], app_url: str, timeout: timedelta = TIMEOUT) -> None:
        _keep_secrets_out_of_logs()
        self._addresses = dict(addresses)
        self._asset = AppriseAsset(app_id="Cockpit", app_desc="Cockpit", app_url=app_url)
        self._timeout_s = timeout.total_seconds()
        self._check()

    def send(self, message: Message) -> Receipt:
        if (address := self._addresses.get(message.receiver)) is None:
            return Receipt(Outcome.NO_SUCH_RECEIVER)
        title, body = _layout(message, address.scheme)
        result = self._service(message, address).notify(
            body,
            title=title,
            notify_type=NotifyType(message.tone.value),
            body_format=NotifyFormat.TEXT,
            timeout=self._timeout_s,
        )
        return Receipt(OUTCOMES[result.status], _http_status(result))

    def _service(self, message: Message, address: Address) -> Apprise:
        """An apprise of its own for each message: the keys are part of the URL (measured: 0.8 ms)."""
        defaults = {**self._patience(address.scheme), **DEFAULTS.get(address.scheme, {})}
        keys = {
            name: form.format(key=message.key, dedup_key=message.dedup_key)
            for name, form in KEYS.get(address.scheme, {}).items()
        }
        service = Apprise(asset=self._asset)
        service.add(address.url(keys, defaults))
        return service

    def _patience(self, scheme: str) -> dict[str, str]:
        read_s = self._timeout_s + READ_MORE_S
        connect_s = read_s if KEYS.get(scheme) is MAIL_KEYS else min(CONNECT_S, self._timeout_s)
        return {"cto": str(connect_s), "rto": str(read_s)}

    def _check(self) -> None:
        refused = [
            receiver
            for receiver, address in self._addresses.items()
            if len(self._service(_probe(receiver), address)) != 1
        ]
        if refused:
            raise BadSetting(f"the addresses of these receivers are no apprise URLs: {', '.join(refused)}")


def _probe(receiver: str) -> Message:
    return Message(receiver=receiver, key="key", dedup_key="key", tone=Tone.INFO, title="", body="")


def _layout(message: Message, scheme: str) -> tuple[str, str]:
    """Title and body as the service can show them. apprise sends no empty body, and no page may be lost to that."""
    title, body = message.title.strip(), message.body.strip()
    if scheme in ONE_LINE:
        title, body = "", " ".join(f"{title} {body}".split())
    return title, body or title or message.key


def _http_status(result: AppriseResult) -> int | None:
    """Of a refusal: apprise has it in its warnings only."""
    found = (HTTP_STATUS.search(entry.message) for entry in result.logs())
    return next((int(match[1]) for match in found if match), None)


def _keep_secrets_out_of_logs() -> None:
    """Both quote URLs: apprise bad ones at ERROR and all at DEBUG, urllib3 paths (Slack's secret) up to WARNING."""
    apprise = logging.getLogger("apprise")
    apprise.propagate = False
    apprise.addFilter(_says_no_more_than_a_status)  # adding it again changes nothing
    logging.getLogger("urllib3").setLevel(logging.ERROR)


def _says_no_more_than_a_status(record: logging.LogRecord) -> bool:
    found = HTTP_STATUS.search(record.getMessage())
    record.msg, record.args = found[0] if found else "failed", ()
    return record.levelno >= logging.WARNING
