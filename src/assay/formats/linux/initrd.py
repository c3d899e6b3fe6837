"""Initial RAM disks (initrd, initramfs)."""

from __future__ import annotations

from assay.model.finding import AssayError
from assay.model.reading import Reading, Site

_BEGINNINGS = (
    b"070701",
    b"070702",
    b"\x1f\x8b\x08",
    b"\x28\xb5\x2f\xfd",
    b"\xfd7zXZ\0",
    b"\x02\x21\x4c\x18",
    b"\x04\x22\x4d\x18",
    b"BZh",
    b"\x5d\0\0",
)


class InitrdFormat:
    """cpio archives in a row, as they are or compressed."""

    name = "initrd"

    def recognise(self, site: Site) -> bool:
        """See `Format.recognise`."""
        try:
            if not site.blob.read_at(0, 8).startswith(_BEGINNINGS):
                return False
            from assay.formats.linux.beginnings import is_initrd

            return is_initrd(site.blob)
        except AssayError:
            return False

    def read(self, site: Site) -> Reading:
        """See `Format.read`."""
        from assay.formats.linux.initrd_reading import read_initrd

        return read_initrd(site)


FORMAT = InitrdFormat()
