"""Sinks that compute digests, MACs and chunk digests as bytes go by."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from functools import cache
from typing import Any, Protocol

from msgspec.structs import replace

from assay import limits
from assay.model.codes import content as codes
from assay.model.digest import ALGORITHMS
from assay.model.finding import AssayError, Finding
from assay.model.measurement import (
    ChunkRequest,
    ContentRequest,
    FsVerityRequest,
    HashRequest,
    Request,
    Sink,
)


class Hasher(Protocol):
    def update(self, data: Any, /) -> object: ...

    def digest(self) -> bytes: ...


_HASHLIB_NAMES = {
    "sha512-256": "sha512_256",
    "sha3-224": "sha3_224",
    "sha3-256": "sha3_256",
    "sha3-384": "sha3_384",
    "sha3-512": "sha3_512",
}


class _Shake256:
    """SHAKE256 with 64 bytes of output, which ML-DSA signs (FIPS 204 section 6.2)."""

    digest_size, block_size = 64, 136

    def __init__(self) -> None:
        self._shake = hashlib.shake_256()
        self.update = self._shake.update

    def copy(self) -> _Shake256:
        other = _Shake256()
        other._shake = self._shake.copy()
        other.update = other._shake.update
        return other

    def digest(self) -> bytes:
        return self._shake.digest(64)


@cache
def _constructor(algorithm: str) -> Callable[[], Hasher]:
    if algorithm == "blake3":
        from blake3 import blake3

        return blake3
    if algorithm == "blake2b-256":
        return lambda: hashlib.blake2b(digest_size=32)
    if algorithm == "shake256-512":
        return _Shake256
    name = _HASHLIB_NAMES.get(algorithm, algorithm)
    if algorithm in ("md5", "sha1"):
        return lambda: hashlib.new(name, usedforsecurity=False)
    if algorithm in ("sha256", "sha512", "sha384", "sha224", "blake2b", "blake2s"):
        constructor: Callable[[], Hasher] = getattr(hashlib, name)
        return constructor
    return lambda: hashlib.new(name)


def new_hasher(algorithm: str, key: bytes | None = None) -> Hasher:
    """A running digest; with ``key`` an HMAC (RFC 2104), or keyed BLAKE3.

    Raises AssayError (unsupported-algorithm) for an algorithm that is unknown or not available.
    """
    if algorithm not in ALGORITHMS:
        raise AssayError(
            Finding.of(codes.UNSUPPORTED_ALGORITHM, detail=f"no digest algorithm {algorithm!r}")
        )
    try:
        constructor = _constructor(algorithm)
        if key is None:
            return constructor()
        if algorithm == "blake3":
            from blake3 import blake3

            return blake3(key=key)
        return hmac.new(key, digestmod=constructor)  # type: ignore[arg-type]
    except ValueError as error:
        raise AssayError(
            Finding.of(codes.UNSUPPORTED_ALGORITHM, detail=f"{algorithm}: {error}")
        ) from error


def hash_bytes(algorithm: str, data: bytes | memoryview) -> bytes:
    """The digest of bytes at hand."""
    hasher = new_hasher(algorithm)
    hasher.update(data)
    return hasher.digest()


class HashSink:
    """Answers a `HashRequest` with the digest's raw value, and those that differ from it in the
    suffix alone."""

    def __init__(self, request: HashRequest) -> None:
        key = request.key.reveal() if request.key is not None else None
        self._hasher = new_hasher(request.algorithm, key)
        self._suffix = request.suffix
        if request.prefix:
            self._hasher.update(request.prefix)
        self.update = self._hasher.update

    def finish(self) -> bytes:
        return self.with_suffix(self._suffix)

    def with_suffix(self, suffix: bytes) -> bytes:
        """The digest when this follows all bytes. Take them all before."""
        if not suffix:
            return self._hasher.digest()
        hasher: Hasher = self._hasher.copy()  # type: ignore[attr-defined]
        hasher.update(suffix)
        return hasher.digest()


class TextHashSink:
    """Answers a `HashRequest` over text with line ends normalised to CR LF."""

    def __init__(self, request: HashRequest) -> None:
        self._inner = HashSink(request)
        self._pending_cr = False

    def update(self, data: memoryview) -> None:
        text = bytes(data)
        if self._pending_cr:
            text = b"\r" + text
        self._pending_cr = text.endswith(b"\r")
        if self._pending_cr:
            text = text[:-1]
        self._inner.update(text.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))

    def _settle(self) -> None:
        if self._pending_cr:
            self._inner.update(b"\r")
            self._pending_cr = False

    def finish(self) -> bytes:
        self._settle()
        return self._inner.finish()

    def with_suffix(self, suffix: bytes) -> bytes:
        """See `HashSink.with_suffix`."""
        self._settle()
        return self._inner.with_suffix(suffix)


class ChunkSink:
    """Answers a `ChunkRequest` with all chunk digests, concatenated."""

    def __init__(self, request: ChunkRequest) -> None:
        self.request = request
        self._values: list[bytes] = []
        self._hasher: Hasher | None = None
        self._filled = 0
        self._template = new_hasher(request.algorithm)
        if request.prefix:
            self._template.update(request.prefix)

    def accept(self, values: bytes, size: int) -> None:
        """Take ``size`` bytes, a number of whole chunks, whose digests are known already."""
        assert not self._values
        assert size % self.request.chunk_size == 0
        self._values.append(values)

    def _start(self) -> Hasher:
        copy: Callable[[], Hasher] = self._template.copy  # type: ignore[attr-defined]
        return copy()

    def update(self, data: memoryview) -> None:
        size, at, end = self.request.chunk_size, 0, len(data)
        suffix, values = self.request.suffix, self._values
        while at < end:
            take = min(size - self._filled, end - at)
            if self._hasher is None:
                if len(values) >= limits.CHUNKS:
                    raise AssayError(
                        Finding.of(codes.LIMIT_EXCEEDED, detail=f"over {limits.CHUNKS} chunks")
                    )
                self._hasher = self._start()
            self._hasher.update(data[at : at + take])
            self._filled += take
            at += take
            if self._filled == size:
                self._close(suffix)

    def _close(self, suffix: bytes) -> None:
        assert self._hasher is not None
        if suffix:
            self._hasher.update(suffix)
        self._values.append(self._hasher.digest())
        self._hasher, self._filled = None, 0

    def finish(self) -> bytes:
        if self._hasher is not None:
            if self.request.pad:
                self._hasher.update(bytes(self.request.chunk_size - self._filled))
            self._close(self.request.suffix)
        return b"".join(self._values)


class ContentSink:
    """Answers a `ContentRequest` with the bytes themselves, up to its limit."""

    def __init__(self, request: ContentRequest) -> None:
        self._limit = request.limit
        self._content = bytearray()

    def update(self, data: memoryview) -> None:
        if len(self._content) + len(data) > self._limit:
            raise AssayError(
                Finding.of(
                    codes.LIMIT_EXCEEDED,
                    detail="the signature scheme needs the whole content in memory, and it is"
                    f" larger than {self._limit} bytes",
                    expected=f"at most {self._limit} bytes",
                )
            )
        self._content += data

    def finish(self) -> bytes:
        return bytes(self._content)


def running_request(request: Request) -> Request:
    """The request that stands for all that can be answered by one running digest: signatures
    append something of their own to the bytes, and many may be over the same ones."""
    if isinstance(request, HashRequest) and request.suffix:
        return replace(request, suffix=b"")
    return request


def sink_for(request: Request) -> Sink:
    """The sink that answers a request. Raises AssayError for an unsupported algorithm."""
    if isinstance(request, HashRequest):
        return TextHashSink(request) if request.text else HashSink(request)
    if isinstance(request, ChunkRequest):
        return ChunkSink(request)
    if isinstance(request, FsVerityRequest):
        from assay.measure.fs_verity import FsVeritySink

        return FsVeritySink(request)
    if isinstance(request, ContentRequest):
        return ContentSink(request)
    return request.sink()
