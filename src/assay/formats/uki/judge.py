"""What is said of the PCR values of a unified kernel image, without asking who is trusted."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

from msgspec import Struct

from assay.crypto.algorithms import RsaPkcs1
from assay.crypto.check import confirms
from assay.crypto.public_key import Family, PublicKey
from assay.formats.uki.measured import Measured
from assay.formats.uki.pcr_signatures import PcrSignature
from assay.model.codes import uki as codes
from assay.model.finding import Finding
from assay.tcg.unified_kernel import PHASE_PATHS, measured_sections

_SHOWN_BANK = "sha256"


class PcrJudge(Struct, frozen=True):
    """``place`` is the section ``.pcrsig`` (empty for none), ``measured`` the component that is
    measured; ``key`` is the one in ``.pcrpkey``."""

    measured: str
    place: str = ""
    signatures: tuple[PcrSignature, ...] = ()
    key: PublicKey | None = None

    def __call__(self, measured: Measured) -> Iterator[Finding]:
        yield from self._values(measured)
        known = measured_sections(measured.plan.version)
        left_out = [name for name, _ in measured.plan.sections if name not in known]
        if left_out:
            yield Finding.of(
                codes.UKI_SECTION_NOT_MEASURED,
                self.measured,
                f"systemd-stub {measured.plan.version} does not measure {', '.join(left_out)}",
            )
        yield from self._others(measured)
        if self.key is not None and self.signatures:
            yield from self._by_key(self.key, measured)

    def _values(self, measured: Measured) -> Iterator[Finding]:
        for phases in PHASE_PATHS:
            value = measured.value(_SHOWN_BANK, phases)
            if value is None:
                yield Finding.of(
                    codes.PCR_VALUES,
                    self.measured,
                    "PCR 11 depends on the hardware: there are sections for some of it",
                )
                return
            yield Finding.of(
                codes.PCR_VALUES,
                self.measured,
                f"PCR 11 after {':'.join(phases)}: {_SHOWN_BANK}:{value.hex()}",
            )

    def _others(self, measured: Measured) -> Iterator[Finding]:
        policies = {bank: measured.policies(bank) for bank in measured.plan.banks}
        others = [each for each in self.signatures if each.policy not in policies[each.bank]]
        if others:
            yield Finding.of(
                codes.PCR_SIGNATURE_OTHER_VALUES,
                self.place,
                f"{_places(others)}: for PCR values that no boot of this image has",
            )

    def _by_key(self, key: PublicKey, measured: Measured) -> Iterator[Finding]:
        mine = [each for each in self.signatures if each.fingerprint == fingerprint_of(key)]
        if not mine:
            yield Finding.of(
                codes.PCR_SIGNATURE_OTHER_KEY,
                self.place,
                expected=fingerprint_of(key),
                actual=", ".join(dict.fromkeys(each.fingerprint for each in self.signatures)),
            )
        good = [each for each in mine if digest_signed(key, each)]
        bad = [each for each in mine if each not in good and not by_sha1(each)]
        if bad:
            yield Finding.of(
                codes.PCR_SIGNATURE_INVALID,
                self.place,
                f"{_places(bad)}: not by the key in .pcrpkey, which is named there",
            )
        told = states_of(good, measured)
        if told:
            yield Finding.of(
                codes.PCR_SIGNATURE_AGREES,
                self.place,
                f"signed by the key in .pcrpkey: PCR 11 after {told}",
            )
        if any(map(by_sha1, mine)):
            yield Finding.of(codes.PCR_SIGNATURE_UNCHECKED, self.place)


def digest_signed(key: PublicKey, signature: PcrSignature) -> str:
    """The digest algorithm by which the key made a signature; empty where it did not make it.
    systemd-measure takes that of the bank, which is told apart where it is SHA-1 (`by_sha1`)."""
    for digest in dict.fromkeys((signature.bank, "sha256")):
        if digest == "sha1":
            continue
        if confirms(key, RsaPkcs1(digest), signature.value, signature.policy):
            return digest
    return ""


def by_sha1(signature: PcrSignature) -> bool:
    """Whether a signature would be by SHA-1, which shows nothing and is not checked."""
    return signature.bank == "sha1"


def _places(signatures: Sequence[PcrSignature]) -> str:
    shown = ", ".join(each.place for each in signatures[:4])
    return shown + (f" and {len(signatures) - 4} more" if len(signatures) > 4 else "")


def states_of(signatures: Sequence[PcrSignature], measured: Measured) -> str:
    """The states of a boot that these signatures are for, each with its banks; empty for none."""
    banks: dict[str, list[str]] = {}
    for signature in signatures:
        name = measured.policies(signature.bank).get(signature.policy)
        if name is not None:
            banks.setdefault(name, []).append(signature.bank)
    return ", ".join(f"{name} ({' '.join(found)})" for name, found in banks.items())


def fingerprint_of(key: PublicKey) -> str:
    """As the signatures name a key: the SHA-256 of its RSAPublicKey (RFC 8017, appendix A.1.1), in
    hexadecimal digits. Keys of another kind make no such signatures."""
    if key.family is not Family.RSA:
        return ""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return hashlib.sha256(key.native.public_bytes(Encoding.DER, PublicFormat.PKCS1)).hexdigest()
