"""A remote file as a `Blob`: parts by range, the whole as a stream that survives interruptions.

Range requests, ``If-Range`` and ``Content-Range`` as in RFC 9110 sections 13.1.5 and 14. A server
that ignores ranges is served honestly: the stream starts again and skips what is known.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping

from assay import limits
from assay.model.codes import content as content_codes
from assay.model.codes import network as codes
from assay.model.finding import AssayError, Finding
from assay.sources.http import retry
from assay.sources.http.faults import InterruptedTransferError, malformed, refused
from assay.sources.http.response import Response

Fetch = Callable[[Mapping[str, str]], Response]
"""Sends a GET with these headers to wherever the file is; raises AssayError when it cannot."""

_BLOCK = limits.REMOTE_HEAD
_BLOCKS_KEPT = 32


class RemoteBlob:
    """A file on a server. ``size`` is what the server announces; ``seekable`` says whether it
    sends parts; ``named_by_digest`` that its name can never mean other bytes. Make one with
    `open_remote`."""

    named_by_digest = False

    def __init__(
        self,
        fetch: Fetch,
        shown: str,
        *,
        head: bytes,
        size: int | None,
        seekable: bool,
        validator: str,
        most: int | None,
    ) -> None:
        self.size = size
        self.seekable = seekable
        self._fetch = fetch
        self._shown = shown
        self._head = head
        self._validator = validator
        self._most = most
        self._blocks: OrderedDict[int, bytes] = OrderedDict()
        self._lock = threading.Lock()

    def forget(self, keep: int) -> None:
        """Drop what is held of the beginning but for ``keep`` bytes."""
        self._head = self._head[:keep]

    @property
    def held(self) -> int:
        """How many bytes of the beginning are held."""
        return len(self._head)

    # parts

    def read_at(self, offset: int, length: int) -> bytes:
        """Up to ``length`` bytes from ``offset``, by as few range requests as possible.

        Raises AssayError (ranges-unsupported) beyond the beginning where the server sends no
        parts."""
        if self.size is not None:
            length = min(length, self.size - offset)
        if length <= 0:
            return b""
        if offset + length <= len(self._head):
            return self._head[offset : offset + length]
        if not self.seekable or self.size is None:
            raise AssayError(
                Finding.of(
                    codes.RANGES_UNSUPPORTED,
                    detail=f"{self._shown}: {length} bytes are needed from offset {offset}",
                    offset=offset,
                )
            )
        if length > _BLOCK * _BLOCKS_KEPT // 2:
            return self._range(offset, offset + length)
        return self._cached(offset, length)

    def _cached(self, offset: int, length: int) -> bytes:
        assert self.size is not None
        first, last = offset // _BLOCK, (offset + length - 1) // _BLOCK
        with self._lock:
            numbers = range(first, last + 1)
            missing = [number for number in numbers if number not in self._blocks]
            if missing:
                start = missing[0] * _BLOCK
                data = self._range(start, min((missing[-1] + 1) * _BLOCK, self.size))
                for at in range(0, len(data), _BLOCK):
                    self._blocks[(start + at) // _BLOCK] = data[at : at + _BLOCK]
            whole = b"".join(self._blocks[number] for number in numbers)
            for number in numbers:
                self._blocks.move_to_end(number)
            while len(self._blocks) > _BLOCKS_KEPT:
                self._blocks.popitem(last=False)
        return whole[offset - first * _BLOCK :][:length]

    def _range(self, start: int, end: int) -> bytes:
        """Exactly these bytes, whatever number of attempts it takes."""
        buffer = bytearray(end - start)
        view = memoryview(buffer)
        at = 0
        for piece in self._pieces(start, end, min(end - start, limits.READ_CHUNK)):
            view[at : at + len(piece)] = piece
            at += len(piece)
        return bytes(buffer)

    # the whole

    def stream(self, chunk_size: int) -> Iterator[memoryview]:
        """All bytes from the start. An interrupted transfer is continued where it broke off.

        Raises AssayError: transfer-incomplete when that does not help, content-changed when the
        file is another one by then, size-mismatch when there are more bytes than there may be.
        """
        start = 0
        if self.seekable or self._head_is_all():
            head = memoryview(self._head)
            for at in range(0, len(head), chunk_size):
                yield head[at : at + chunk_size]
            start = len(head)
        if self.size is None or start < self.size:
            yield from self._pieces(start, self.size, chunk_size)

    def _head_is_all(self) -> bool:
        return self.size is not None and len(self._head) >= self.size

    def _pieces(self, start: int, end: int | None, chunk_size: int) -> Iterator[memoryview]:
        """The bytes from ``start`` to ``end`` (None: to the end of the file)."""
        view = memoryview(bytearray(chunk_size))
        at, attempts, resumes, mark = start, 0, 0, start
        while True:
            response: Response | None = None
            try:
                response = self._continue(at, end)
                while end is None or at < end:
                    count = response.fill(view if end is None else view[: end - at])
                    if count == 0 and end is not None:
                        # a body that ended in good order, and yet too early
                        raise InterruptedTransferError(self._early(at, end))
                    at += count
                    self._check_size(at)
                    if count == 0:
                        return
                    yield view[:count]
                    if at - mark >= limits.HTTP_PROGRESS:
                        attempts, mark = 0, at
                return
            except InterruptedTransferError as error:
                attempts += 1
                resumes += 1
                if attempts >= limits.HTTP_ATTEMPTS or resumes >= limits.HTTP_RESUMES:
                    raise AssayError(_incomplete(self._shown, error.finding, at, end)) from error
                retry.wait(retry.backoff(attempts - 1))
            finally:
                if response is not None:
                    response.close()

    def _continue(self, at: int, end: int | None) -> Response:
        """An answer whose body goes on at ``at``."""
        headers: dict[str, str] = {}
        if self.seekable and (at or end != self.size):
            headers["Range"] = f"bytes={at}-" if end == self.size else f"bytes={at}-{end - 1}"  # type: ignore[operator]
            if self._validator:
                headers["If-Range"] = self._validator
        response = self._fetch(headers)
        try:
            if response.status == 206 and headers:
                found = response.content_range
                if found.start != at:
                    raise malformed(
                        response.url,
                        "another range than asked for",
                        expected=at,
                        actual=found.start,
                    )
                self._check_same(response, found.total)
            elif response.status == 200:
                self._check_same(response, response.content_length)
                self._skip(response, at)
            elif response.status == 416:
                raise self._changed("the range is beyond the end of the file by now", at)
            else:
                raise refused(response.status, response.url)
        except BaseException:
            response.close()
            raise
        return response

    def _skip(self, response: Response, count: int) -> None:
        view = memoryview(bytearray(min(count, limits.READ_CHUNK)))
        while count:
            got = response.fill(view[: min(count, len(view))])
            if got == 0:
                raise self._changed("the file is shorter than what was read of it before", count)
            count -= got

    def _check_same(self, response: Response, total: int | None) -> None:
        validator = response.strong_validator
        if self._validator and validator and validator != self._validator:
            raise self._changed(f"ETag {self._validator} became {validator}", None)
        if self.size is not None and total is not None and total != self.size:
            raise self._changed(f"{self.size} bytes became {total} bytes", None)

    def _changed(self, detail: str, offset: int | None) -> AssayError:
        return AssayError(
            Finding.of(codes.CONTENT_CHANGED, detail=f"{self._shown}: {detail}", offset=offset)
        )

    def _check_size(self, at: int) -> None:
        most = limits.REMOTE_SIZE if self._most is None else self._most
        if at <= most:
            return
        if self._most is None:
            raise AssayError(
                Finding.of(
                    codes.BODY_TOO_LARGE,
                    detail=f"{self._shown}: the answer does not end",
                    expected=f"at most {most} bytes",
                    actual="more",
                )
            )
        raise AssayError(
            Finding.of(
                content_codes.SIZE_MISMATCH,
                detail=f"{self._shown}: more bytes arrive than are claimed; reading was stopped",
                expected=f"{most} bytes",
                actual="more",
                offset=most,
            )
        )

    def _early(self, at: int, end: int) -> Finding:
        return Finding.of(
            codes.TRANSFER_INCOMPLETE,
            detail=f"{self._shown}: the answer ends at offset {at} of {end}",
        )


def _incomplete(shown: str, why: Finding, at: int, end: int | None) -> Finding:
    if why.code == codes.TIMEOUT.name:
        return why
    return Finding.of(
        codes.TRANSFER_INCOMPLETE,
        detail=f"{shown}: the connection broke at offset {at} in each of several attempts"
        f" ({why.detail})",
        expected=f"{end} bytes" if end is not None else "",
        actual=f"{at} bytes",
        offset=at,
        cause="truncation",
    )


def open_remote(
    fetch: Fetch,
    shown: str,
    *,
    most: int | None = None,
) -> RemoteBlob | None:
    """Ask for the beginning of a file: one request that tells whether it is there (None when
    not), its size, whether parts of it can be had, and that holds all of it when it is small.

    ``most`` is a size that some document claims; the stream stops beyond it. Raises AssayError.
    """
    attempt = 0
    while True:
        response = fetch({"Range": f"bytes=0-{limits.REMOTE_HEAD - 1}"})
        if response.status == 416 and response.headers.get("Content-Range") != "bytes */0":
            # not even a first byte, of a file that is not said to be empty: ask without a range
            response.discard()
            response = fetch({})
        try:
            if response.status == 404:
                response.discard()
                return None
            head, size, seekable = _beginning(response)
            break
        except InterruptedTransferError as error:
            attempt += 1
            if attempt >= limits.HTTP_ATTEMPTS:
                raise AssayError(_incomplete(shown, error.finding, 0, None)) from error
            retry.wait(retry.backoff(attempt - 1))
        finally:
            response.close()
    return RemoteBlob(
        fetch,
        shown,
        head=head,
        size=size,
        seekable=seekable,
        validator=response.strong_validator,
        most=most,
    )


def _beginning(response: Response) -> tuple[bytes, int | None, bool]:
    """The first bytes, the size, and whether parts can be had. May be interrupted."""
    if response.status == 206:
        found = response.content_range
        if found.start != 0 or found.end > limits.REMOTE_HEAD:
            raise malformed(
                response.url,
                "another range than asked for",
                expected="from 0",
                actual=f"{found.start} to {found.end}",
            )
        head = response.read(limits.REMOTE_HEAD)
        if len(head) != found.end:
            raise malformed(
                response.url,
                "another number of bytes than Content-Range says",
                expected=found.end,
                actual=len(head),
            )
        return head, found.total, found.total is not None
    if response.status == 416:
        return b"", 0, True
    if response.status != 200:
        response.discard()
        raise refused(response.status, response.url)
    size = response.content_length
    if size is not None and size <= limits.REMOTE_HEAD:
        return response.read(limits.REMOTE_HEAD), size, True
    view = memoryview(bytearray(limits.REMOTE_HEAD))
    count = response.fill(view)
    if count < len(view) and size is None:
        # an unannounced end: the whole file is here
        return bytes(view[:count]), count, True
    return bytes(view[:count]), size, False
