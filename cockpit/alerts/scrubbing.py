"""Words that strangers chose, made fit for a pager: short, one line, no links, no mentions, nobody's data.

Events carry campaign names, error codes and the like as a sender wrote them, and messages go where people click.
"""

import re
import unicodedata

LONGEST = 60
HIDDEN = "•••"
EMAIL = re.compile(r"[^\s@<>]+@[^\s@<>]+")
# Ten digits or more, as CPF, CNPJ, phones and most customer ids have, with at most one mark between two of them.
LONG_NUMBER = re.compile(r"\+?\d(?:[ ./-]?\d){9,}")
LOCAL_PHONE = re.compile(r"\(\d{2}\)\s?\d{4,5}[ -]?\d{4}|\b9\d{4}-\d{4}\b")
MARKUP = re.compile(r"[<>\[\](){}|*`~#\\@]|://")
DOMAIN_DOT = re.compile(r"(?<=\w)\.(?=[^\W\d_])")  # what chat programs would make a link of; not the one of v3.2


def scrubbed(text: str, longest: int = LONGEST) -> str:
    """At most `longest` characters. What looks like an e-mail address, a phone or a long id is hidden."""
    seen = "".join(" " if unicodedata.category(character)[0] in "CZ" else character for character in text)
    for personal in (EMAIL, LONG_NUMBER, LOCAL_PHONE):
        seen = personal.sub(HIDDEN, seen)
    line = " ".join(DOMAIN_DOT.sub("·", MARKUP.sub(" ", seen)).split())
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"
