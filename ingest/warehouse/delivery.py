"""The outbox out to people: its own threads, one message at a time for each receiver, none waiting for another's.

Laws, for one receiver:
- A notice is recorded as sent after it was sent. Who is killed in between sends it again, with the same keys.
- Of the notices of one episode that wait, only the newest goes out: it says what is the case now. A REPEAT after a
  FIRING that nobody got says since when; a RESOLVED says how long it lasted and how bad it was. The others are recorded
  as superseded by it. A notice about several alerts is superseded when newer ones cover all of them. Nothing supersedes
  an end, so each episode is told.
- Notices of one alert, or under one dedup key, go out in the order in which they were decided. The end of one episode
  after the beginning of the next would close the wrong incident, so what fails is in the way of what follows, until it
  is sent or given up.
- No answer is no failure: the next attempt carries the same keys.
- What failed three times, or has no address, is also told to the receiver's standby; so is the end, whoever got it.
  What is about no alert, a digest or a drill, is for its receiver alone.
"""

import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta

import msgspec

from cockpit.clock import Clock
from cockpit.errors import MachineError
from cockpit.notify.message import Message, Outcome, Sender
from ingest.warehouse.outbox import Attempt, Outbox, Status, Waiting

logger = logging.getLogger(__name__)

AT_ONCE = 16
PAUSE_S = 0.5


class Patience(msgspec.Struct, frozen=True):
    """How long to wait after the first failure, at most after any, and when to call others in or to give up.

    It takes `failures_until_end` too: hours in which nobody tried, our own, are not held against a receiver.
    """

    first: timedelta = timedelta(seconds=5)
    most: timedelta = timedelta(minutes=5)
    failures_until_standby: int = 3
    failures_until_end: int = 10
    give_up_after: timedelta = timedelta(hours=6)

    def pause(self, attempts: int, chance: float) -> timedelta:
        """After so many attempts: twice as long each time, and by chance, from 0 to 1, up to half as much again."""
        grown = min(self.first * 2.0 ** min(attempts - 1, 30), self.most / 1.5)
        return grown * (1 + chance / 2)


class Plan(msgspec.Struct, frozen=True):
    """For one receiver: what may go out next, in any order, and by which keys the rest is superseded.

    `heirs`: what is tried next as late, and counts as often tried, as what it supersedes.
    """

    heads: tuple[Waiting, ...]
    superseded: Mapping[str, str]
    heirs: tuple[Waiting, ...]


def plan(waiting: Sequence[Waiting]) -> Plan:
    """Of what waits for one receiver, in the order of decision; see the laws above."""
    superseded: dict[str, str] = {}
    older: dict[str, list[Waiting]] = {}
    newest: dict[str, Waiting] = {}  # by alert, in the episode that the walk is in: from the last notice to the first
    for notice in reversed(waiting):
        newer = [newest[alert] for alert in notice.alerts if alert in newest]
        if notice.closes:
            newest |= dict.fromkeys(notice.alerts, notice)
        elif not newer or len(newer) < len(notice.alerts):
            newest = dict.fromkeys(notice.alerts, notice) | newest
        else:
            superseded[notice.key] = newer[0].key
            for each in newer:
                older.setdefault(each.key, []).append(notice)
    stay = [_heir(notice, older.get(notice.key, ())) for notice in waiting if notice.key not in superseded]
    return Plan(tuple(_heads(stay)), superseded, tuple(notice for notice in stay if notice.key in older))


def _heir(notice: Waiting, older: Sequence[Waiting]) -> Waiting:
    tried = [each.next_try_at for each in older if each.attempts]
    return msgspec.structs.replace(
        notice,
        attempts=max(each.attempts for each in (notice, *older)),
        next_try_at=max(notice.next_try_at, *tried) if tried else notice.next_try_at,
    )


def _heads(notices: Iterable[Waiting]) -> Iterator[Waiting]:
    """Those that no earlier one is in the way of: about the same alert, or under the same key."""
    taken: set[str] = set()
    for notice in notices:
        names = {notice.dedup_key, *notice.alerts}
        if taken.isdisjoint(names):
            yield notice
        taken |= names


