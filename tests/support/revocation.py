"""An OCSP responder and a server of revocation lists, on loopback; each can misbehave."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID

from tests.support.certificates import Holder, crl, digest_for, make, usage

OCSP_SIGNING = "1.3.6.1.5.5.7.3.9"
Good, Revoked, Unknown = (
    ocsp.OCSPCertStatus.GOOD,
    ocsp.OCSPCertStatus.REVOKED,
    ocsp.OCSPCertStatus.UNKNOWN,
)
DAY = timedelta(days=1)


def pointing(
    *, responder: str = "", lists: Sequence[str] = ()
) -> list[tuple[x509.ExtensionType, bool]]:
    """The extensions that say where to ask about a certificate."""
    found: list[tuple[x509.ExtensionType, bool]] = []
    if responder:
        place = x509.UniformResourceIdentifier(responder)
        access = x509.AccessDescription(AuthorityInformationAccessOID.OCSP, place)
        found.append((x509.AuthorityInformationAccess([access]), False))
    if lists:
        points = [
            x509.DistributionPoint([x509.UniformResourceIdentifier(each)], None, None, None)
            for each in lists
        ]
        found.append((x509.CRLDistributionPoints(points), False))
    return found


def responder_of(issuer: Holder, name: str = "Responder", **more: Any) -> Holder:
    """Someone whom the issuer lets answer for it, and about whom nobody needs to be asked."""
    options: dict[str, Any] = {
        "eku": [OCSP_SIGNING],
        "key_usage": usage("digital_signature"),
        "extensions": [(x509.OCSPNoCheck(), False)],
    }
    return make(name, issuer, **options | more)


def answer(
    about: Holder,
    issuer: Holder,
    signer: Holder | None = None,
    status: ocsp.OCSPCertStatus = Good,
    *,
    at: datetime,
    until: datetime | None = None,
    for_ever: bool = False,
    revoked_at: datetime | None = None,
    reason: x509.ReasonFlags | None = None,
    by_key: bool = False,
    digest: Any = None,
    nonce: bytes | None = None,
    critical: bool = False,
    certificates: Sequence[Holder] | None = None,
    shown_issuer: Holder | None = None,
) -> bytes:
    """An OCSP response, in DER. ``shown_issuer`` is whose name and key stand for the issuer."""
    signer = signer or issuer
    builder = (
        ocsp.OCSPResponseBuilder()
        .add_response(
            cert=about.made,
            issuer=(shown_issuer or issuer).made,
            algorithm=digest or hashes.SHA1(),
            cert_status=status,
            this_update=at,
            next_update=None if for_ever else until or at + DAY,
            revocation_time=(revoked_at or at) if status is Revoked else None,
            revocation_reason=reason if status is Revoked else None,
        )
        .responder_id(
            ocsp.OCSPResponderEncoding.HASH if by_key else ocsp.OCSPResponderEncoding.NAME,
            signer.made,
        )
    )
    shown = certificates if certificates is not None else ([] if signer is issuer else [signer])
    if shown:
        builder = builder.certificates([each.made for each in shown])
    if nonce is not None:
        builder = builder.add_extension(x509.OCSPNonce(nonce), critical=False)
    if critical:
        oid = x509.ObjectIdentifier("1.2.3.4")
        builder = builder.add_extension(x509.UnrecognizedExtension(oid, b"\x05\x00"), critical=True)
    response = builder.sign(signer.key, digest_for(signer.key))
    return response.public_bytes(serialization.Encoding.DER)


Body = bytes | Callable[[bytes], bytes | tuple[int, dict[str, str], bytes] | None]


class Service:
    """What is served, by path; and every request that came. A callable gets the request's body;
    None for an answer closes the connection."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.bodies: dict[str, Body] = {}
        self.requests: list[str] = []
        self.otherwise: Body | None = None
        """What is at every other path."""

    def responder(
        self, path: str, answering: Callable[[ocsp.OCSPRequest, bytes | None], bytes]
    ) -> str:
        """Serve OCSP: ``answering`` gets the request and its nonce."""

        def body(data: bytes) -> bytes:
            request = ocsp.load_der_ocsp_request(data)
            try:
                nonce = request.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce
            except x509.ExtensionNotFound:
                nonce = None
            return answering(request, nonce)

        self.bodies[path] = body
        return self.url + path

    def list(self, path: str, issuer: Holder, *revoked: Any, at: datetime, **more: Any) -> str:
        """Serve a revocation list that counts for a day from ``at``."""
        self.bodies[path] = crl(issuer, *revoked, **{"start": at, "end": at + DAY} | more)
        return self.url + path


@contextmanager
def serving() -> Iterator[Service]:
    """A server on a free port of loopback."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            service.requests.append(f"{self.command} {self.path}")
            found = service.bodies.get(self.path, service.otherwise)
            given = found(sent) if callable(found) else found
            if callable(found) and given is None:
                self.close_connection = True
                return
            status, headers, body = (
                given
                if isinstance(given, tuple)
                else (200 if given is not None else 404, {}, given)
            )
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        do_GET = do_POST = _answer  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """That a client hangs up is nothing to report."""

    server = Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    service = Service(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)
