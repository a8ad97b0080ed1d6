import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.alerts.scrubbing import HIDDEN, LONGEST, scrubbed


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("rate_limit_exceeded", "rate_limit_exceeded"),
        ("131026 (120), 130429 (88)", "131026 120 , 130429 88"),
        ("deploy integrador v3.2", "deploy integrador v3.2"),
        ("Volta às aulas 2027", "Volta às aulas 2027"),
        ("1.011 / 18.989", "1.011 / 18.989"),
    ],
)
def test_ordinary_words_stay(text: str, seen: str) -> None:
    assert scrubbed(text) == seen


@pytest.mark.parametrize(
    "text",
    [
        "maria@example.com",
        "111.444.777-35",
        "11144477735",
        "+55 11 99999-8888",
        "(11) 99999-8888",
        "5511999998888",
        "99999-8888",
        "11.222.333/0001-81",
    ],
)
def test_an_address_a_phone_or_a_document_is_hidden(text: str) -> None:
    assert scrubbed(f"cliente {text} reclamou") == f"cliente {HIDDEN} reclamou"


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("<!channel> urgente", "!channel urgente"),
        ("@channel ligue", "channel ligue"),
        ("[clique](https://evil.example)", "clique https evil·example"),
        ("evil.com/login", "evil·com/login"),
        ("a\nb\r\nc\td", "a b c d"),
        ("a\u202eb\u200bc", "a b c"),
        ("*negrito* `x` ~~y~~", "negrito x y"),
    ],
)
def test_nobody_can_link_mention_or_break_lines(text: str, seen: str) -> None:
    assert scrubbed(text) == seen


@given(st.text(max_size=300))
def test_whatever_is_sent_is_one_short_line_without_links_or_mentions(text: str) -> None:
    seen = scrubbed(text)
    assert len(seen) <= LONGEST
    assert not re.search(r"[\r\n@<>]|://|\d{10}", seen)


@given(st.text(max_size=100))
def test_scrubbing_again_changes_nothing(text: str) -> None:
    assert scrubbed(scrubbed(text)) == scrubbed(text)
