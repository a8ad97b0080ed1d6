"""A call over the network, made now and then and never in anybody's way: a ping, a look whether somebody answers."""

import logging
from collections.abc import Callable
from concurrent.futures import Executor, Future
from datetime import timedelta
from http import HTTPStatus
from http.client import HTTPException
from urllib.request import Request, urlopen

TIMEOUT = timedelta(seconds=5)

logger = logging.getLogger(__name__)


class Errand:
    """`work` says whether it went well; it runs on the executor, once at a time. Used by one thread."""

    def __init__(
        self, name: str, work: Callable[[], bool], every: timedelta, executor: Executor, monotonic: Callable[[], float]
    ) -> None:
        self._name = name
        self._work = work
        self._every_s = every.total_seconds()
        self._executor = executor
        self._monotonic = monotonic
        self._well_at = monotonic()
        self._due_at = self._well_at
        self._running: Future[bool] | None = None
        self._is_well = True

    def tick(self) -> None:
        """Goes again if it is time, and takes note of how the last one went."""
        if self._running is not None and not self._note(self._running):
            return
        now = self._monotonic()
        if now >= self._due_at:
            self._due_at = now + self._every_s
            self._running = self._executor.submit(self._work)
            self._note(self._running)

    @property
    def age_s(self) -> float:
        """Since it last went well, as far as was noted; since the beginning, if it never did."""
        return self._monotonic() - self._well_at

    def _note(self, running: Future[bool]) -> bool:
        """Whether it is back."""
        if not running.done():
            return False
        self._running = None
        is_well = running.result()
        if is_well:
            self._well_at = self._monotonic()
        if is_well != self._is_well:
            logger.warning("%s %s", self._name, "answers again" if is_well else "does not answer")
        self._is_well = is_well
        return True


def answers(url: str, timeout: timedelta = TIMEOUT) -> bool:
    """Whether a GET of an http address is answered with success."""
    try:
        with urlopen(Request(url), timeout=timeout.total_seconds()) as response:  # noqa: S310 - from the settings
            return bool(response.status < HTTPStatus.BAD_REQUEST)
    except (OSError, HTTPException, ValueError):
        return False
