import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.errors import SenderError
from cockpit.events.split import split_array, split_object
from cockpit.events.wire import is_ordinary, members
from tests import strategies

spaces = st.sampled_from(["", " ", "\n\t", "  \r\n"])


@given(st.lists(strategies.json_values, max_size=6), st.sampled_from([None, 2]))
def test_members_of_an_array_come_back_as_they_were(values: list[object], indent: int | None) -> None:
    parts = split_array(json.dumps(values, indent=indent))
    assert [json.loads(part) for part in parts] == values


@given(st.dictionaries(st.text(max_size=9), strategies.json_values, max_size=6), st.sampled_from([None, 2]))
def test_values_of_an_object_come_back_under_their_keys(document: dict[str, object], indent: int | None) -> None:
    parts = split_object(json.dumps(document, indent=indent))
    assert {key: json.loads(part) for key, part in parts.items()} == document


@pytest.mark.parametrize("text", ["", "5", "[", "[1", "[1}", "[,1]", "[1,,2]", "[1] x", '["a]', "[[1]", "{", "nul"])
def test_brackets_that_do_not_match_are_no_json(text: str) -> None:
    with pytest.raises(SenderError) as refused:
        split_array(text)
    assert refused.value.code == "invalid_json"


@pytest.mark.parametrize("text", ["[]", '{"a"}', "{a:1}", '{"a":1', '{"a" 1}', '{"\\x":1}', "{1:2}"])
def test_what_is_no_object_is_no_json(text: str) -> None:
    with pytest.raises(SenderError):
        split_object(text)


@given(st.text(max_size=40))
def test_splitting_any_text_gives_members_or_no_json(text: str) -> None:
    for split in (split_array, split_object):
        with suppress(SenderError):
            split(text)


def test_splitting_stops_behind_what_is_allowed() -> None:
    assert len(members("[" + "1," * 100_000 + "NaN]", 500)) == 501
    assert len(members("[" + "1," * 499 + "NaN]", 500)) == 500


def test_a_member_no_strict_parser_takes_is_told_apart() -> None:
    deep = b"[" * 2000 + b"]" * 2000
    bad_utf8 = b'"\xff"'
    found = members(b"[1, NaN, " + deep + b', "a,]\\"", ' + bad_utf8 + b"]")
    assert [bytes(member) for member in found] == [b"1", b"NaN", deep, b'"a,]\\""', bad_utf8]


def test_an_array_of_ordinary_events_needs_no_measuring() -> None:
    for text in ('[{"a":1}]', b'[{"a":1}]', '[{"a":"\\u00e9"}]', '[{"a":"' + "x" * 30_000 + '"}]'):
        assert is_ordinary(text, members(text))
    for text in (
        '[{"a":"\\u0000"}]',
        b'[{"a":"\\u0000"}]',
        '[{"a":"' + "x" * 40_000 + '"}]',
        '["' + "é" * 17_000 + '"]',
    ):
        assert not is_ordinary(text, members(text))
