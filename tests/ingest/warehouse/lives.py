"""Processes that own the file of the alerts, to be killed. They are forked from one that has loaded this module."""

import multiprocessing
import os
import random
import signal
import threading
from collections.abc import Callable
from datetime import timedelta
from http.client import HTTPConnection
from multiprocessing.process import BaseProcess
from pathlib import Path

from cockpit.alerts.messages import Tone
from cockpit.clock import system_clock
from cockpit.notify.message import Message, Outcome, Receipt
from ingest.warehouse.alert_file import AlertFile
from ingest.warehouse.alert_store import AlertStore, Changes
from ingest.warehouse.delivery import Delivery, Patience, Surroundings
from ingest.warehouse.outbox import Outbox, Waiting, put
from tests.ingest.warehouse.notices import told

IMPATIENT = Patience(first=10 * timedelta(milliseconds=1), most=20 * timedelta(milliseconds=1))
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload([__name__])


def start(life: Callable[..., None], *what: object) -> BaseProcess:
    process = FORKS.Process(target=life, args=what)
    process.start()
    return process


def commit_and_die(path: str, changes: Changes) -> None:
    """Is killed as soon as it has been told that its change is on disk."""
    file = AlertFile(Path(path))
    assert file.own(changes.at)
    AlertStore(file).write(changes)
    os.kill(os.getpid(), signal.SIGKILL)


def compose(notice: Waiting) -> Message:
    tone = Tone.SUCCESS if notice.closes else Tone.FAILURE
    return Message(
        receiver=notice.receiver,
        key=notice.key,
        dedup_key=notice.dedup_key,
        tone=tone,
        title=notice.kind,
        body=notice.key,
    )


class Hook:
    """Posts keys. apprise would take half a second to load in each of the processes."""

    def __init__(self, port: int) -> None:
        self._port = port

    def send(self, message: Message) -> Receipt:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=5)
        try:
            connection.request("POST", "/hook", message.key)
            status = connection.getresponse().status
        except OSError:
            return Receipt(Outcome.UNKNOWN)
        finally:
            connection.close()
        return Receipt(Outcome.SENT if status == 200 else Outcome.FAILED, status)


def live(path: str, port: int, what: str) -> None:
    """Decides and delivers, or only delivers what is left, until somebody kills it."""
    file = AlertFile(Path(path))
    assert file.own(system_clock())
    outbox = Outbox(file)
    around = Surroundings(clock=system_clock, chance=random.random, patience=IMPATIENT)
    delivery = Delivery(outbox, Hook(port), compose, lambda _: None, around)
    threading.Thread(target=delivery.run, args=(threading.Event(),), daemon=True).start()
    pause = threading.Event()
    while True:
        if what == "decides" and len(outbox.waiting("oncall")) < 10:
            with file.writing() as connection:
                (rows,) = connection.execute("SELECT count(*) FROM outbox").fetchone()
                kind = ("firing", "repeat", "resolved")[rows % 3]
                put(connection, told(kind, rows % 3, alert=f"f{rows // 3 % 5}", episode=rows // 15 + 1), system_clock())
            delivery.wake()
        else:
            pause.wait(0.01)
