"""What is kept of a blob that was measured, and a blob that stands for one."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec
from msgspec import Struct

from assay.kept.store import FactStore
from assay.model.digest import Digest
from assay.model.reading import Blob

HEAD = 512
"""First bytes that are kept: what a layer is compressed with, and whether it is an archive."""


class Answer(Struct, frozen=True, array_like=True):
    """One answer: of what (a path of cuts and transforms from the blob), to what, and its value."""

    of: str
    to: str
    value: bytes


class Record(Struct, frozen=True, array_like=True):
    """What is known of a blob: sizes by path, answers, and its first bytes."""

    sizes: dict[str, int]
    answers: list[Answer]
    head: bytes = b""


def record_of(store: FactStore | None, digest: Digest) -> Record | None:
    """What is kept of the blob with this digest."""
    if store is None or not digest.binding:
        return None
    data = store.get(name_of(digest))
    if data is None:
        return None
    try:
        return msgspec.msgpack.decode(data, type=Record)
    except msgspec.DecodeError:
        return None


def keep_record(store: FactStore, digest: Digest, record: Record, most: int) -> None:
    """Keep a record, unless it takes more than ``most`` bytes."""
    data = msgspec.msgpack.encode(record)
    if len(data) <= most:
        store.put(name_of(digest), data)


def name_of(digest: Digest) -> str:
    """The name of the record."""
    return f"measured {digest}"


class KnownBlob:
    """A blob that was measured before: its size and first bytes are known, the rest is fetched when
    somebody does want it. ``fetch`` opens the blob where it is, and may raise AssayError."""

    seekable = True
    named_by_digest = True

    def __init__(self, size: int, head: bytes, fetch: Callable[[], Blob]) -> None:
        self.size = size
        self._head = head
        self._fetch = fetch

    def read_at(self, offset: int, length: int) -> bytes:
        """See `Blob.read_at`."""
        length = min(length, self.size - offset)
        if length <= 0:
            return b""
        if offset + length <= len(self._head):
            return self._head[offset : offset + length]
        return self._fetch().read_at(offset, length)

    def stream(self, chunk_size: int) -> Iterator[memoryview]:
        """See `Blob.stream`."""
        return self._fetch().stream(chunk_size)


def known_blob(
    store: FactStore | None, digest: Digest, size: int | None, fetch: Callable[[], Blob]
) -> KnownBlob | None:
    """The blob, where there is a record of it. One of another size than is claimed is no such blob:
    whoever claims it gets to see the bytes."""
    record = record_of(store, digest)
    if record is None or "" not in record.sizes or size not in (None, record.sizes[""]):
        return None
    return KnownBlob(record.sizes[""], record.head, fetch)
