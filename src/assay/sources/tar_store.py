"""The members of an image archive, read in place; of a compressed one, those that were kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from assay import limits
from assay.measure.inflate import inflater_for
from assay.model.codes.content import LIMIT_EXCEEDED
from assay.model.component import Slice
from assay.model.digest import Digest
from assay.model.finding import AssayError, Finding
from assay.model.reading import Blob
from assay.sources.blobs import MemoryBlob, SliceBlob, read_document
from assay.sources.image_index import ImageIndex
from assay.sources.tar import Kind, TarMember
from assay.sources.tar_index import TarIndex, read_index
from assay.sources.tar_stream import TarStream

HEAD = 1024
"""Bytes of each member of a compressed archive that are kept: enough to recognise what it is."""


class Members:
    """An archive whose members are known, by name and place. ``compression`` is that of the whole
    archive, empty for none."""

    def __init__(self, index: TarIndex, compression: str) -> None:
        self.index = index
        self.compression = compression

    def open(self, member: TarMember) -> Blob:
        """The content of a regular member."""
        raise NotImplementedError

    def document(self, name: str) -> bytes | None:
        """The content of a small member; None when there is none of that name.

        Raises AssayError: limit-exceeded, archive-ambiguous, archive-unsafe-name.
        """
        member = self.index.find(name)
        if member is None:
            return None
        return read_document(self.open(member), limits.MANIFEST_SIZE, name)


class PlainMembers(Members):
    """Of an archive that can be read anywhere."""

    def __init__(self, blob: Blob) -> None:
        super().__init__(read_index(blob), "")
        self._blob = blob

    def open(self, member: TarMember) -> Blob:
        return SliceBlob(self._blob, (member.data,))


class KeptMembers(Members):
    """Of a compressed archive: documents in memory, and the beginnings of all else."""

    def __init__(self, blob: Blob, compression: str) -> None:
        visitor = _Keeper()
        stream = TarStream(visitor)
        inflater = inflater_for(compression, stream.update)
        for piece in blob.stream(limits.READ_CHUNK):
            inflater.update(piece)
        inflater.finish()
        stream.finish()
        visitor.index.end = stream.walker.end
        visitor.index.findings[:0] = stream.walker.findings
        super().__init__(visitor.index, compression)
        self._kept = visitor.kept

    def open(self, member: TarMember) -> Blob:
        data = self._kept.get(member.data[0], b"")
        if len(data) == member.size:
            return MemoryBlob(data)
        return _Beginning(data, member)


class _Keeper:
    """Keeps what may be a JSON document, whole, and of other members the beginning."""

    def __init__(self) -> None:
        self.index = TarIndex()
        self.kept: dict[int, bytes] = {}
        self._content = bytearray()
        self._most = HEAD
        self._total = 0

    def begin(self, member: TarMember) -> None:
        self.index.add(member)
        self._content.clear()
        self._most = HEAD

    def content(self, piece: memoryview) -> None:
        if not self._content and bytes(piece[:64]).lstrip()[:1] in (b"{", b"["):
            self._most = limits.MANIFEST_SIZE
        self._content += piece[: max(0, self._most - len(self._content))]

    def end(self, member: TarMember) -> None:
        if member.kind is not Kind.FILE:
            return
        if len(self._content) < member.size:
            del self._content[HEAD:]
        self._total += len(self._content)
        if self._total > limits.ARCHIVE_DOCUMENTS:
            raise AssayError(
                Finding.of(
                    LIMIT_EXCEEDED,
                    detail="the compressed archive has too many documents",
                    expected=f"at most {limits.ARCHIVE_DOCUMENTS} bytes of documents",
                    offset=member.headers[0],
                )
            )
        self.kept[member.data[0]] = bytes(self._content)


class _Beginning:
    """The first bytes of a member whose content goes by once, when all is measured."""

    seekable = False

    def __init__(self, data: bytes, member: TarMember) -> None:
        self._data = data
        self._member = member
        self.size = member.size

    def read_at(self, offset: int, length: int) -> bytes:
        if offset + length > len(self._data):
            raise self._too_far()
        return self._data[offset : offset + length]

    def stream(self, chunk_size: int) -> Iterator[memoryview]:
        yield memoryview(self.read_at(0, self.size))

    def _too_far(self) -> AssayError:
        return AssayError(
            Finding.of(
                LIMIT_EXCEEDED,
                detail=f"{self._member.name[:200]!r} is no document that can be read from a"
                " compressed archive",
                expected=f"a JSON document of at most {limits.MANIFEST_SIZE} bytes",
                actual=f"{self._member.size} bytes",
                offset=self._member.data[0],
            )
        )


class ArchiveStore:
    """The blobs of an OCI layout within an archive. ``component`` is the id of the component that
    the archive's bytes are."""

    near = True

    def __init__(self, members: Members, component: str) -> None:
        self.members = members
        self.index: ImageIndex | None = None
        self._component = component

    def blob(self, name: str, *, size: int | None = None, media_type: str = "") -> Blob | None:
        """See `BlobStore.blob`."""
        member = self._member(name)
        return None if member is None else self.members.open(member)

    def extent(self, name: str) -> Slice | None:
        """Where in the archive a blob lies."""
        member = self._member(name)
        return None if member is None else self.slice_of(member)

    def slice_of(self, member: TarMember) -> Slice:
        """Where a member's content lies in the archive."""
        return Slice(self._component, (member.data,) if member.size else ())

    def entries(self) -> Sequence[dict[str, Any]]:
        """See `Catalogue.entries`."""
        entries = self.index.entries if self.index is not None else ()
        return [entry.untrusted_descriptor for entry in entries]

    def _member(self, name: str) -> TarMember | None:
        try:
            digest = Digest.parse(name)
        except ValueError:
            return None
        return self.members.index.find(f"blobs/{digest.algorithm}/{digest.hex}")
