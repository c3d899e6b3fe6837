"""`bundle:` the image in an offline bundle, with its content if that is inside."""

from __future__ import annotations

from assay.model.codes.content import MISSING_COMPONENT
from assay.model.finding import Finding
from assay.sources.blobs import UnavailableBlob
from assay.sources.bundle.file import open_bundle
from assay.sources.model import OpenedImage, OpenOptions


class BundleSource:
    name = "bundle"

    def open(self, rest: str, options: OpenOptions) -> list[OpenedImage]:
        bundle = open_bundle(rest)
        subject = bundle.manifest.subject
        blob = bundle.store.blob(str(subject.digest)) or UnavailableBlob(
            Finding.of(
                MISSING_COMPONENT,
                detail=f"{rest} holds no content; name the image that it is about, or make the"
                " bundle with --with-content",
                expected=subject.digest,
            )
        )
        return [
            OpenedImage(
                name=f"bundle:{rest}",
                resolved=f"bundle:{rest}@{subject.digest}",
                root=blob,
                # a plain file is known by no digest, here as elsewhere
                root_key=str(subject.digest) if subject.media_type else f"file:{rest}",
                store=bundle.store if subject.media_type else None,
                media_type=subject.media_type,
                label=subject.name.rpartition("/")[2],
            )
        ]


SOURCE = BundleSource()
