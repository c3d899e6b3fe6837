"""OpenPGP (RFC 9580, and RFC 4880 before it): signatures, and the certificates that make them
count. Our own strict reader; ADR 0005 says why, and what is refused that others accept."""

SCHEME = "openpgp"
"""The `Key.scheme` of certificates; `Key.material` is then a `certificate.Certificate`."""
