"""Name constraints (RFC 5280 section 4.2.1.10): which names an authority may certify."""

from __future__ import annotations

from urllib.parse import urlsplit

from msgspec import Struct

from assay import limits
from assay.asn1.der import Der, context
from assay.x509.general_names import GeneralName, Kind, read_general_name
from assay.x509.names import Name

_KNOWN = (Kind.EMAIL, Kind.DNS, Kind.DIRECTORY, Kind.URI, Kind.IP)


class NameConstraints(Struct, frozen=True):
    """Names below the certificate have to be in one of ``permitted`` (where it has any of their
    kind) and in none of ``excluded``."""

    permitted: tuple[GeneralName, ...]
    excluded: tuple[GeneralName, ...]

    @property
    def unknown(self) -> GeneralName | None:
        """A constraint of a kind that Assay cannot apply."""
        every = (*self.permitted, *self.excluded)
        return next((each for each in every if each.kind not in _KNOWN), None)

    def __len__(self) -> int:
        return len(self.permitted) + len(self.excluded)

    def violation(self, name: GeneralName) -> str:
        """Why a name is not allowed; empty when it is. Raises ValueError for a name or constraint
        that cannot be compared."""
        for subtree in self.excluded:
            if subtree.kind is name.kind and _within(name, subtree, excluding=True):
                return f"it is in {shown(subtree)}, which is excluded"
        same = [subtree for subtree in self.permitted if subtree.kind is name.kind]
        if same and not any(_within(name, subtree, excluding=False) for subtree in same):
            return f"only {', '.join(shown(subtree) for subtree in same[:5])} is permitted"
        return ""


def read_constraints(cursor: Der) -> NameConstraints:
    """The NameConstraints extension. Raises AssayError."""
    inside = cursor.enter()
    permitted = _subtrees(inside, 0)
    excluded = _subtrees(inside, 1)
    inside.finish()
    cursor.finish()
    if not permitted and not excluded:
        raise cursor.fail("name constraints that constrain nothing", 0)
    return NameConstraints(permitted, excluded)


def _subtrees(cursor: Der, number: int) -> tuple[GeneralName, ...]:
    inside = cursor.enter_optional(context(number))
    if inside is None:
        return ()
    found = []
    for element in inside.each(0x30, limits.CERTIFICATE_NAMES, "name constraints"):
        subtree = inside.within(element)
        found.append(read_general_name(subtree, subtree.any()))
        # minimum is 0 by default and maximum absent: RFC 5280 allows nothing else
        subtree.finish()
    return tuple(found)


def shown(name: GeneralName) -> str:
    """A name or a constraint, for people."""
    if name.kind is Kind.IP and isinstance(name.value, bytes):
        return _shown_address(name.value)
    if isinstance(name.value, bytes):
        return f"a name of kind {name.kind.name.lower()}"
    return repr(str(name.value))


def _shown_address(value: bytes) -> str:
    from ipaddress import ip_address

    if len(value) in (4, 16):
        return str(ip_address(value))
    if len(value) in (8, 32):
        half = len(value) // 2
        return f"{ip_address(value[:half])}/{_prefix(value[half:])}"
    return value.hex()


def _prefix(mask: bytes) -> int:
    """The length of the network's prefix. Raises ValueError for a mask with holes."""
    bits = int.from_bytes(mask)
    width = 8 * len(mask)
    ones = bits.bit_count()
    if bits != ((1 << ones) - 1) << (width - ones):
        raise ValueError("a network mask with holes")
    return ones


def _within(name: GeneralName, subtree: GeneralName, *, excluding: bool) -> bool:
    value, limit = name.value, subtree.value
    if isinstance(value, Name) and isinstance(limit, Name):
        return value.starts_with(limit)
    if isinstance(value, bytes) and isinstance(limit, bytes):
        return _address_within(value, limit)
    assert isinstance(value, str)
    assert isinstance(limit, str)
    match name.kind:
        case Kind.DNS:
            return _host_within(value, limit, excluding=excluding)
        case Kind.EMAIL:
            return _mailbox_within(value, limit)
        case _:
            return _domain_within(_host_of(value), limit)


def _address_within(value: bytes, limit: bytes) -> bool:
    if len(value) not in (4, 16) or len(limit) not in (8, 32):
        raise ValueError("an IP address or network of a length that does not exist")
    half = len(limit) // 2
    if len(value) != half:
        return False
    _prefix(limit[half:])
    mask = int.from_bytes(limit[half:])
    return int.from_bytes(value) & mask == int.from_bytes(limit[:half]) & mask


def _labels(domain: str) -> list[str]:
    """The labels of a domain name from the root down, for comparison."""
    labels = domain.lower().removesuffix(".").split(".")
    if "" in labels or len(domain) > 254:
        raise ValueError(f"{domain[:80]!r} is no domain name")
    return labels[::-1]


def _host_within(host: str, limit: str, *, excluding: bool) -> bool:
    """A host is within a domain when it is that domain or below it. A wildcard stands for every
    host of its domain, so one excluded host excludes it."""
    if not limit:
        return True
    below = limit.startswith(".")
    domain, labels = _labels(limit.removeprefix(".")), _labels(host)
    if labels[: len(domain)] == domain:
        return len(labels) > len(domain) or not below
    return (
        excluding
        and labels[-1] == "*"
        and len(domain) == len(labels)
        and domain[:-1] == labels[:-1]
    )


def _domain_within(host: str, limit: str) -> bool:
    """For URIs and e-mail: a domain with a leading dot means hosts below it, else that host."""
    if not limit:
        return True
    if limit.startswith("."):
        domain, labels = _labels(limit[1:]), _labels(host)
        return len(labels) > len(domain) and labels[: len(domain)] == domain
    return _labels(host) == _labels(limit)


def _mailbox_within(mailbox: str, limit: str) -> bool:
    local, at, host = mailbox.rpartition("@")
    if not local or "@" in local:
        raise ValueError(f"{mailbox[:80]!r} is no e-mail address")
    wanted, at, domain = limit.rpartition("@")
    if at:
        return local == wanted and _labels(host) == _labels(domain)
    return _domain_within(host, limit)


def _host_of(uri: str) -> str:
    """The host of a URI that is a name, as RFC 5280 asks. Raises ValueError when it has none."""
    parts = urlsplit(uri)
    host = parts.hostname or ""
    if not host or ":" in host or _labels(host)[0].isdigit():
        raise ValueError(f"{uri[:80]!r} has no host name")
    return host
