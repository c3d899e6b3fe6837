"""From what went wrong on a connection, or in an answer, to a finding."""

from __future__ import annotations

import http.client
import re
import socket
import ssl
import sys

from assay.model.codes import content as content_codes
from assay.model.codes import network as codes
from assay.model.finding import AssayError, Finding
from assay.sources.http.proxies import Proxy
from assay.sources.http.url import Url

NOT_TLS = "not-tls"
"""The cause in a finding when the other side does not speak TLS at all."""

_NOT_TLS_REASONS = {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"}
_CERTIFICATE_WORDS = re.compile(r"certificate verify failed: (.*?)(?: \(_ssl\.c:\d+\))?\Z", re.S)


class InterruptedTransferError(Exception):
    """The connection broke, or stood still, before an answer was complete: one may go on from
    there. ``finding`` says why, should that not help."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.detail)
        self.finding = finding


class RefusedError(AssayError):
    """The server answered with a status that is not a success."""

    def __init__(self, finding: Finding, status: int) -> None:
        super().__init__(finding)
        self.status = status


def connection_fault(error: Exception, url: Url, proxy: Proxy | None) -> tuple[Finding, bool]:
    """The finding for a failed request, and whether another attempt may help."""
    where = url.shown
    if proxy is not None:
        where += f" by way of the proxy {proxy.url.shown.rstrip('/')}"
    root = _innermost(error)
    if isinstance(root, ssl.SSLError) and not isinstance(root, ssl.SSLZeroReturnError):
        return _tls_fault(root, where)
    if _is_of_urllib3(error, "SSLError"):
        return Finding.of(codes.TLS_FAILED, detail=f"{where}: {_plain(str(root))}"), False
    # urllib3 counts a refused connection among the time-outs, for the sake of its history
    silent = _is_of_urllib3(error, "TimeoutError")
    if (silent and not _is_of_urllib3(error, "NewConnectionError")) or isinstance(
        root, TimeoutError
    ):
        return Finding.of(codes.TIMEOUT, detail=f"{where}: no answer in time"), True
    if isinstance(root, socket.gaierror):
        again = root.errno == socket.EAI_AGAIN
        host = url.host if proxy is None else proxy.url.host
        return (
            Finding.of(codes.UNREACHABLE, detail=f"{where}: the name {host} cannot be resolved"),
            again,
        )
    if _is_of_urllib3(error, "InvalidHeader") or (
        isinstance(root, http.client.HTTPException)
        and not isinstance(root, http.client.RemoteDisconnected | http.client.IncompleteRead)
    ):
        said = _plain(str(root)) or type(root).__name__
        detail = f"{where}: what answers does not follow HTTP"
        return Finding.of(codes.RESPONSE_MALFORMED, detail=detail, actual=said), False
    reason = getattr(root, "strerror", None) or _plain(str(root)) or type(root).__name__
    return Finding.of(codes.UNREACHABLE, detail=f"{where}: {reason}"), True


def _is_of_urllib3(error: Exception, name: str) -> bool:
    """Whether it is an exception of urllib3's, which is only imported for proxies."""
    exceptions = sys.modules.get("urllib3.exceptions")
    return exceptions is not None and isinstance(error, getattr(exceptions, name))


def _tls_fault(error: ssl.SSLError, where: str) -> tuple[Finding, bool]:
    if isinstance(error, ssl.SSLCertVerificationError):
        reason = error.verify_message or _plain(str(error))
        return (
            Finding.of(
                codes.TLS_FAILED,
                detail=f"{where}: the server's certificate is not accepted: {_plain(reason)}",
                cause="certificate",
            ),
            False,
        )
    if isinstance(error, ssl.SSLEOFError):
        detail = f"{where}: the server closed the connection during the TLS handshake"
        return Finding.of(codes.TLS_FAILED, detail=detail), False
    name = error.reason or ""
    if name in _NOT_TLS_REASONS:
        detail = f"{where}: what answers does not speak TLS"
        return Finding.of(codes.TLS_FAILED, detail=detail, cause=NOT_TLS), False
    reason = name.replace("_", " ").lower() or _plain(str(error))
    return Finding.of(codes.TLS_FAILED, detail=f"{where}: {reason}"), False


def _innermost(error: BaseException) -> BaseException:
    """The exception at the bottom, through urllib3's wrappers and explicit causes."""
    for _ in range(8):
        inner = getattr(error, "original_error", None) or getattr(error, "reason", None)
        if not isinstance(inner, BaseException):
            inner = error.__cause__ or next(
                (arg for arg in error.args if isinstance(arg, BaseException)), None
            )
        if inner is None:
            return error
        error = inner
    return error


def _plain(text: str) -> str:
    """Text from libraries and servers without anything that a terminal could obey."""
    match = _CERTIFICATE_WORDS.search(text)
    return "".join(c for c in (match[1] if match else text) if c.isprintable())[:200]


def malformed(url: Url, detail: str, *, expected: object = "", actual: object = "") -> AssayError:
    """An answer that does not follow the protocol."""
    shown = "".join(c for c in str(actual) if c.isprintable())[:200]
    return AssayError(
        Finding.of(
            codes.RESPONSE_MALFORMED,
            detail=f"{url.shown}: {detail}",
            expected=expected,
            actual=shown,
        )
    )


def refused(status: int, url: Url, note: str = "") -> RefusedError:
    """The finding for a status that is not a success."""
    after = f" ({note})" if note else ""
    detail = f"{url.shown}: the server answers {status}{after}"
    if status in (401, 403, 407):
        code = codes.DENIED
    elif status in (404, 410):
        code = content_codes.NOT_FOUND
    elif status == 429:
        code = codes.RATE_LIMITED
    elif status >= 500:
        code = codes.SERVER_ERROR
    else:
        finding = Finding.of(codes.RESPONSE_MALFORMED, detail=detail, actual=status)
        return RefusedError(finding, status)
    return RefusedError(Finding.of(code, detail=detail), status)
