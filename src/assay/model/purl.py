"""Package URLs: how inventories name packages across ecosystems (package-url, PURL-SPECIFICATION
and PURL-TYPES)."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote

from msgspec import Struct

_TYPE = re.compile(r"[a-z0-9.+-]+\Z")


class Purl(Struct, frozen=True):
    """A package URL, decoded. ``kind`` is its type in lower case (``deb``, ``npm`` ...);
    ``namespace`` has its parts joined by slashes. A subpath is dropped."""

    kind: str
    namespace: str
    name: str
    version: str
    qualifiers: dict[str, str] = {}

    @classmethod
    def parse(cls, text: str) -> Purl:
        """Read ``pkg:type/namespace/name@version?qualifiers#subpath``. Raises ValueError, saying
        what is wrong."""
        scheme, _, rest = text.partition(":")
        if scheme.lower() != "pkg":
            raise ValueError("it does not begin with pkg:")
        rest = rest.partition("#")[0]
        rest, _, query = rest.partition("?")
        kind, slash, path = rest.strip("/").partition("/")
        kind = kind.lower()
        if not slash or not _TYPE.match(kind):
            raise ValueError("it has no type")
        at = path.rfind("@")
        version = ""
        if at > path.rfind("/"):
            path, version = path[:at], unquote(path[at + 1 :])
        *namespace, name = [unquote(part) for part in path.split("/") if part] or [""]
        if not name:
            raise ValueError("it has no name")
        qualifiers: dict[str, str] = {}
        for pair in query.split("&") if query else ():
            key, equals, value = pair.partition("=")
            if not equals or qualifiers.setdefault(key.lower(), unquote(value)) != unquote(value):
                raise ValueError("its qualifiers are not pairs, or contradict each other")
        return cls(kind, "/".join(namespace), name, version, qualifiers)

    def __str__(self) -> str:
        parts = [*filter(None, self.namespace.split("/")), self.name]
        text = f"pkg:{self.kind}/" + "/".join(quote(part, safe=":") for part in parts)
        if self.version:
            text += "@" + quote(self.version, safe=":")
        if self.qualifiers:
            pairs = sorted(self.qualifiers.items())
            text += "?" + "&".join(f"{key}={quote(value, safe=':/')}" for key, value in pairs)
        return text
