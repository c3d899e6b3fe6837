"""PE programs: boot loaders, kernels with an EFI stub, unified kernel images, Windows programs.

Microsoft PE Format specification (2024), and Windows Authenticode Portable Executable Signature
Format (2008). `headers` reads what the loader reads, `layout` says which bytes are signed, and
`certificates` takes the certificate table apart.
"""

from __future__ import annotations

from assay.model.finding import AssayError
from assay.model.reading import Reading, Site


class PeFormat:
    """PE programs, 32 and 64 bit."""

    name = "pe"

    def recognise(self, site: Site) -> bool:
        """See `Format.recognise`."""
        try:
            start = site.blob.read_at(0, 64)
            if len(start) < 64 or start[:2] != b"MZ":
                return False
            return site.blob.read_at(int.from_bytes(start[60:64], "little"), 4) == b"PE\0\0"
        except AssayError:
            return False

    def read(self, site: Site) -> Reading:
        """See `Format.read`."""
        from assay.formats.pe.program import read_program

        return read_program(site)


FORMAT = PeFormat()
