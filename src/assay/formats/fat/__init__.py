"""FAT12, FAT16 and FAT32, as in EFI system partitions; read only.

Microsoft's "FAT: General Overview of On-Disk Format" (1.03), and the UEFI specification, section
13.3. `geometry` reads the boot sector, `allocation` follows chains of clusters, `directory` reads
directories, and `volume` makes components of all that.
"""

from __future__ import annotations

from assay.model.finding import AssayError
from assay.model.reading import Reading, Site


def looks_like_fat(head: bytes) -> bool:
    """Whether bytes that begin like this are a FAT file system."""
    if len(head) < 512 or head[510:512] != b"\x55\xaa":
        return False
    sector, cluster = int.from_bytes(head[11:13], "little"), head[13]
    return (
        (head[0] == 0xE9 or (head[0] == 0xEB and head[2] == 0x90))
        and sector in (512, 1024, 2048, 4096)
        and cluster != 0
        and not cluster & (cluster - 1)
        and head[14:16] != bytes(2)
        and head[16] in (1, 2)
        and (head[21] == 0xF0 or head[21] >= 0xF8)
        and (head[22:24] != bytes(2) or head[36:40] != bytes(4))
    )


class FatFormat:
    """FAT file systems."""

    name = "fat"

    def recognise(self, site: Site) -> bool:
        """See `Format.recognise`."""
        try:
            return looks_like_fat(site.blob.read_at(0, 512))
        except AssayError:
            return False

    def read(self, site: Site) -> Reading:
        """See `Format.read`."""
        from assay.formats.fat.volume import read_volume

        return read_volume(site)


FORMAT = FatFormat()
