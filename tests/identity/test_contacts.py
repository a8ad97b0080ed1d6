"""Hashes are published ones: Snap's Conversions API (person@example.com), UID2's normalization guide (the others)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.identity.contacts import contact_ids, e164, email_id, phone_id

PERSON = "e:542d240129883c019e106e3b1b2d3f3cb3537c43c425364de8e951d5a3083345"
USER = "e:b4c9a289323b21a01c3e940f150eb9b8c542587f1abfd8f0e1cc1ffc5e475514"
ABROAD = "p:10e6f0b47054a83359477dcb35231db6de5c69fb1816e1a6b98e192de9e5b9ee"


@pytest.mark.parametrize(
    ("text", "identifier"),
    [
        ("Person@Example.com", PERSON),
        (" USER@example.com\n", USER),
        (USER.removeprefix("e:").upper(), USER),
        ("", None),
        ("person at example.com", None),
        ("a@b@c", None),
        ("b4c9a289", None),
    ],
)
def test_an_address_is_its_hash_whatever_its_case(text: str, identifier: str | None) -> None:
    assert email_id(text) == identifier


@pytest.mark.parametrize("text", ["+1 (234) 567-8901", "001 234 567 8901", ABROAD.removeprefix("p:").upper()])
def test_a_number_with_a_country_code_is_the_hash_of_its_e164_form(text: str) -> None:
    assert phone_id(text) == ABROAD


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("(11) 98765-4321", "+5511987654321"),
        ("11987654321", "+5511987654321"),
        ("011 98765-4321", "+5511987654321"),
        ("0 15 11 98765-4321", "+5511987654321"),  # with a carrier
        ("5511987654321", "+5511987654321"),
        ("+55 (011) 98765-4321", "+5511987654321"),
        ("whatsapp:+5511987654321", "+5511987654321"),
        ("(11) 3456-7890", "+551134567890"),
        ("55 99876-5432", "+5555998765432"),  # 55 is also an area code, in Rio Grande do Sul
        ("+351 912 345 678", "+351912345678"),
    ],
)
def test_a_number_without_a_country_code_is_brazilian(text: str, number: str) -> None:
    assert e164(text) == number


@pytest.mark.parametrize(
    "text",
    [
        "",
        "987654321",  # no area code
        "11 18765-4321",  # 11 digits, and no 9 in front
        "0800 123 4567",
        "11 99999-9999",
        "00000000000",
        "+55 11 98765-4321 ramal 22",
        "+1234567",
        "+1234567890123456",
        "unknown",
    ],
)
def test_what_is_no_number_of_one_person_has_no_identifier(text: str) -> None:
    assert phone_id(text) is None


@given(st.text(max_size=20))
def test_whatever_is_typed_is_a_hash_or_nothing(text: str) -> None:
    for identifier in (email_id(text), phone_id(text)):
        assert identifier is None or len(identifier) == 66


@given(st.from_regex(r"[1-9]{2}9[0-8][0-9]{7}", fullmatch=True))
def test_a_mobile_is_one_identifier_in_all_its_spellings(digits: str) -> None:
    spellings = [digits, f"0{digits}", f"55{digits}", f"+55{digits}", f"0055{digits}", f"({digits[:2]}) {digits[2:]}"]
    assert len({phone_id(spelling) for spelling in spellings}) == 1


def test_contacts_are_found_raw_and_hashed_as_text_number_or_list() -> None:
    traits = {
        "email": "Person@Example.com",
        "em": [USER.removeprefix("e:"), None],
        "phone": 11987654321,
        "hashed_phone": ABROAD.removeprefix("p:"),
        "name": "Ana",
    }
    assert set(contact_ids(traits)) == {PERSON, USER, ABROAD, phone_id("11987654321")}
    assert list(contact_ids({"email": None, "phone": True, "em": {}, "ph": []})) == []
