"""A directory of kernel modules: each is a component, and all of them are what has to be vouched
for."""

from __future__ import annotations

import os

from assay.model.codes import archive as codes
from assay.model.codes.content import NOT_FOUND
from assay.model.finding import AssayError, Finding
from assay.model.reading import Catalogue, Reading, Site
from assay.printable import printable


class ModuleTreeFormat:
    """What the source ``modules`` opens; nothing else is recognised as one."""

    name = "kernel-modules"

    def recognise(self, site: Site) -> bool:
        """See `Format.recognise`."""
        return False

    def read(self, site: Site) -> Reading:
        """See `Format.read`."""
        from assay.formats.linux.module_reading import read_module
        from assay.model.component import Component, Stored

        store = site.store
        if not isinstance(store, Catalogue):
            raise AssayError(
                Finding.of(codes.NOT_AN_IMAGE, detail="it is no directory with kernel modules")
            )
        tree = Component(
            "tree",
            "kernel-module-tree",
            site.component.extent,
            size=site.blob.size,
            description="the names of the modules",
            external=True,
        )
        reading = Reading(components=[tree])
        for entry in store.entries():
            path: str = entry["path"]
            name = printable(os.fsencode(path), 1 << 16)
            try:
                blob = store.blob(path)
            except AssayError as error:
                reading.findings.append(error.finding)
                continue
            if blob is None:
                gone = f"{name} was listed, and is not there any more"
                reading.findings.append(Finding.of(NOT_FOUND, "tree", gone))
                continue
            whole = Component(
                name, "kernel-module", Stored(f"module:{path}"), parent="tree", size=blob.size
            )
            found = read_module(whole, blob, name, site.options)
            reading.absorb(found)
            reading.targets += found.targets
            reading.blobs[f"module:{path}"] = blob
        return reading


FORMAT = ModuleTreeFormat()
