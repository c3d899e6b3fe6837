"""One answer of a server, read with bounds on its size and on the time it may take."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Any, Protocol

from msgspec import Struct

from assay import limits
from assay.model.codes import network as codes
from assay.model.finding import AssayError, Finding
from assay.sources.http.faults import InterruptedTransferError, connection_fault, malformed
from assay.sources.http.headers import Challenge, parse_challenges
from assay.sources.http.url import Url

_CONTENT_RANGE = re.compile(r"bytes (?:([0-9]{1,19})-([0-9]{1,19})|\*)/([0-9]{1,19}|\*)\Z")


class ContentRange(Struct, frozen=True):
    """Which bytes an answer holds (RFC 9110 section 14.4): from ``start`` to before ``end``, of
    ``total``. ``start`` is None when no byte of the range exists, ``total`` when it is unknown."""

    start: int | None
    end: int
    total: int | None


class RawAnswer(Protocol):
    """An answer as `connections.Answer` and urllib3 have it."""

    status: int

    @property
    def headers(self) -> Any: ...

    def read1(self, count: int, /, *, decode_content: bool) -> bytes: ...

    def release_conn(self) -> None: ...

    def close(self) -> None: ...


class Response:
    """An answer whose body has not been read yet. ``url`` is where it came from in the end."""

    def __init__(self, url: Url, raw: RawAnswer, patience: float) -> None:
        self.url = url
        self.status = raw.status
        self._raw = raw
        self._patience = patience
        self._waited = 0.0
        self._arrived = 0

    @property
    def headers(self) -> Mapping[str, str]:
        found: Mapping[str, str] = self._raw.headers
        return found

    def header_values(self, name: str) -> list[str]:
        """The fields of one name, each by itself. Raises AssayError when one is too long."""
        values: list[str] = self._raw.headers.getlist(name)
        if any(len(value) > limits.HTTP_HEADER_LENGTH for value in values):
            raise malformed(self.url, f"the header {name} is too long")
        return values

    def challenges(self) -> list[Challenge]:
        """The ways to authenticate that are offered. Raises AssayError."""
        found: list[Challenge] = []
        for value in self.header_values("WWW-Authenticate"):
            try:
                found += parse_challenges(value)
            except ValueError as error:
                raise malformed(self.url, f"WWW-Authenticate: {error}") from error
        return found

    @property
    def content_type(self) -> str:
        """The media type without its parameters, in lower case."""
        return self.headers.get("Content-Type", "").partition(";")[0].strip().lower()

    @property
    def content_length(self) -> int | None:
        """The announced length of the body. Raises AssayError when it is no number."""
        text = self.headers.get("Content-Length")
        if text is None:
            return None
        if not re.fullmatch(r"[0-9]{1,19}", text):
            raise malformed(self.url, "Content-Length is not a number", actual=text)
        return int(text)

    @property
    def content_range(self) -> ContentRange:
        """Raises AssayError when the header is missing or makes no sense."""
        text = self.headers.get("Content-Range", "")
        match = _CONTENT_RANGE.match(text)
        if match is None:
            raise malformed(self.url, "no usable Content-Range", actual=text)
        total = None if match[3] == "*" else int(match[3])
        if match[1] is None:
            return ContentRange(None, 0, total)
        start, end = int(match[1]), int(match[2]) + 1
        if end <= start or (total is not None and end > total):
            raise malformed(self.url, "Content-Range contradicts itself", actual=text)
        return ContentRange(start, end, total)

    @property
    def strong_validator(self) -> str:
        """The strong ETag, for ``If-Range``; empty when there is none (RFC 9110 section 13.1.5)."""
        tag: str = self.headers.get("ETag", "").strip()
        return tag if re.fullmatch(r'"[\x21\x23-\x7e]{0,1000}"', tag) else ""

    def fill(self, buffer: memoryview) -> int:
        """Read until ``buffer`` is full or the body ends; the number of bytes read.

        Raises InterruptedTransferError, with nothing lost that was returned before.
        """
        filled = 0
        while filled < len(buffer):
            try:
                piece = self._read(len(buffer) - filled)
            except InterruptedTransferError:
                if filled:
                    return filled  # the next call meets the same end
                raise
            if not piece:
                break
            buffer[filled : filled + len(piece)] = piece
            filled += len(piece)
        return filled

    def _read(self, count: int) -> bytes:
        before = time.monotonic()
        try:
            piece: bytes = self._raw.read1(count, decode_content=False)
        except Exception as error:
            # urllib3, http.client and ssl have no common ancestor but this one
            finding, _ = connection_fault(error, self.url, None)
            raise InterruptedTransferError(finding) from error
        self._watch(len(piece), time.monotonic() - before)
        return piece

    def _watch(self, count: int, seconds: float) -> None:
        """Give up on a body that trickles: the socket's time-out only sees silence. Time that
        the reader spends elsewhere does not count."""
        self._arrived += count
        self._waited += seconds
        if self._waited < self._patience:
            return
        if count and self._arrived < limits.HTTP_SLOWEST_RATE * self._waited:
            self.close()
            raise InterruptedTransferError(
                Finding.of(
                    codes.TIMEOUT,
                    detail=f"{self.url.shown}: {self._arrived} bytes in {self._waited:.1f} seconds",
                    expected=f"at least {limits.HTTP_SLOWEST_RATE} bytes a second",
                    cause="stalled",
                )
            )
        self._waited, self._arrived = 0.0, 0

    def read(self, limit: int, seconds: float | None = None) -> bytes:
        """The whole body. Raises AssayError when it is larger than ``limit`` bytes, and
        InterruptedTransferError when it breaks off or takes more than ``seconds``."""
        end = None if seconds is None else time.monotonic() + seconds
        announced = self.content_length
        if announced is not None and announced > limit:
            raise self._too_large(limit, announced)
        pieces: list[bytes] = []
        total = 0
        while piece := self._read(min(limit + 1 - total, limits.READ_CHUNK)):
            pieces.append(piece)
            total += len(piece)
            if total > limit:
                raise self._too_large(limit, "more")
            if end is not None and time.monotonic() > end:
                self.close()
                detail = f"{self.url.shown}: not complete after {seconds} seconds"
                raise InterruptedTransferError(Finding.of(codes.TIMEOUT, detail=detail))
        self._raw.release_conn()
        return b"".join(pieces)

    def _too_large(self, limit: int, actual: Any) -> AssayError:
        self.close()
        return AssayError(
            Finding.of(
                codes.BODY_TOO_LARGE,
                detail=f"{self.url.shown}: the answer is too large",
                expected=f"at most {limit} bytes",
                actual=f"{actual} bytes" if actual != "more" else "more",
            )
        )

    def discard(self) -> None:
        """Done with it: keep the connection if the rest is small, drop it otherwise."""
        try:
            self.read(limits.ERROR_BODY_SIZE)
        except (AssayError, InterruptedTransferError):
            self.close()

    def close(self) -> None:
        """Drop the connection; the rest of the body is not read."""
        self._raw.close()
        self._raw.release_conn()
