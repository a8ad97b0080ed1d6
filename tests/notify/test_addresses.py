from pathlib import Path

import pytest

from cockpit.errors import BadSetting
from cockpit.notify.addresses import Address, read_addresses

VARIABLES = {"oncall": "COCKPIT_ALERT_ONCALL", "lead": "COCKPIT_ALERT_LEAD"}
SECRET = "jsons://host/SECRET"


def test_addresses_come_from_the_environment_or_from_the_files_it_names(tmp_path: Path) -> None:
    file = tmp_path / "lead"
    file.write_text("slack://A/B/C\n")
    environ = {"COCKPIT_ALERT_ONCALL": SECRET, "COCKPIT_ALERT_LEAD_FILE": str(file)}
    addresses = read_addresses(VARIABLES, environ)
    assert {receiver: address.url({}, {}) for receiver, address in addresses.items()} == {
        "oncall": f"{SECRET}?",
        "lead": "slack://A/B/C?",
    }


def test_a_receiver_whose_address_nobody_gave_has_none() -> None:
    assert read_addresses(VARIABLES, {"COCKPIT_ALERT_ONCALL": ""}) == {}


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"COCKPIT_ALERT_LEAD": SECRET, "COCKPIT_ALERT_LEAD_FILE": "x"}, "COCKPIT_ALERT_LEAD and .*_FILE are both set"),
        ({"COCKPIT_ALERT_LEAD_FILE": "/nowhere"}, "COCKPIT_ALERT_LEAD_FILE names a file .* FileNotFoundError"),
        ({"COCKPIT_ALERT_LEAD": "SECRET"}, "COCKPIT_ALERT_LEAD is not one apprise URL"),
        ({"COCKPIT_ALERT_LEAD": f"{SECRET} {SECRET}"}, "COCKPIT_ALERT_LEAD is not one apprise URL"),
    ],
)
def test_a_wrong_setting_is_refused_by_its_name_and_without_its_value(environ: dict[str, str], said: str) -> None:
    with pytest.raises(BadSetting, match=said) as refused:
        read_addresses(VARIABLES, environ)
    assert "SECRET" not in str(refused.value)
    assert refused.value.__suppress_context__ or refused.value.__context__ is None


def test_an_address_shows_its_scheme_only() -> None:
    assert (repr(Address(SECRET)), str(Address(SECRET)), f"{Address(SECRET)}") == ("jsons://…",) * 3


def test_arguments_are_added_and_defaults_only_where_the_address_says_nothing() -> None:
    address = Address("json://host/path?RTO=3&:rule=a")
    url = address.url({":key": "a/1|b", "+X-Key": "ü"}, {"rto": "9", "cto": "4"})
    assert url == "json://host/path?RTO=3&:rule=a&cto=4&:key=a%2F1%7Cb&+X-Key=%C3%BC"
