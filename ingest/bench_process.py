"""A process of Cockpit under measurement: started for a bench, its memory read, stopped."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cockpit.config import ROOT, Config


@contextmanager
def process(config: Config, *command: str) -> Iterator[subprocess.Popen[bytes]]:
    """`python -m ingest <command>` with this configuration; stopped, and its output shown if it failed, at the end."""
    settings = {f"COCKPIT_{name.upper()}": str(getattr(config, name)) for name in config.__struct_fields__}
    with (config.run_dir / f"{command[0]}.log").open("wb") as log:
        child = subprocess.Popen(  # noqa: S603 - our own command line
            [sys.executable, "-m", "ingest", *command], cwd=ROOT, env={**os.environ, **settings}, stdout=log, stderr=log
        )
    try:
        yield child
    finally:
        child.terminate()
        child.wait(30)


def peak_mib(pid: int) -> float:
    """Peak resident memory of a living process (Linux's VmHWM)."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
