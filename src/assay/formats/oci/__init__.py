"""OCI and Docker images: indexes, manifests, configurations, layers, artifacts.

OCI image-spec 1.1 (manifest.md, image-index.md, config.md, layer.md, descriptor.md), the Docker
image manifest version 2 schema 2, and BuildKit's way of attaching attestations. `document` opens
what a descriptor leads to, whatever it turns out to be; `flatten` lists the files of an image
after everything was measured.
"""

from __future__ import annotations

from assay.formats.oci.document import FORMAT

__all__ = ["FORMAT"]
