import logging
import stat
import tomllib
from pathlib import Path

import pytest

from cockpit.errors import BadSetting, MachineError, SenderError
from ingest.gateway.access import Keys, RedactKeys, add_key, ensure_key, read_keys, redacted, remove_key


class Ticks:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def refused(keys: Keys, key: str, origin: str | None = None) -> str:
    with pytest.raises(SenderError) as error:
        keys.sender(key, origin)
    return error.value.code


def test_the_file_has_no_key_and_is_its_owners_only(tmp_path: Path) -> None:
    path = tmp_path / "run" / "keys.toml"
    key = add_key(path, "shop")
    assert key.startswith("wk_")
    assert key not in path.read_text()
    assert len(tomllib.loads(path.read_text())["key"][0]["sha256"]) == 64
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_key_stands_for_its_source(tmp_path: Path) -> None:
    path = tmp_path / "keys.toml"
    shop = add_key(path, "shop")
    site = add_key(path, "site", "public", currency="USD")
    keys = Keys(path, "BRL")
    assert (keys.sender(shop, None).name, keys.sender(shop, None).is_secret) == ("shop", True)
    assert (keys.sender(site, None).currency, keys.sender(site, None).is_secret) == ("USD", False)
    assert refused(keys, shop + "x") == "unknown_key"
    assert refused(keys, "\ud800") == "unknown_key"


def test_a_key_added_or_removed_while_running_is_known_soon(tmp_path: Path) -> None:
    path, ticks = tmp_path / "keys.toml", Ticks()
    keys = Keys(path, "BRL", ticks)
    assert refused(keys, "wk_none") == "unknown_key"
    key = add_key(path, "shop")
    assert keys.sender(key, None).name == "shop"
    assert remove_key(path, "shop")
    ticks.now += 1
    assert refused(keys, key) == "unknown_key"
    assert not remove_key(path, "shop")


def test_a_name_has_one_key(tmp_path: Path) -> None:
    path = tmp_path / "keys.toml"
    assert ensure_key(path, "shop") is not None
    assert ensure_key(path, "shop") is None
    with pytest.raises(BadSetting):
        add_key(path, "shop")
    with pytest.raises(BadSetting):
        add_key(path, "Shop!")
    assert [key.name for key in read_keys(path)] == ["shop"]


def test_a_browser_needs_an_origin_that_the_key_lists_exactly(tmp_path: Path) -> None:
    path = tmp_path / "keys.toml"
    key = add_key(path, "site", "public", ["https://shop.example"])
    keys = Keys(path, "BRL")
    assert keys.sender(key, "https://shop.example").name == "site"
    assert keys.sender(key, None).name == "site"
    for origin in ("null", "https://shop.example:8443", "http://shop.example", "https://evil.example", ""):
        assert refused(keys, key, origin) == "origin_not_allowed"
    path.write_text(path.read_text() + "needs_origin = true\n")
    assert refused(Keys(path, "BRL"), key) == "origin_not_allowed"


def test_a_disabled_key_is_refused_by_its_own_code(tmp_path: Path) -> None:
    path = tmp_path / "keys.toml"
    key = add_key(path, "shop")
    path.write_text(path.read_text() + "disabled = true\n")
    assert refused(Keys(path, "BRL"), key) == "source_disabled"


def test_what_else_a_key_may_be_told_survives_the_next_key(tmp_path: Path) -> None:
    path = tmp_path / "keys.toml"
    key = add_key(path, "shop", origins=['https://"quoted".example'])
    path.write_text(path.read_text() + 'events = ["purchase"]\nneeds_origin = true\n')
    before = read_keys(path)
    add_key(path, "other")
    assert read_keys(path)[0] == before[0]
    origin = 'https://"quoted".example'
    assert Keys(path, "BRL").sender(key, origin).events == frozenset({"purchase"})


@pytest.mark.parametrize(
    "text", ["[[key]", '[[key]]\nname = "shop"\n', '[[key]]\nname = 7\nkind="secret"\nsha256=""\n']
)
def test_a_keys_file_that_cannot_be_read_is_no_unknown_key(tmp_path: Path, text: str) -> None:
    path = tmp_path / "keys.toml"
    path.write_text(text)
    with pytest.raises(MachineError):
        Keys(path, "BRL").sender("wk_x", None)


def test_a_key_in_a_query_leaves_no_more_than_six_characters_in_the_log() -> None:
    assert redacted('GET "/ws?a=1&key=wk_secretsecret&b=2"') == 'GET "/ws?a=1&key=wk_sec...&b=2"'
    record = logging.LogRecord(
        "uvicorn.error", logging.INFO, "", 0, '%s - "WebSocket %s"', ("peer", "/ws?key=wk_0123456789"), None
    )
    assert RedactKeys().filter(record)
    assert record.getMessage() == 'peer - "WebSocket /ws?key=wk_012..."'
