"""URLs, strictly: what is parsed here is exactly what is connected to (RFC 3986)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    import ipaddress

_DEFAULT_PORTS = {"http": 80, "https": 443}
_NAME = r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*\.?\Z"
_AUTHORITY = r"(?P<host>\[[0-9a-f:.]+\]|[^:\[\]]+)(:(?P<port>[0-9]{1,5}))?\Z"
_SPLIT = r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<authority>[^/?#]*)(?P<rest>.*)\Z"
_KEPT = "/?:@!$&'()*+,;=-._~%[]"
"""Characters of a path or query that are sent as they stand; all others are percent-encoded."""


class Url(Struct, frozen=True):
    """An http or https URL without credentials and fragment.

    ``host`` is lower case, an IPv6 address stands without brackets; ``target`` is path and query.
    """

    scheme: str
    host: str
    port: int
    target: str

    @property
    def origin(self) -> tuple[str, str, int]:
        """Credentials for one origin are never sent to another (RFC 6454)."""
        return self.scheme, self.host, self.port

    @property
    def authority(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def shown(self) -> str:
        """The URL for people: without the query, which may hold a signature or a token."""
        return f"{self.scheme}://{self.authority}{self.target.partition('?')[0]}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}{self.target}"


def parse_url(text: str) -> Url:
    """Parse an absolute http or https URL; a fragment is dropped.

    Raises ValueError, which never quotes credentials, when it is anything else.
    """
    from urllib.parse import quote

    if any(ord(character) < 0x20 or ord(character) == 0x7F for character in text):
        raise ValueError("a URL with control characters in it")
    match = re.match(_SPLIT, text)
    if match is None or match["scheme"].lower() not in _DEFAULT_PORTS:
        raise ValueError("not an http or https URL")
    scheme = match["scheme"].lower()
    if "@" in match["authority"]:
        raise ValueError("a URL with a user name or password in it")
    host, port = parse_authority(match["authority"])
    rest = match["rest"].partition("#")[0]
    if not rest.startswith("/"):
        rest = f"/{rest}"
    return Url(scheme, host, port or _DEFAULT_PORTS[scheme], quote(rest, safe=_KEPT))


def parse_authority(text: str) -> tuple[str, int | None]:
    """Split ``host[:port]``; the host is checked and in lower case. Raises ValueError."""
    match = re.match(_AUTHORITY, text.lower())
    if match is None:
        raise ValueError(f"not a host name with an optional port: {text[:80]!r}")
    host = match["host"]
    if host.startswith("["):
        import ipaddress

        host = str(ipaddress.IPv6Address(host[1:-1]))
    elif len(host) > 253 or not re.match(_NAME, host):
        raise ValueError(f"not a host name: {text[:80]!r} (write international names in punycode)")
    port = int(match["port"]) if match["port"] else None
    if port is not None and not 0 < port < 65536:
        raise ValueError(f"not a port number: {port}")
    return host, port


def join_url(base: Url, reference: str) -> Url:
    """The URL that ``reference``, found in an answer from ``base``, stands for.

    Raises ValueError as `parse_url` does.
    """
    from urllib.parse import urljoin

    return parse_url(urljoin(str(base), reference))


def address_of(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address that a host is written as, or None when it is a name."""
    import ipaddress

    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def is_loopback(host: str) -> bool:
    """Whether a host is this very machine by its name or address alone (nothing is resolved)."""
    address = address_of(host)
    return host == "localhost" if address is None else address.is_loopback


def is_local_only(host: str) -> bool:
    """Whether a host is this machine or on this very link, where instance metadata is served."""
    address = address_of(host)
    return is_loopback(host) or (
        address is not None and (address.is_link_local or address.is_unspecified)
    )
