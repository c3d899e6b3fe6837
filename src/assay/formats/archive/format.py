"""The two formats of image archives. What they take to read is imported when it is needed."""

from __future__ import annotations

from msgspec import Struct

from assay.formats.detect import head_of
from assay.measure.compression import compression_of
from assay.model.reading import Reading, Site
from assay.sources.tar_fields import BLOCK, has_header


class ArchiveFormat(Struct, frozen=True):
    """One of the two kinds of image archives; ``name`` says which description counts where there
    are both."""

    name: str

    def recognise(self, site: Site) -> bool:
        """See `Format.recognise`."""
        head = b"" if site.store is not None else head_of(site, BLOCK)
        if not compression_of(head) and not has_header(head):
            return False
        from assay.formats.archive.recognise import kind_of

        return kind_of(site.blob) == self.name

    def read(self, site: Site) -> Reading:
        """See `Format.read`."""
        from assay.formats.archive.reading import read_archive

        return read_archive(site, self.name)


OCI = ArchiveFormat("oci-archive")
DOCKER = ArchiveFormat("docker-archive")
