"""A private key that signs: whichever file it came from, one way to use it."""

from __future__ import annotations

import hashlib
from typing import Any

from assay.crypto.algorithms import Ecdsa, EdDsa, MlDsa, RsaPkcs1, RsaPss, SignatureAlgorithm
from assay.crypto.check import Check
from assay.crypto.public_key import Family, PublicKey
from assay.crypto.spki import from_native
from assay.measure.hashing import sink_for
from assay.model.codes import produce as codes
from assay.model.finding import AssayError, Finding

_DIGEST_OF_CURVE = {"ECDSA P-256": "sha256", "ECDSA P-384": "sha384", "ECDSA P-521": "sha512"}


class SigningKey:
    """A private key. ``public`` is the half that others check with; ``number`` are the 8 bytes by
    which minisign knows the pair, and ``of_minisign`` says whether that is what the pair is for.
    Nothing of the private half is shown."""

    def __init__(self, native: Any, *, number: bytes = b"") -> None:
        """``native`` is a private key of ``cryptography``; a number that is not given is made from
        the public half. Raises AssayError: weak-signature for a key that can be broken,
        private-key-unsupported for one that does not sign."""
        self.native = native
        self.of_minisign = bool(number)
        try:
            self.public: PublicKey = from_native(native.public_key(), "the key")
        except AssayError as error:
            if error.finding.code != "signature-unsupported":
                raise
            raise AssayError(
                Finding.of(codes.PRIVATE_KEY_UNSUPPORTED, detail=error.finding.detail)
            ) from error
        self.number = number or hashlib.sha256(self.public.spki).digest()[:8]

    def __repr__(self) -> str:
        return f"<private key of {self.public!r}>"

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("a private key is never serialised by accident")

    @property
    def usual_algorithm(self) -> SignatureAlgorithm:
        """What the field expects of a key of this kind: the digest that fits an ECDSA curve, PKCS#1
        with SHA-256 for RSA (as cosign and OpenSSL do by default)."""
        match self.public.family:
            case Family.ECDSA:
                return Ecdsa(_DIGEST_OF_CURVE.get(self.public.name, "sha256"))
            case Family.RSA:
                return RsaPss("sha256") if self.public.pss_only else RsaPkcs1("sha256")
            case Family.ED25519 | Family.ED448:
                return EdDsa()
            case Family.ML_DSA:
                return MlDsa()

    def sign(self, check: Check, answer: Any) -> bytes:
        """A signature that ``check`` (of the public half) confirms, where ``answer`` is what was
        measured for its request. Raises AssayError (signing-failed)."""
        signature = self._made(check, answer)
        if not check.confirms(signature, answer):
            # a fault while an RSA or EdDSA signature is computed can give the key away
            raise AssayError(Finding.of(codes.SIGNING_FAILED))
        return signature

    def sign_bytes(
        self, message: bytes, algorithm: SignatureAlgorithm | None = None, prefix: bytes = b""
    ) -> bytes:
        """A signature over ``prefix`` and a message at hand, by the usual algorithm unless another
        one is given. Raises AssayError (signing-failed)."""
        check = Check(self.public, algorithm or self.usual_algorithm, prefix)
        sink = sink_for(check.request)
        sink.update(memoryview(message))
        return self.sign(check, sink.finish())

    def _made(self, check: Check, answer: Any) -> bytes:
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec, padding
        from cryptography.hazmat.primitives.asymmetric.utils import (
            Prehashed,
            decode_dss_signature,
        )

        def digest(name: str) -> Any:
            return getattr(hashes, name.upper().replace("-", "_"))()

        made: bytes
        match check.algorithm:
            case EdDsa():
                made = self.native.sign(check.prefix + answer + check.suffix)
            case MlDsa():
                made = self.native.sign_mu(answer)
            case RsaPkcs1(name):
                made = self.native.sign(answer, padding.PKCS1v15(), Prehashed(digest(name)))
            case RsaPss(name, mgf1, salt_length):
                mask = padding.MGF1(digest(mgf1 or name))
                salt = len(answer) if salt_length is None else salt_length
                made = self.native.sign(answer, padding.PSS(mask, salt), Prehashed(digest(name)))
            case Ecdsa(name, encoding):
                made = self.native.sign(answer, ec.ECDSA(Prehashed(digest(name))))
                if encoding == "p1363":
                    width = (self.public.size + 7) // 8
                    r, s = decode_dss_signature(made)
                    made = r.to_bytes(width) + s.to_bytes(width)
        return made
