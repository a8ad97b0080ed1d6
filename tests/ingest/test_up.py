import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from cockpit.config import ROOT, Config
from cockpit.errors import MachineError
from ingest.ports import free_ports
from ingest.up import Child, Restart, Supervisor, refuse_taken_ports

PORTS = ("gateway_port", "flight_port", "feed_port", "assign_port", "screens_port")
FOREVER = (sys.executable, "-c", "import time; time.sleep(60)")
AT_ONCE = (sys.executable, "-c", "raise SystemExit(3)")


def test_a_child_that_keeps_dying_waits_longer_each_time_up_to_half_a_minute() -> None:
    restart, waits = Restart(), []
    for _ in range(8):
        restart = restart.after_exit(lived_s=0.1, now=100.0)
        waits.append(restart.not_before - 100.0)
    assert waits == [0, 1, 2, 4, 8, 16, 30, 30]


def test_a_stable_run_forgets_earlier_failures() -> None:
    restart = Restart(failures=7, not_before=1.0).after_exit(lived_s=31.0, now=100.0)
    assert restart == Restart(failures=1, not_before=100.0)


def test_a_killed_child_is_started_again_and_said_so(tmp_path: Path) -> None:
    said: list[str] = []
    supervisor = Supervisor([Child("sleeper", FOREVER)], tmp_path, said.append)
    supervisor.start()
    try:
        first = supervisor.running[0].process
        assert first is not None
        os.kill(first.pid, signal.SIGKILL)
        first.wait(10)
        supervisor.tend(time.monotonic())
        second = supervisor.running[0].process
        assert second is not None
        assert second.pid != first.pid
        assert said == [f"sleeper ended with status -9, starts again in 0 s ({tmp_path / 'sleeper.log'})"]
    finally:
        supervisor.stop()
    assert second.poll() is not None


def test_a_child_that_dies_at_once_is_not_started_in_a_busy_loop(tmp_path: Path) -> None:
    said: list[str] = []
    supervisor = Supervisor([Child("broken", AT_ONCE)], tmp_path, said.append)
    supervisor.start()
    try:
        deadline = time.monotonic() + 20
        while len(said) < 2:
            assert time.monotonic() < deadline
            supervisor.tend(0.0)
        for _ in range(50):
            supervisor.tend(0.5)
        assert len(said) == 2
    finally:
        supervisor.stop()


def test_a_taken_port_is_named_with_the_setting_that_moves_it(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        config = Config(run_dir=tmp_path, gateway_port=taken.getsockname()[1])
        with pytest.raises(MachineError, match="COCKPIT_GATEWAY_PORT"):
            refuse_taken_ports(config)


def test_two_impatient_signals_leave_no_child_behind(tmp_path: Path) -> None:
    settings = {
        f"COCKPIT_{name.upper()}": str(value) for name, value in zip(PORTS, free_ports(len(PORTS)), strict=True)
    }
    command = [sys.executable, "-m", "ingest", "up", "--no-demo"]
    environ = {**os.environ, **settings, "COCKPIT_RUN_DIR": str(tmp_path)}
    with subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True) as supervisor:
        assert supervisor.stdout is not None
        lines = iter(supervisor.stdout.readline, "")
        assert any("ready: http://127.0.0.1:" in line for line in lines)
        children = [psutil.Process(child.pid) for child in psutil.Process(supervisor.pid).children()]
        assert len(children) == 3
        supervisor.send_signal(signal.SIGINT)
        assert any("stopping" in line for line in lines)
        supervisor.send_signal(signal.SIGINT)
        supervisor.send_signal(signal.SIGTERM)
        assert supervisor.wait(40) == 0
    assert [child for child in children if child.is_running()] == []
