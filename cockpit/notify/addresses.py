"""Where receivers are reached: apprise URLs, which are secrets. They come from the environment or from a file it names.

Law: no error, repr or log of Cockpit shows more of an address than its scheme.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import parse_qsl, quote

from cockpit.errors import BadSetting

FILE = "_FILE"


class Address:
    """One apprise URL. It shows its scheme only."""

    def __init__(self, url: str) -> None:
        self._url = url

    @property
    def scheme(self) -> str:
        return self._url.partition("://")[0].lower()

    def __repr__(self) -> str:
        return f"{self.scheme}://…"

    def url(self, arguments: Mapping[str, str], defaults: Mapping[str, str]) -> str:
        """In full, with these arguments, and with the defaults that it does not say itself."""
        _, _, query = self._url.partition("?")
        said = {name.lower() for name, _ in parse_qsl(query, keep_blank_values=True)}
        more = {name: value for name, value in defaults.items() if name not in said} | dict(arguments)
        # ":" and "+" before a name tell apprise where an argument goes: into the body or into the headers.
        added = "&".join(f"{quote(name, safe=':+')}={quote(value, safe='')}" for name, value in more.items())
        return f"{self._url}{'&' if '?' in self._url else '?'}{added}"


def read_addresses(variables: Mapping[str, str], environ: Mapping[str, str]) -> Mapping[str, Address]:
    """Address by receiver, of those that have one. `variables`: the environment's name for each receiver's address.

    COCKPIT_ALERT_ONCALL holds the URL itself, COCKPIT_ALERT_ONCALL_FILE names a file whose only line it is. BadSetting
    names the variable, never its value.
    """
    return dict(_addresses(variables, environ))


def _addresses(variables: Mapping[str, str], environ: Mapping[str, str]) -> Iterator[tuple[str, Address]]:
    for receiver, variable in variables.items():
        if environ.get(variable) and environ.get(variable + FILE):
            raise BadSetting(f"{variable} and {variable}{FILE} are both set: say the address once")
        if given := environ.get(variable):
            yield receiver, _address(given, variable)
        elif name := environ.get(variable + FILE):
            yield receiver, _address(_content(name, variable + FILE), variable + FILE)


def _content(name: str, variable: str) -> str:
    try:
        return Path(name).read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise BadSetting(f"{variable} names a file that cannot be read: {type(error).__name__}") from None


def _address(given: str, variable: str) -> Address:
    url = given.strip()
    if "://" not in url or any(character.isspace() for character in url):
        raise BadSetting(f"{variable} is not one apprise URL such as jsons://host/path")
    return Address(url)
