from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cockpit.config import Config, from_environ, shared_token
from cockpit.errors import BadSetting


def test_settings_come_from_the_environment(tmp_path: Path) -> None:
    config = from_environ({"COCKPIT_RUN_DIR": str(tmp_path), "COCKPIT_GATEWAY_PORT": "9000", "PATH": "/bin"})
    assert (config.run_dir, config.gateway_port, config.flight_port) == (tmp_path, 9000, Config().flight_port)
    assert config.database_path == tmp_path / "cockpit.duckdb"


@pytest.mark.parametrize(
    ("name", "value"),
    [("COCKPIT_GATEWAY_PORT", "eight"), ("COCKPIT_TIME_ZONE", "Sao Paulo"), ("COCKPIT_TIME_ZONE", "../etc/passwd")],
)
def test_a_setting_that_is_not_understood_is_refused(name: str, value: str) -> None:
    with pytest.raises(BadSetting, match="COCKPIT_"):
        from_environ({name: value})


def test_processes_that_start_together_agree_on_one_token(tmp_path: Path) -> None:
    config = Config(run_dir=tmp_path / "run")
    with ThreadPoolExecutor(8) as pool:
        tokens = set(pool.map(shared_token, [config] * 32))
    assert len(tokens) == 1
    assert len(tokens.pop()) == 64
    assert config.token_path.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in config.run_dir.iterdir()] == ["token"]
