"""Asking for a time stamp (RFC 3161 section 2.4.1), and whether the answer is to what was asked."""

from __future__ import annotations

import hmac

from msgspec import Struct

from assay.asn1.der import BOOLEAN, INTEGER, NULL, OCTET_STRING, SEQUENCE, encode
from assay.cms.timestamp import TimeAuthority, check_timestamp, read_token, token_in
from assay.measure.hashing import hash_bytes
from assay.model.codes.cms import TIMESTAMP_INVALID
from assay.model.finding import AssayError, Finding

_DIGESTS = {
    name: bytes.fromhex("0609608648016503040201")[:-1] + bytes((arc,))
    for name, arc in (("sha256", 1), ("sha384", 2), ("sha512", 3))
}
"""Encoded object identifiers (RFC 8017 appendix B.1)."""


class Question(Struct, frozen=True):
    """What is asked of an authority: that ``message`` exists now. ``nonce`` is a random number
    below 2**63 that makes an old answer useless."""

    message: bytes
    algorithm: str
    nonce: int

    @property
    def encoded(self) -> bytes:
        """A TimeStampReq; the authority's certificate is asked for as well."""
        imprint = hash_bytes(self.algorithm, self.message)
        identifier = encode(SEQUENCE, _DIGESTS[self.algorithm] + encode(NULL, b""))
        nonce = self.nonce.to_bytes(self.nonce.bit_length() // 8 + 1)
        return encode(
            SEQUENCE,
            encode(INTEGER, b"\x01")
            + encode(SEQUENCE, identifier + encode(OCTET_STRING, imprint))
            + encode(INTEGER, nonce)
            + encode(BOOLEAN, b"\xff"),
        )

    def answered_by(self, response: bytes, authorities: tuple[TimeAuthority, ...] = ()) -> bytes:
        """The token in a response to this question, ready to be put beside the signature.

        It is judged by ``authorities``, or, where none are given, by its own certificates: then
        it is whole and answers the question, and who made it is for others to judge. Raises
        AssayError (timestamp-invalid or signature-malformed).
        """
        token = token_in(response)
        stamp = read_token(token)
        if stamp.nonce is None or not hmac.compare_digest(
            str(stamp.nonce).encode(), str(self.nonce).encode()
        ):
            raise AssayError(
                Finding.of(
                    TIMESTAMP_INVALID,
                    detail="the time stamp answers another question (its nonce is not ours)",
                )
            )
        own = (TimeAuthority(tuple(stamp.signed.certificates)),)
        check_timestamp(stamp, self.message, authorities or own)
        return token