class Surroundings(msgspec.Struct, frozen=True):
    """What is given from outside: the time, a chance in [0, 1) at every call, and how patient to be."""

    clock: Clock
    chance: Callable[[], float]
    patience: Patience = Patience()


class Delivery:
    """`compose` gives the words of a notice and never fails, `standby_of` who is told if a receiver is not reached."""

    def __init__(
        self,
        outbox: Outbox,
        sender: Sender,
        compose: Callable[[Waiting], Message],
        standby_of: Callable[[str], str | None],
        around: Surroundings,
    ) -> None:
        self._outbox = outbox
        self._sender = sender
        self._compose = compose
        self._standby_of = standby_of
        self._around = around
        self._wake = threading.Event()
        self._unrecorded: dict[str, Attempt] = {}

    def wake(self) -> None:
        """There is something new in the outbox."""
        self._wake.set()

    def run(self, stop: threading.Event) -> None:
        """Until told to stop; then what is under way is waited for, as long as the sender's own patience lasts."""
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="delivery") as pool:
            busy: dict[str, Future[None]] = {}
            while not stop.is_set():
                self._wake.clear()
                busy = {receiver: work for receiver, work in busy.items() if not _is_over(work)}
                for receiver in self._due(stop):
                    if receiver not in busy:
                        busy[receiver] = pool.submit(self._tell, receiver, stop)
                self._wake.wait(PAUSE_S)

    def turn(self, receiver: str) -> bool:
        """One attempt to tell this receiver what has been due longest; False when nothing is. MachineError: see Outbox.

        One turn of a receiver at a time.
        """
        if (late := self._unrecorded.get(receiver)) is not None:
            self._record(late)
        now = self._around.clock()
        ahead = plan(self._outbox.waiting(receiver))
        due = [notice for notice in ahead.heads if not now < notice.next_try_at <= self._latest(now)]
        if not due:
            return False
        self._outbox.supersede(ahead.superseded, ahead.heirs)
        self._record(self._attempt(min(due, key=lambda notice: notice.next_try_at)))
        return True

    def _attempt(self, notice: Waiting) -> Attempt:
        receipt = self._sender.send(self._compose(notice))
        now, patience, attempts = self._around.clock(), self._around.patience, notice.attempts + 1
        is_old = now - notice.queued_at >= patience.give_up_after
        is_out_of_reach = receipt.outcome is Outcome.NO_SUCH_RECEIVER or attempts >= patience.failures_until_standby
        return Attempt(
            notice=notice,
            receipt=receipt,
            at=now,
            next_try_at=None
            if is_old and attempts >= patience.failures_until_end
            else now + patience.pause(attempts, self._around.chance()),
            standby=self._standby_of(notice.receiver) if is_out_of_reach and notice.alerts else None,
        )

    def _record(self, attempt: Attempt) -> None:
        """Kept in memory until it is on disk: a full disk must not make the same message go out again and again."""
        notice, receipt = attempt.notice, attempt.receipt
        self._unrecorded[notice.receiver] = attempt
        self._outbox.settle(attempt)
        del self._unrecorded[notice.receiver]
        if attempt.status is not Status.SENT:
            logger.warning(
                "%s, attempt %d: %s, HTTP status %s",
                notice.key,
                notice.attempts + 1,
                receipt.outcome,
                receipt.http_status,
            )

    def _tell(self, receiver: str, stop: threading.Event) -> None:
        """Everything that is due for one receiver."""
        try:
            while not stop.is_set() and self.turn(receiver):
                pass
        except MachineError as error:
            self._rest(error, stop)

    def _due(self, stop: threading.Event) -> list[str]:
        try:
            now = self._around.clock()
            return self._outbox.due(now, self._latest(now))
        except MachineError as error:
            self._rest(error, stop)
            return []

    def _latest(self, now: datetime) -> datetime:
        """Nothing is put off for longer than this: what seems to be was put off before the clock was set back."""
        return now + self._around.patience.most

    def _rest(self, error: MachineError, stop: threading.Event) -> None:
        logger.warning("nobody is told anything for a while: %s", error)
        stop.wait(self._around.patience.first.total_seconds())


def _is_over(work: Future[None]) -> bool:
    """Raises what it ended with: any error that is expected was handled where it happened."""
    if work.done():
        work.result()
    return work.done()
