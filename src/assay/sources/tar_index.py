"""Finds members of a tar archive by name, without extracting anything."""

from __future__ import annotations

from assay import limits
from assay.model.codes import archive as codes
from assay.model.codes.content import LIMIT_EXCEEDED
from assay.model.finding import AssayError, Code, Finding
from assay.model.reading import Blob
from assay.sources.tar import Kind, TarMember, TarWalker
from assay.sources.tar_stream import any_byte_set


def normal_name(name: bytes, base: tuple[bytes, ...] = ()) -> tuple[bytes, ...] | None:
    """The parts of a path below the archive's root, ``.`` and ``..`` resolved from ``base``; None
    when it is absolute, or climbs out of the root."""
    if name.startswith(b"/"):
        return None
    parts = list(base)
    for part in name.split(b"/"):
        if part == b"..":
            if not parts:
                return None
            parts.pop()
        elif part not in (b"", b"."):
            parts.append(part)
    return tuple(parts)


class TarIndex:
    """The members of an archive by name. ``findings`` is what is odd about the archive, and
    ``end`` the offset after its end mark."""

    def __init__(self) -> None:
        self.members: list[TarMember] = []
        self.findings: list[Finding] = []
        self.end = 0
        self._by_name: dict[tuple[bytes, ...], TarMember] = {}
        self._twice: set[tuple[bytes, ...]] = set()

    def add(self, member: TarMember) -> None:
        """Take note of a member. Raises AssayError when there are too many."""
        if len(self.members) >= limits.ARCHIVE_MEMBERS:
            raise AssayError(
                Finding.of(
                    LIMIT_EXCEEDED,
                    detail=f"an image archive of more than {limits.ARCHIVE_MEMBERS} members",
                    offset=member.headers[0],
                )
            )
        self.members.append(member)
        name = normal_name(member.untrusted_name)
        if name is None or b".." in member.untrusted_name.split(b"/"):
            self._find(codes.ARCHIVE_UNSAFE_NAME, member, f"a member is called {member.name!r}")
            return
        earlier = self._by_name.get(name)
        if earlier is None:
            self._by_name[name] = member
        elif earlier.kind is not Kind.DIRECTORY or member.kind is not Kind.DIRECTORY:
            self._twice.add(name)
            self._find(
                codes.ARCHIVE_AMBIGUOUS,
                member,
                f"{member.name!r} occurs twice, first at offset {earlier.headers[0]}",
            )

    def _find(self, code: Code, member: TarMember, detail: str) -> None:
        if len(self.findings) >= limits.TAR_FINDINGS:
            raise AssayError(
                Finding.of(
                    LIMIT_EXCEEDED,
                    detail=f"the archive has more than {limits.TAR_FINDINGS} irregularities",
                    offset=member.headers[0],
                )
            )
        self.findings.append(Finding.of(code, detail=detail, offset=member.headers[0]))

    def names(self) -> list[str]:
        """The names of all members that can be found, normalised."""
        return [b"/".join(name).decode("utf-8", "backslashreplace") for name in self._by_name]

    def find(self, name: str) -> TarMember | None:
        """The regular member of this name, links followed within the archive; None when there
        is none. Raises AssayError when the name is ambiguous, or leads outside or nowhere."""
        encoded = name.encode("utf-8", "surrogatepass")
        path = normal_name(encoded)
        if path is None or b".." in encoded.split(b"/"):
            raise AssayError(
                Finding.of(
                    codes.ARCHIVE_UNSAFE_NAME,
                    detail=f"the name {name[:200]!r} leads outside of the archive",
                    expected="a name within the archive",
                )
            )
        for _ in range(limits.ARCHIVE_LINKS):
            if path in self._twice:
                raise AssayError(
                    Finding.of(
                        codes.ARCHIVE_AMBIGUOUS,
                        detail=f"{name!r} occurs more than once in the archive",
                        expected="one member of that name",
                    )
                )
            member = self._by_name.get(path)
            if member is None or member.kind is Kind.FILE:
                return member
            followed = self._follow(member, path)
            if followed is None:
                raise AssayError(
                    Finding.of(
                        codes.ARCHIVE_UNSAFE_NAME,
                        detail=f"{name!r} is a {member.kind.value}"
                        + (f" to {member.link[:200]!r}" if member.untrusted_link else ""),
                        expected="a regular file within the archive",
                        offset=member.headers[0],
                    )
                )
            path = followed
        raise AssayError(
            Finding.of(
                codes.ARCHIVE_UNSAFE_NAME,
                detail=f"{name!r} leads through more than {limits.ARCHIVE_LINKS} links",
                expected="a regular file within the archive",
            )
        )

    @staticmethod
    def _follow(member: TarMember, path: tuple[bytes, ...]) -> tuple[bytes, ...] | None:
        if member.kind is Kind.SYMBOLIC_LINK:
            return normal_name(member.untrusted_link, path[:-1])
        if member.kind is Kind.HARD_LINK:
            return normal_name(member.untrusted_link)
        return None


def read_index(blob: Blob) -> TarIndex:
    """Index an archive that can be read anywhere; contents are skipped.

    Raises AssayError (archive-malformed, archive-truncated, limit-exceeded ...).
    """
    index, walker = TarIndex(), TarWalker()
    size = blob.size
    while walker.wanted is not None:
        at, length = walker.wanted
        if size is not None and at > size:
            raise AssayError(
                Finding.of(
                    codes.ARCHIVE_TRUNCATED,
                    detail=f"{index.members[-1].name!r} reaches beyond the end of the archive"
                    if index.members
                    else "",
                    expected=f"at least {at} bytes",
                    actual=f"{size} bytes",
                    offset=size,
                    cause="truncation",
                )
            )
        member = walker.supply(blob.read_at(at, length))
        if member is not None:
            index.add(member)
    index.end = walker.end
    _check_rest(blob, walker)
    index.findings[:0] = walker.findings
    return index


def _check_rest(blob: Blob, walker: TarWalker) -> None:
    """Only zero bytes may follow the end mark."""
    at = walker.end
    while piece := blob.read_at(at, limits.READ_CHUNK):
        if any_byte_set(piece):
            at += next(place for place, byte in enumerate(piece) if byte)
            walker.note(Finding.of(codes.ARCHIVE_TRAILING_DATA, offset=at))
            return
        at += len(piece)
