"""Microsoft's authorities for Secure Boot, told apart by their certificates and not by their names,
which anyone can write into one."""

from __future__ import annotations

from msgspec import Struct

from assay.x509.certificate import Certificate


class Authority(Struct, frozen=True):
    """An authority: what it is called, and the fingerprint of the one that follows it."""

    name: str
    successor: str = ""


_UEFI_2023 = "sha256:f6124e34125bee3fe6d79a574eaa7b91c0e7bd9d929c1a321178efd611dad901"
_WINDOWS_2023 = "sha256:076f1fea90ac29155ebf77c17682f75f1fdd1be196da302dc8461e350a9ae330"
_KEK_2023 = "sha256:3cd3f0309edae228767a976dd40d9f4affc4fbd5218f2e8cc3c9dd97e8ac6f9d"
AUTHORITIES = {
    "sha256:48e99b991f57fc52f76149599bff0a58c47154229b9f8d603ac40d3500248507": Authority(
        "Microsoft Corporation UEFI CA 2011", _UEFI_2023
    ),
    "sha256:e8e95f0733a55e8bad7be0a1413ee23c51fcea64b3c8fa6a786935fddcc71961": Authority(
        "Microsoft Windows Production PCA 2011", _WINDOWS_2023
    ),
    "sha256:a1117f516a32cefcba3f2d1ace10a87972fd6bbe8fe0d0b996e09e65d802a503": Authority(
        "Microsoft Corporation KEK CA 2011", _KEK_2023
    ),
    _UEFI_2023: Authority("Microsoft UEFI CA 2023"),
    _WINDOWS_2023: Authority("Windows UEFI CA 2023"),
    _KEK_2023: Authority("Microsoft Corporation KEK 2K CA 2023"),
    "sha256:e5be3e64c6e66a281457ecdece0d6d0787577aad2a3a0144262c10c14ba8d8f1": Authority(
        "Microsoft Option ROM UEFI CA 2023"
    ),
}
"""By the fingerprint of the certificate."""


def name_of(certificate: Certificate) -> str:
    """What one of Microsoft's authorities is called; empty for any other certificate."""
    known = AUTHORITIES.get(certificate.fingerprint)
    return known.name if known else ""
