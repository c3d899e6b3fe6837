"""The files of an EFI system partition in a directory: each is a component."""

from __future__ import annotations

import os

from assay.model.codes import archive as codes
from assay.model.component import Component, Stored
from assay.model.finding import AssayError, Finding
from assay.model.measurement import HashRequest
from assay.model.reading import Catalogue, Reading, Site
from assay.printable import printable


class BootFilesFormat:
    """What the source ``esp`` opens; nothing else is recognised as one."""

    name = "boot-files"

    def recognise(self, site: Site) -> bool:
        """See `Format.recognise`."""
        return False

    def read(self, site: Site) -> Reading:
        """See `Format.read`."""
        store = site.store
        if not isinstance(store, Catalogue):
            detail = "it is no directory of boot files"
            raise AssayError(Finding.of(codes.NOT_AN_IMAGE, detail=detail))
        listing = Component(
            "tree",
            "directory",
            site.component.extent,
            size=site.blob.size,
            description="the names of the files",
            external=True,
        )
        reading = Reading(components=[listing])
        for entry in store.entries():
            path: str = entry["path"]
            name = printable(os.fsencode(path), 1 << 16)
            try:
                blob = store.blob(path)
            except AssayError as error:
                reading.findings.append(error.finding)
                continue
            if blob is None:
                continue
            key = f"boot-file:{path}"
            reading.blobs[key] = blob
            reading.components.append(Component(name, "file", Stored(key), "tree", blob.size))
            reading.requests.append((name, HashRequest("sha256")))
            reading.targets.append(name)
            reading.explore.append((name, blob))
        return reading


FORMAT = BootFilesFormat()
