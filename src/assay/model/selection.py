"""Which image is meant where a layout or an archive holds several."""

from __future__ import annotations

from msgspec import Struct

from assay.model.digest import Digest


class Selection(Struct, frozen=True):
    """By name, by digest, or by position (from 0); everything there is when none is given."""

    name: str = ""
    digest: Digest | None = None
    position: int | None = None

    def __bool__(self) -> bool:
        return bool(self.name) or self.digest is not None or self.position is not None

    def __str__(self) -> str:
        if self.digest is not None:
            return f"@{self.digest}"
        return f":@{self.position}" if self.position is not None else f":{self.name}"


def same_name(one: str, other: str) -> bool:
    """Whether two image names mean the same: a missing tag is ``latest``, and one of them may
    leave out the registry, and ``library/`` with it."""
    one, other = sorted((_tagged(one), _tagged(other)), key=len)
    if one == other:
        return True
    lead = other.removesuffix("/" + one)
    if lead == other:
        return False
    host, _, rest = lead.partition("/")
    return ("." in host or ":" in host) and rest in ("", "library")


def _tagged(name: str) -> str:
    last = name.rpartition("/")[2]
    return name if ":" in last or "@" in last else f"{name}:latest"


def tag_of(name: str) -> str:
    """The tag of an image name; ``latest`` where it has none."""
    return _tagged(name).rpartition(":")[2]
