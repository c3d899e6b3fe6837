"""Kernel images without an EFI stub, or compressed as a whole (``Image.gz``). Those with a stub are
PE programs; their format asks `assay.formats.linux.kernel_reading` for what is in them."""

from __future__ import annotations

from assay.model.finding import AssayError
from assay.model.reading import Reading, Site

_COMPRESSED = (
    b"\x1f\x8b\x08",
    b"\x28\xb5\x2f\xfd",
    b"\xfd7zXZ\0",
    b"\x02\x21\x4c\x18",
    b"\x04\x22\x4d\x18",
    b"BZh",
)


class KernelFormat:
    """Linux kernels."""

    name = "linux-kernel"

    def recognise(self, site: Site) -> bool:
        """See `Format.recognise`."""
        try:
            head = site.blob.read_at(0, 0x270)
            if head[:2] == b"MZ":
                return False
            if head[0x202:0x206] != b"HdrS" and not head.startswith(_COMPRESSED):
                return False
            from assay.formats.linux.beginnings import is_kernel

            return is_kernel(site.blob)
        except AssayError:
            return False

    def read(self, site: Site) -> Reading:
        """See `Format.read`."""
        from assay.formats.linux.kernel_reading import read_kernel

        return read_kernel(site)


FORMAT = KernelFormat()
