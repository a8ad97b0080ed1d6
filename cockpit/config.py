"""All settings, from the environment (`COCKPIT_*`), with its default. Secrets are files under `run_dir`, never here."""

import os
import secrets
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from cockpit.errors import BadSetting

ROOT = Path(__file__).resolve().parents[1]


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of all processes. Ports are on the loopback unless `host` says otherwise."""

    run_dir: Path = ROOT / "data" / "run"
    host: str = "127.0.0.1"
    gateway_port: int = 8765
    flight_port: int = 8766
    feed_port: int = 8767
    assign_port: int = 8768
    screens_port: int = 8501
    time_zone: str = "America/Sao_Paulo"
    currency: str = "BRL"
    base_url: str = ""  # of the screens, as people reach them, for links in messages; empty: on this machine
    alert_rules: Path = ROOT / "data" / "alerts.toml"
    log_keep_days: int = 30
    log_keep_bytes: int = 50 * 1024**3
    dedup_days: int = 7
    minutes_keep_hours: int = 48
    hours_keep_days: int = 90

    @property
    def log_path(self) -> Path:
        return self.run_dir / "log.sqlite"

    @property
    def database_path(self) -> Path:
        return self.run_dir / "cockpit.duckdb"

    @property
    def decisions_path(self) -> Path:
        """What people decided about experiments: a truth of its own, beside the log."""
        return self.run_dir / "decisions.sqlite"

    @property
    def screens_url(self) -> str:
        """Without a slash at its end."""
        return self.base_url.rstrip("/") or f"http://{self.host}:{self.screens_port}"

    @property
    def alerts_path(self) -> Path:
        """Open episodes, and what people were told of them: a truth of its own."""
        return self.run_dir / "alerts.sqlite"

    @property
    def keys_path(self) -> Path:
        """Write keys of the senders: name, kind and sha256."""
        return self.run_dir / "keys.toml"

    @property
    def token_path(self) -> Path:
        """What screens and warehouse share: guards Flight and the feed, signs the browsers' tokens."""
        return self.run_dir / "token"

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)


def from_environ(environ: Mapping[str, str]) -> Config:
    """The configuration that `COCKPIT_<FIELD>` variables ask for; BadSetting names the variable that is wrong."""
    given = {
        name: environ[variable]
        for name in Config.__struct_fields__
        if (variable := f"COCKPIT_{name.upper()}") in environ
    }
    try:
        config = msgspec.convert(given, Config, strict=False, dec_hook=lambda kind, value: kind(value))
        ZoneInfo(config.time_zone)
    except msgspec.ValidationError as error:
        raise BadSetting(f"COCKPIT_* settings: {error}") from error
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise BadSetting(
            f"COCKPIT_TIME_ZONE={given.get('time_zone')!r} is no IANA zone such as America/Sao_Paulo"
        ) from error
    return config


def shared_token(config: Config) -> str:
    """What screens and warehouse both know: read from `token_path`, made there by whichever process comes first.

    The file is linked into place whole, so two processes that start together agree on one token.
    """
    config.run_dir.mkdir(parents=True, exist_ok=True)
    if not config.token_path.exists():
        descriptor, name = tempfile.mkstemp(dir=config.run_dir)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(32))
        with suppress(FileExistsError):
            os.link(name, config.token_path)
        Path(name).unlink()
    return config.token_path.read_text()
