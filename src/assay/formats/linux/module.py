"""Kernel modules (``.ko``), as they are or compressed (``.ko.gz``, ``.ko.xz``, ``.ko.zst``)."""

from __future__ import annotations

from assay.model.finding import AssayError
from assay.model.reading import Reading, Site

_ELF = b"\x7fELF"
_COMPRESSED = (b"\x1f\x8b\x08", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd")


class ModuleFormat:
    """One kernel module."""

    name = "kernel-module"

    def recognise(self, site: Site) -> bool:
        """See `Format.recognise`."""
        try:
            head = site.blob.read_at(0, 8)
            if not head.startswith((_ELF, *_COMPRESSED)):
                return False
            from assay.formats.linux.beginnings import is_module

            return is_module(site.blob)
        except AssayError:
            return False

    def read(self, site: Site) -> Reading:
        """See `Format.read`."""
        from assay.formats.linux.module_reading import read_one

        return read_one(site)


FORMAT = ModuleFormat()
