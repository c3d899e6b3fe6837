"""The signature of a kernel module, judged as the kernel does where its own keys are the anchor
(crypto/asymmetric_keys/pkcs7_verify.c, kernel/module/signing.c), else as any CMS signature.

The kernel looks for the signer's certificate among its keys, by issuer and serial number or by key
identifier, and takes it for what it is: no dates, no path. A signature that brings signed
attributes is refused, but with ML-DSA, for which kernels accept them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from assay.cms import oids
from assay.cms.given import given_in
from assay.cms.signed_data import SignedData, SignerInfo, read_signed_data
from assay.cms.verify import algorithm_of
from assay.crypto.algorithms import MlDsa
from assay.crypto.public_key import KEY_SCHEME, PublicKey
from assay.model.codes import cms as cms_codes
from assay.model.codes import trust as codes
from assay.model.finding import AssayError, Finding
from assay.model.measurement import Request
from assay.model.signature import Key, PreparedSignature, Signature, SignatureOutcome
from assay.signatures.cms.moment import Moment
from assay.signatures.cms.signer import CmsSignature, status_of
from assay.signatures.kernel_module.scheme import KEYRING
from assay.signatures.trial import Trial
from assay.x509.key_schemes import AUTHORITY
from assay.x509.requirements import PathResult

SCHEME = "kernel-module"


class KernelModuleSignature(CmsSignature):
    """The signer of a module."""

    what = "module signature"

    def _possible_keys(self, keys: Sequence[Key]) -> Iterator[PublicKey]:
        for key in keys:
            if key.scheme == KEYRING:
                for certificate in key.material:
                    if self._signer.is_by(certificate):
                        yield certificate.key
        yield from super()._possible_keys(keys)

    def verify(
        self, answers: Mapping[Request, Any], keys: Sequence[Key], at: datetime
    ) -> SignatureOutcome:
        """Try every keyring, authority and plain key. Raises nothing."""
        trial = Trial(self.signature, self.what, keys)
        moment = Moment((at,))
        given = given_in(keys)
        unknown: list[Finding] = []
        for key in keys:
            if key.scheme == KEYRING:
                self._by_keyring(trial, key, answers, moment)
            elif key.scheme == AUTHORITY:
                unknown += self._by_authority(trial, key, keys, answers, given, moment, at)
            elif key.scheme == KEY_SCHEME:
                self._by_key(trial, key, answers)
        usable = [key for key in keys if key.scheme in (KEYRING, AUTHORITY, KEY_SCHEME)]
        stranger = Finding.of(
            codes.WRONG_KEY,
            self.signature.document,
            f"{self.signature.id}: signed by {self._signer.certificate_name}",
            expected=", ".join(key.key_id for key in usable) or "a key, an authority or a kernel",
            actual=self._signer.certificate_name,
        )
        return trial.outcome(unknown[0] if unknown else stranger)

    def _by_keyring(
        self, trial: Trial, key: Key, answers: Mapping[Request, Any], moment: Moment
    ) -> None:
        named = [each for each in key.material if self._signer.is_by(each)]
        if not named:
            trial.miss(key, f"{self._signer.certificate_name} is not in the kernel")
            return
        faults: list[Finding] = []
        for certificate in named:
            found = list(self._faults(certificate, None, answers, None))
            if not found:
                self._match(trial, key, PathResult((certificate,)), moment)
                return
            faults += found
        placed = [self._placed(fault) for fault in dict.fromkeys(faults)]
        trial.fail(key, status_of(placed), faults[0].detail, *placed)


def prepare(data: bytes, document: str, signature_id: str) -> list[PreparedSignature]:
    """The signature of a module. Raises AssayError (signature-malformed,
    signed-attributes-invalid)."""
    signed = read_signed_data(data)
    if len(signed.signers) != 1:
        raise _malformed(f"it has {len(signed.signers)} signers, and a module has one")
    if signed.content is not None or signed.content_type != oids.DATA:
        raise _malformed("it is no detached signature of data")
    [signer] = signed.signers
    if signer.signed_attributes is not None and not _may_have_attributes(signed, signer):
        raise AssayError(
            Finding.of(
                cms_codes.SIGNED_ATTRIBUTES_INVALID,
                detail="it has signed attributes, and the kernel refuses a module with them",
            )
        )
    return [KernelModuleSignature(signed, signer, Signature(signature_id, SCHEME, document))]


def _may_have_attributes(signed: SignedData, signer: SignerInfo) -> bool:
    try:
        return isinstance(algorithm_of(signed, signer).algorithm, MlDsa)
    except AssayError:
        return False


def _malformed(detail: str) -> AssayError:
    return AssayError(Finding.of(codes.SIGNATURE_MALFORMED, detail=detail))
