"""What can be asked of a component's bytes, and the answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from msgspec import Struct

from assay.model.finding import Finding
from assay.model.secret import Secret


class HashRequest(Struct, frozen=True):
    """The digest of ``prefix`` + the component's bytes + ``suffix``; with ``key``, the HMAC (or
    keyed BLAKE3). With ``text`` line ends are made CR LF first (OpenPGP canonical text,
    RFC 9580 section 5.2.1.2). The answer is the raw value (bytes)."""

    algorithm: str
    prefix: bytes = b""
    suffix: bytes = b""
    key: Secret | None = None
    text: bool = False


class ChunkRequest(Struct, frozen=True):
    """One digest for each ``chunk_size`` bytes; the last chunk may be shorter, and is filled with
    zero bytes when ``pad``. The answer is all values, concatenated (bytes)."""

    algorithm: str
    chunk_size: int
    prefix: bytes = b""
    suffix: bytes = b""
    pad: bool = False


class FsVerityRequest(Struct, frozen=True):
    """The fs-verity digest of the component (Documentation/filesystems/fsverity.rst of Linux): with
    ``algorithm`` sha256 or sha512, blocks of ``block_size`` bytes, and up to 32 bytes of salt. The
    answer is the raw value (bytes)."""

    algorithm: str = "sha256"
    block_size: int = 4096
    salt: bytes = b""


class ContentRequest(Struct, frozen=True):
    """The bytes themselves, for schemes that cannot work from a digest. A component of more than
    ``limit`` bytes gets no answer, and a fault that says so."""

    limit: int


class Sink(Protocol):
    """Takes a component's bytes in order, piece by piece."""

    def update(self, data: memoryview, /) -> object: ...

    def finish(self) -> Any:
        """The answer, after the last byte."""
        ...


class Scanned(Protocol):
    """What a format's own sink found out: whatever else it is, it has findings."""

    @property
    def findings(self) -> Sequence[Finding]: ...


class ScanRequest(Struct, frozen=True):
    """Whatever a format's own sink finds out; the answer is a `Scanned`, and its findings join
    the verdict. ``name`` tells requests apart."""

    name: str
    sink: Callable[[], Sink]


Request = HashRequest | ChunkRequest | FsVerityRequest | ContentRequest | ScanRequest


class Facts(Struct):
    """What was measured. Keys are component ids.

    ``faults`` are the reasons why a component could not be read to its end or transformed; no
    answer exists for such a component.
    """

    sizes: dict[str, int] = {}
    answers: dict[tuple[str, Request], Any] = {}
    faults: dict[str, list[Finding]] = {}

    def hash(self, component: str, algorithm: str) -> bytes | None:
        """The plain digest of a component, or None when it was not measured."""
        answer: bytes | None = self.answers.get((component, HashRequest(algorithm)))
        return answer
