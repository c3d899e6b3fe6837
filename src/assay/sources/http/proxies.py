"""Which proxy leads to a host: HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY."""

from __future__ import annotations

import base64
import ipaddress
from collections.abc import Mapping
from urllib.parse import unquote

from msgspec import Struct

from assay.model.finding import UsageError
from assay.model.secret import Secret
from assay.sources.http.url import Url, address_of, is_loopback, parse_url


class Proxy(Struct, frozen=True):
    """A proxy, and the value of the header that it wants to see (empty for none)."""

    url: Url
    authorization: Secret = Secret(b"")


def proxy_for(url: Url, environment: Mapping[str, str]) -> Proxy | None:
    """The proxy for a URL; None to connect directly. Loopback is never sent to a proxy.

    The variables count in lower and upper case, lower case first. Upper-case HTTP_PROXY is
    ignored in a CGI program, where the client sets it with a header called Proxy ("httpoxy").
    Raises UsageError for a proxy that cannot be used.
    """
    if is_loopback(url.host) or _bypassed(url, _variable(environment, "no_proxy")):
        return None
    value = _variable(environment, f"{url.scheme}_proxy") or _variable(environment, "all_proxy")
    return _parse(value, f"{url.scheme}_proxy") if value else None


def _variable(environment: Mapping[str, str], name: str) -> str:
    if name in environment:
        return environment[name].strip()
    if name == "http_proxy" and "REQUEST_METHOD" in environment:
        return ""
    return environment.get(name.upper(), "").strip()


def _parse(value: str, name: str) -> Proxy:
    scheme, separator, rest = value.partition("://")
    if not separator:
        scheme, rest = "http", value
    authority, slash, path = rest.partition("/")
    credentials, _, host = authority.rpartition("@")
    try:
        url = parse_url(f"{scheme}://{host}{slash}{path}")
    except ValueError as error:
        raise UsageError(
            f"{name.upper()} in the environment: {error}; expected http://HOST:PORT or"
            " https://HOST:PORT"
        ) from error
    if not credentials:
        return Proxy(url)
    user, _, password = credentials.partition(":")
    pair = f"{unquote(user)}:{unquote(password)}".encode()
    return Proxy(url, Secret(b"Basic " + base64.b64encode(pair)))


def _bypassed(url: Url, exceptions: str) -> bool:
    return any(_matches(url, entry.strip().lower()) for entry in exceptions.split(",") if entry)


def _matches(url: Url, entry: str) -> bool:
    """Whether an entry of NO_PROXY is about a URL: ``*``, an address, a network, or a domain
    (which stands for its subdomains too), the last two with an optional port."""
    if entry == "*":
        return True
    address = address_of(url.host)
    if "/" in entry:
        try:
            return address is not None and address in ipaddress.ip_network(entry, strict=False)
        except ValueError:
            return False
    host, colon, port = entry.rpartition(":")
    if colon and port.isdigit() and (host.endswith("]") or ":" not in host):
        if int(port) != url.port:
            return False
        entry = host
    entry = entry.strip("[]").removeprefix("*").strip(".")
    if not entry:
        return False
    if address is not None:
        return address == address_of(entry)
    name = url.host.rstrip(".")
    return name == entry or name.endswith(f".{entry}")
