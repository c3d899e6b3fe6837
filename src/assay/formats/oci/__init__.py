"""OCI and Docker images: indexes, manifests, configurations, layers, artifacts.

OCI image-spec 1.1 (manifest.md, image-index.md, config.md, layer.md, descriptor.md), the Docker
image manifest version 2 schema 2, and BuildKit's way of attaching attestations. `document` opens
what a descriptor leads to, whatever it turns out to be; `flatten` lists the files of an image
after everything was measured.
"""

from __future__ import annotations

from assay.model.reading import Reading, Site


class OciFormat:
    """Image manifests and indexes, wherever their blobs are stored."""

    name = "oci"

    def recognise(self, site: Site) -> bool:
        """See `Format.recognise`."""
        if site.store is None:
            return False
        from assay.formats.oci.document import is_document

        return is_document(site)

    def read(self, site: Site) -> Reading:
        """See `Format.read`."""
        from assay.formats.oci.document import read_image

        return read_image(site)


FORMAT = OciFormat()
