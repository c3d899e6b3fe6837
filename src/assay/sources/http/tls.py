"""TLS as one host is met with: extra authorities, and the certificate that we show."""

from __future__ import annotations

import ssl

from msgspec import Struct

from assay.model.finding import UsageError


class TlsIdentity(Struct, frozen=True):
    """Files (PEM) for the connections to one origin.

    ``authorities`` are trusted beside the system's own; ``certificate`` and ``key`` are shown to
    a server that asks (``key`` may be empty when the certificate file holds both).
    """

    authorities: tuple[str, ...] = ()
    certificate: str = ""
    key: str = ""

    def without_certificate(self) -> TlsIdentity:
        """What another origin is met with: our certificate is not for it."""
        return TlsIdentity(self.authorities)


def context_for(identity: TlsIdentity) -> ssl.SSLContext:
    """TLS 1.2 or later with full verification. Raises UsageError for files that cannot be used."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    for path in identity.authorities:
        try:
            context.load_verify_locations(cafile=path)
        except (OSError, ssl.SSLError) as error:
            raise UsageError(f"the CA file {path} cannot be used: {_reason(error)}") from error
    if identity.certificate:
        try:
            context.load_cert_chain(
                identity.certificate, identity.key or None, password=_refuse_to_ask
            )
        except (OSError, ssl.SSLError) as error:
            raise UsageError(
                f"the client certificate {identity.certificate} cannot be used"
                f" with the key {identity.key or identity.certificate}: {_reason(error)}"
            ) from error
    return context


def _refuse_to_ask() -> str:
    # OpenSSL would ask on the terminal and wait there, also in a job that nobody looks at
    raise UsageError("the key of the client certificate is encrypted; give one that is not")


def _reason(error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        return (error.reason or "not a PEM certificate or key").replace("_", " ").lower()
    return error.strerror or str(error)
