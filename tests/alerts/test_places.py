import tomllib

import pytest

from cockpit.alerts.places import Place, lines_of
from cockpit.config import ROOT

TEXT = '''\
top = 1

[[rule]]            # the first
id = "a"
by = [
    "channel",      # = no key
    "x = y",
]
note = """
id = "not a key"
[[rule]]
"""
"quoted key" = 1
[rule.name]
pt = "A"

[[rule]]
id = "b"
name.pt = "B"
where = { channel = "x", by = 3 }

[grouping]
wait = "0s"
'''


@pytest.mark.parametrize(
    ("place", "line"),
    [
        (Place("", 0, "top"), 1),
        (Place("rule", 0), 3),
        (Place("rule", 0, "id"), 4),
        (Place("rule", 0, "by"), 5),
        (Place("rule", 0, "note"), 9),
        (Place("rule", 0, "quoted key"), 13),
        (Place("rule", 0, "name"), 14),
        (Place("rule", 1), 17),
        (Place("rule", 1, "id"), 18),
        (Place("rule", 1, "name"), 19),
        (Place("rule", 1, "where"), 20),
        (Place("grouping", 0), 22),
        (Place("grouping", 0, "wait"), 23),
    ],
)
def test_a_key_stands_where_a_reader_finds_it(place: Place, line: int) -> None:
    assert lines_of(TEXT)[place] == line


def test_nothing_within_a_long_value_is_taken_for_a_key() -> None:
    assert len(lines_of(TEXT)) == 13


def test_every_key_of_the_projects_rule_file_is_found() -> None:
    text = (ROOT / "data" / "alerts.toml").read_text(encoding="utf-8")
    lines, written = lines_of(text), text.splitlines()
    for table, rows in tomllib.loads(text).items():
        for nth, row in enumerate(rows if isinstance(rows, list) else [rows]):
            for key in row:
                assert written[lines[Place(table, nth, key)] - 1].startswith(f"{key} =")
