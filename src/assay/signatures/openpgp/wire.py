"""Reads OpenPGP's elements (RFC 9580 section 3), bounded, and says where something is wrong."""

from __future__ import annotations

from msgspec import Struct

from assay.model.codes import trust as codes
from assay.model.finding import AssayError, Code, Finding

MPI_BYTES = 2048
"""The longest number that is read: an RSA modulus or DSA prime of 16384 bits."""


class Source(Struct, frozen=True):
    """What is being read: its name for people, and the code of what is wrong with it."""

    name: str
    code: Code = codes.SIGNATURE_MALFORMED

    def malformed(
        self,
        detail: str,
        offset: int | None = None,
        *,
        expected: object = "",
        actual: object = "",
        cause: str = "a truncated or damaged download",
    ) -> AssayError:
        return AssayError(
            Finding.of(
                self.code,
                self.name,
                detail,
                expected=expected,
                actual=actual,
                offset=offset,
                cause=cause,
            )
        )

    def unsupported(self, detail: str, expected: str = "", actual: object = "") -> AssayError:
        return AssayError(
            Finding.of(
                codes.SIGNATURE_UNSUPPORTED, self.name, detail, expected=expected, actual=actual
            )
        )


class Reader:
    """A cursor over bytes. ``base`` is where they begin in what people look at; every method
    raises AssayError when there are not enough bytes left."""

    __slots__ = ("at", "base", "data", "source")

    def __init__(self, data: bytes, source: Source, base: int = 0) -> None:
        self.data, self.source, self.base, self.at = data, source, base, 0

    @property
    def left(self) -> int:
        return len(self.data) - self.at

    @property
    def offset(self) -> int:
        return self.base + self.at

    def fail(self, detail: str, **more: object) -> AssayError:
        return self.source.malformed(
            detail,
            self.offset,
            expected=more.get("expected", ""),
            actual=more.get("actual", ""),
        )

    def take(self, count: int, what: str) -> bytes:
        if count > self.left:
            raise self.fail(
                f"{what} ends early", expected=f"{count} bytes", actual=f"{self.left} bytes"
            )
        piece = self.data[self.at : self.at + count]
        self.at += count
        return piece

    def number(self, size: int, what: str) -> int:
        """An unsigned number of ``size`` bytes."""
        return int.from_bytes(self.take(size, what))

    def rest(self) -> bytes:
        return self.take(self.left, "")

    def finish(self, what: str) -> None:
        if self.left:
            raise self.fail(f"{self.left} bytes follow the end of {what}")

    def mpi(self, what: str) -> bytes:
        """A multiprecision integer (section 3.2), as its bytes without leading zeros. The length
        has to be exact, so that there is one form only."""
        start = self.at
        bits = self.number(2, what)
        if bits > 8 * MPI_BYTES:
            raise self.fail(f"{what} has {bits} bits", expected=f"at most {8 * MPI_BYTES} bits")
        value = self.take((bits + 7) // 8, what)
        if int.from_bytes(value).bit_length() != bits:
            self.at = start
            raise self.fail(f"the length of {what} is not exact")
        return value
