import re
from zoneinfo import ZoneInfo

import pytest

from cockpit.ui.experiments.document import document
from cockpit.views.experiment_words import Words
from cockpit.views.experiments import Asked, detailed
from tests.experiments.answers import NOW, Answers
from tests.experiments.shop import lost, won

ZONE = ZoneInfo("America/Sao_Paulo")


def written(experiment_id: str, language: str) -> str:
    found = detailed(Answers(won(), lost()), Asked(experiment_id), NOW, ZONE)
    assert found is not None
    return document(found, Words(language, ZONE), NOW)


def test_the_file_loads_nothing_from_anywhere() -> None:
    text = written("cart", "en")
    assert re.findall(r"<(?:script|link|img|iframe)[^>]*(?:src|href)=", text) == []
    assert text.startswith('<!doctype html><html lang="en">')


@pytest.mark.parametrize(("language", "word"), [("pt", "Conclusivo negativo"), ("en", "Conclusive negative")])
def test_the_file_says_the_verdict_and_what_was_decided(language: str, word: str) -> None:
    text = written("discount-popup", language)
    assert word in text
    assert "Do not roll out" in text
