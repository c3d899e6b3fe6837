"""Collects what is odd about the entries of a layer: one finding for each kind of oddity."""

from __future__ import annotations

from msgspec import Struct

from assay.model.finding import Code, Finding, Severity

SHOWN_NAMES = 4


class _Group(Struct):
    offset: int | None
    names: list[str]
    count: int = 0


class Tally:
    """Counts occurrences. However many there are, a group keeps a few names and one offset."""

    def __init__(self) -> None:
        self._groups: dict[tuple[Code, Severity, str], _Group] = {}

    def note(
        self,
        code: Code,
        what: str,
        name: bytes,
        at: int | None,
        *,
        severity: Severity | None = None,
    ) -> None:
        """Count one occurrence: ``what`` says in a few words what these entries are, and has to
        be a constant; ``name`` is the entry's, ``at`` the offset of its header,
        None where it is not known."""
        key = (code, severity or code.severity, what)
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = _Group(at, [])
        group.count += 1
        if len(group.names) < SHOWN_NAMES and name:
            group.names.append(shown(name))

    def findings(self) -> list[Finding]:
        """A finding for each group, in the order in which they first occurred."""
        return [
            Finding.of(code, detail=_detail(what, group), offset=group.offset, severity=severity)
            for (code, severity, what), group in self._groups.items()
        ]


def _detail(what: str, group: _Group) -> str:
    names = ", ".join(group.names)
    more = group.count - len(group.names)
    if not names:
        return f"{what}: {group.count}"
    return f"{what}: {names}" + (f" and {more} more" if more else "")


def shown(name: bytes, longest: int = 120) -> str:
    """A name for people: quoted, with what is not printable as escapes."""
    text = repr(name[:longest].decode("utf-8", "backslashreplace")).replace("\\\\x", "\\x")
    return text + ("..." if len(name) > longest else "")
