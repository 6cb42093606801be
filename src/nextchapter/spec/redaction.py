"""What may be shown of an address, and of any text: no password and no token.

Whoever writes a file, a log or a message that may hold an address or somebody else's words takes them from here.
Secrets are known in two ways: by their place in an address, and by their value, where the environment holds them.
"""

import os
import re
from collections.abc import Iterator, Mapping
from urllib.parse import unquote, urlsplit

HIDDEN = "***"
_ADDRESS = re.compile(r"\b([A-Za-z][A-Za-z0-9+.-]*)://([^\s'\"`<>]+)")
_AUTHORITY_END = re.compile(r"[/?#]")
_HOST_AND_PORT = re.compile(r"(?:\[[^\]]*\]|[^:]*)(?::\d*)?\W*")
_WEB = ("http", "https")
_NAME_OF_A_SECRET = re.compile(
    r"(?:PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|CREDENTIALS?|API_?KEY|ACCESS_KEY|PRIVATE_KEY|SECRET_KEY|SIGNATURE)$",
    re.IGNORECASE,
)
_SHORTEST_SECRET = 6
"""Characters; what is shorter is a part of too many words to be hidden wherever it stands."""
_LONG_VALUE = 16
"""Characters from which a value in a query is taken for a token, whatever its name."""


def public_address(address: str) -> str:
    """Return an address without name and password, its query masked; the path of a SQLite file stays as it is."""
    scheme, _, rest = address.partition("://")
    if scheme.startswith("sqlite"):
        return address
    try:
        _ = urlsplit(address).port if scheme in _WEB else None  # raises an error where a password makes a strange port
    except ValueError:
        return "a malformed address"
    return f"{scheme}://{_public_rest(scheme, rest).partition('#')[0]}"


def redact(text: str, environment: Mapping[str, str] = os.environ) -> str:
    """Return a text in which every secret is masked: those in its addresses, and those that the environment holds.

    Args:
        text: a message, a traceback, a line of a log.
        environment: its passwords and tokens are known by their names, and found in its addresses.
    """
    for secret in sorted(set(_secrets_of(environment)), key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return _ADDRESS.sub(_without_secrets, text)


def _without_secrets(found: re.Match[str]) -> str:
    scheme, rest = found.groups()
    return found[0] if scheme.startswith("sqlite") else f"{scheme}://{_public_rest(scheme, rest)}"


def _public_rest(scheme: str, rest: str) -> str:
    """Return what stands behind `://`, its login left out and its query masked."""
    place, sign, _ = _split_login(scheme, rest)[1].partition("?")
    return place + (f"?{HIDDEN}" if sign else "")


def _split_login(scheme: str, rest: str) -> tuple[str, str]:
    """Return name and password, and what stands behind them.

    The login of a web address ends before the first of `/?#`, that of a database may hold these.
    """
    authority = _AUTHORITY_END.split(rest, maxsplit=1)[0]
    if "@" not in rest or (scheme in _WEB and "@" not in authority and _HOST_AND_PORT.fullmatch(authority)):
        return "", rest
    if scheme in _WEB and "@" in authority:
        end = authority.rindex("@")
    else:
        query = rest.find("?", rest.index("@"))
        end = rest.rindex("@", 0, query if query >= 0 else len(rest))
    return rest[:end], rest[end + 1 :]


def _secrets_of(environment: Mapping[str, str]) -> Iterator[str]:
    for name, value in environment.items():
        told = [value] if _NAME_OF_A_SECRET.search(name) else []
        told += [secret for address in _ADDRESS.finditer(value) for secret in _secrets_in(*address.groups())]
        for secret in told:
            yield from (form for form in (secret.strip(), unquote(secret)) if len(form) >= _SHORTEST_SECRET)


def _secrets_in(scheme: str, rest: str) -> Iterator[str]:
    """Yield the password of an address, and what in its query may be a token, as they stand there."""
    if scheme.startswith("sqlite"):
        return
    login, rest = _split_login(scheme, rest)
    name, colon, password = login.partition(":")
    if colon or scheme in _WEB:  # a web address may hold a token in place of a name
        yield password or name
    for entry in rest.partition("?")[2].partition("#")[0].split("&"):
        key, _, value = entry.partition("=")
        if _NAME_OF_A_SECRET.search(key) or len(value) >= _LONG_VALUE:
            yield value
