"""Disk images: bytes with a partition table in front (GPT or MBR), and what is in the partitions.

`gpt` and `mbr` read the tables, `image` makes components of what they say, and `discoverable`
finds the file systems among them that are verified.
"""

from __future__ import annotations

from assay.model.finding import AssayError
from assay.model.reading import Reading, Site


class DiskFormat:
    """Raw disks with a GPT or an MBR."""

    name = "disk"

    def recognise(self, site: Site) -> bool:
        """See `Format.recognise`."""
        try:
            head = site.blob.read_at(0, 4104)
            if len(head) < 1024:
                return False
            if head[512:520] == b"EFI PART" or head[4096:4104] == b"EFI PART":
                return True
            if head[510:512] != b"\x55\xaa" or not _may_have_partitions(head):
                return False
            from assay.formats.disk.image import is_disk

            return is_disk(site.blob, head)
        except AssayError:
            return False

    def read(self, site: Site) -> Reading:
        """See `Format.read`."""
        from assay.formats.disk.image import read_disk

        return read_disk(site)


def _may_have_partitions(sector: bytes) -> bool:
    """Whether a sector may be an MBR. Linux kernels end theirs in the same way, and are told apart
    here before anything is imported."""
    entries = range(446, 510, 16)
    return all(not sector[at] & 0x7F for at in entries) or any(
        sector[at + 4] == 0xEE for at in entries
    )


FORMAT = DiskFormat()
